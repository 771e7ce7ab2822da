import type { Secret } from '@hitmachine/protocol';
import { dialer } from './adapters/http/dial.ts';
import type { Dial } from './adapters/http/dial.ts';
import type { DialledFetch } from './adapters/http/dialled-fetch.ts';
import { dialledFetch } from './adapters/http/dialled-fetch.ts';
import { LARGE_MS, httpServingAgent } from './adapters/http/serving-agent.ts';
import { servingAgentAccess } from './gateway-access.ts';
import type { HandOverConfig } from './hand-over-config.ts';
import type { ServingAgent } from './ports/serving-agent.ts';

/** The serving agent, and the way to it. */
export interface OpenedServingAgent {
  readonly agent: ServingAgent;
  readonly dial: Dial;
  readonly fetch: DialledFetch['fetch'];
  close(): Promise<void>;
}

/** As hand-over.yaml says. Throws `config-invalid` for a certificate or a key that cannot be used. */
export function openServingAgent(
  directory: string,
  { agent, tls }: Pick<HandOverConfig, 'agent' | 'tls'>,
  key: Secret<string>,
): OpenedServingAgent {
  const access = servingAgentAccess(directory, tls);
  // A wrong file is told at once, and not with the first connection.
  access.tls();
  const dial = dialer(access);
  const dialled = dialledFetch(dial, LARGE_MS);
  return { agent: httpServingAgent(agent, key, dialled.fetch), dial, ...dialled };
}
