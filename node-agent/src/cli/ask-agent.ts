import { ERRORS, HitError } from '@hitmachine/protocol';
import type { ErrorCode } from '@hitmachine/protocol';
import { agentDirectory, readApiKey } from '../directory.ts';
import { runningAgent } from './running-agent.ts';

/** Calls the API of the agent that serves from this directory. Throws `not-ready` when none does. */
export async function askAgent(
  path: string,
  method: string,
  route: string,
  body?: unknown,
): Promise<unknown> {
  const key = readApiKey(agentDirectory(path));
  const running = runningAgent(path);
  const notServing = `no agent serves from ${path}; start it with: hit-agent serve --dir ${path}`;
  if (running === undefined) throw new HitError('not-ready', notServing);
  let response: Response;
  try {
    response = await fetch(new URL(route, running.url), {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    throw new HitError('not-ready', notServing, { cause });
  }
  const value: unknown = await response.json();
  if (response.ok) return value;
  const { code, detail, rule } = value as { code: string; detail: string; rule?: string };
  const retryAfter = Number(response.headers.get('retry-after') ?? NaN);
  throw new HitError(Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'internal', detail, {
    ...(retryAfter > 0 && { retryAfter }),
    ...(rule !== undefined && { rule }),
  });
}
