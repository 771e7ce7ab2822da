import type { ErrorCode, Secret } from '@hitmachine/protocol';
import { ERRORS, HitError, decodeBase64, encodeBase64 } from '@hitmachine/protocol';
import { z } from 'zod';
import type { ServedContent, ServingAgent } from '../../ports/serving-agent.ts';
import { connectionProblem } from './connection-problem.ts';
import type { DialledFetch } from './dialled-fetch.ts';

/** Milliseconds that a request may take which is small. */
const SMALL_MS = 60_000;
/** Milliseconds that the agent may take to work on a large register, which it says nothing in. */
export const LARGE_MS = 3_600_000;

const problemSchema = z.object({ code: z.string(), detail: z.string().default('') });
const base = z.int().nullable();
const contentSchema: z.ZodType<ServedContent> = z.object({
  tokenTypes: z.array(z.string()).min(1),
  evaluationKey: z.string(),
  base,
  clients: z.int(),
  maxShrink: z.number(),
});
const evaluatedSchema = z.object({ evaluated: z.string(), proof: z.string() });
const resultSchema = z.object({ base: z.int() });

/** Where the way to it is described. */
export const SERVING_AGENT_SETTINGS = { tls: 'tls', file: 'hand-over.yaml' };

/** {@link ServingAgent} over its API at `url`, with the key of machines that hand over. */
export function httpServingAgent(
  url: string,
  key: Secret<string>,
  fetch: DialledFetch['fetch'],
): ServingAgent {
  const call = async <T>(
    schema: z.ZodType<T>,
    method: string,
    route: string,
    body?: { readonly type: string; readonly content: string | ReadableStream<Uint8Array> },
    /** A large register takes as long as it takes. */
    stopped?: AbortSignal,
  ): Promise<T> => {
    let response: Response;
    let value: unknown;
    try {
      response = await fetch(new URL(route, url), {
        method,
        redirect: 'error',
        headers: {
          authorization: `Bearer ${key.reveal()}`,
          ...(body !== undefined && { 'content-type': body.type }),
        },
        ...(body === undefined ? {} : { body: body.content, duplex: 'half' }),
        signal: stopped ?? AbortSignal.timeout(SMALL_MS),
      });
      // What stands before it may say no in HTML.
      value = await response.json().catch(() => undefined);
    } catch (cause) {
      throw new HitError(
        'not-ready',
        `${url}: the serving agent gave no answer: ${connectionProblem(cause, SERVING_AGENT_SETTINGS)}`,
        { cause },
      );
    }
    if (response.ok) {
      const read = schema.safeParse(value);
      if (read.success) return read.data;
      throw new HitError('malformed', `${url}: what answers there is no agent of this version`);
    }
    const said = problemSchema.safeParse(value);
    if (!said.success || !Object.hasOwn(ERRORS, said.data.code))
      throw response.status === 413
        ? new HitError(
            'body-too-large',
            `${url}: what stands before the agent refuses so large a body: of nginx, client_max_body_size 0 (status 413)`,
          )
        : new HitError(
            response.status < 500 ? 'config-invalid' : 'not-ready',
            `${url}: no agent answers there (status ${response.status}): look at what stands before it`,
          );
    const retryAfter = Number(response.headers.get('retry-after') ?? NaN);
    throw new HitError(said.data.code as ErrorCode, said.data.detail, {
      ...(retryAfter > 0 && { retryAfter }),
    });
  };
  const at = (register: string, what: string): string =>
    `/v1/registers/${encodeURIComponent(register)}/${what}`;
  return {
    content: (register) => call(contentSchema, 'GET', at(register, 'content')),
    async evaluate(register, elements, evaluationKey) {
      const content = JSON.stringify({ elements: encodeBase64(elements), evaluationKey });
      const made = await call(evaluatedSchema, 'POST', at(register, 'evaluations'), {
        type: 'application/json',
        content,
      });
      return {
        evaluated: decodeBase64(made.evaluated, elements.length),
        proof: decodeBase64(made.proof),
      };
    },
    async handOver(register, lines, stopped) {
      const body = { type: 'application/x-ndjson', content: streamOf(lines) };
      return (await call(resultSchema, 'PUT', at(register, 'content'), body, stopped)).base;
    },
  };
}

/** Made as it is taken: a large register is never in memory as a whole. */
function streamOf(lines: Iterable<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const iterator = lines[Symbol.iterator]();
  return new ReadableStream({
    pull(controller) {
      try {
        const next = iterator.next();
        if (next.done === true) controller.close();
        else controller.enqueue(encoder.encode(`${next.value}\n`));
      } catch (error) {
        controller.error(error);
      }
    },
    cancel: () => void iterator.return?.(),
  });
}
