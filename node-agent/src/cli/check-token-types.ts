import type { Roster } from '@hitmachine/protocol';
import {
  HitError,
  mayUse,
  openRoster,
  parseJson,
  signedDocumentSchema,
  utf8ToBytes,
} from '@hitmachine/protocol';
import { unknownTypes } from '../domain/membership/unknown-types.ts';
import type { OpenedAgent } from '../open-agent.ts';

/**
 * Refuses an agent.yaml with token types that the federation does not know: a misspelt one would be left out in
 * silence. The roster at hand may be an old one, so before it refuses it asks the gateway for the newest.
 * Throws `config-invalid`, and `gateway-unreachable` when it would have had to ask.
 */
export async function checkTokenTypes(agent: OpenedAgent): Promise<void> {
  const { membership, gateway } = await agent.enrolled();
  const stored = await agent.state.roster();
  if (stored !== undefined) {
    const roster = openRoster(
      agent.backend,
      parseJson(signedDocumentSchema, utf8ToBytes(stored)),
      membership.gatewayKey,
    );
    if ((await unknownIn(agent, roster, membership.agency)).length === 0) return;
  }
  const roster = openRoster(agent.backend, await gateway.roster(), membership.gatewayKey);
  await refuseUnknown(agent, roster, membership.agency);
}

/**
 * Throws `config-invalid` when agent.yaml has token types that a roster's policy does not know, or does not let an
 * agency of this kind use. The kind of an agency that is not on the roster yet is not known.
 */
export async function refuseUnknown(agent: OpenedAgent, roster: Roster, agency: string): Promise<void> {
  const unknown = await unknownIn(agent, roster, agency);
  const lines = unknown.map((line) => `${agent.directory.config}: ${line}`);
  if (lines.length > 0) throw new HitError('config-invalid', lines.join('\n'));
}

function unknownIn(
  { config, pseudonyms }: OpenedAgent,
  { policy, agencies }: Roster,
  agency: string,
): Promise<string[]> {
  const kind = agencies.find(({ id }) => id === agency)?.kind;
  const withoutRight = Object.keys(policy.settings.tokenTypes).filter(
    (type) => kind !== undefined && !mayUse(policy, kind, type),
  );
  return unknownTypes(config, policy.settings, pseudonyms, withoutRight);
}
