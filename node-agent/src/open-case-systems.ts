import type { DialledFetch } from './adapters/http/dialled-fetch.ts';
import { JwtAccessTokens } from './adapters/oauth/access-tokens.ts';
import type { CaseSystemsConfig } from './case-systems-config.ts';
import { CaseSystems } from './domain/asking/case-systems.ts';

/** The case systems of agent.yaml; undefined when it has none. Their authorisation server is not asked yet. */
export function openCaseSystems(
  config: CaseSystemsConfig | undefined,
  fetch: DialledFetch['fetch'],
): CaseSystems | undefined {
  if (config === undefined) return undefined;
  const { issuer, audience, scope, clients } = config;
  return new CaseSystems(new JwtAccessTokens({ issuer, audience, fetch }), scope, clients);
}
