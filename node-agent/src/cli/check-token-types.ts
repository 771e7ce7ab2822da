import type { Backend, Settings, SignedDocument } from '@hitmachine/protocol';
import { HitError, openRoster, parseJson, signedDocumentSchema, utf8ToBytes } from '@hitmachine/protocol';
import { sqlitePseudonymStore } from '../adapters/sqlite/pseudonym-store.ts';
import { unknownTypes } from '../domain/unknown-types.ts';
import type { OpenedAgent } from '../open-agent.ts';

/**
 * Refuses an agent.yaml with token types that the federation does not know: a misspelt one would be left out in
 * silence. The roster at hand may be an old one, so before it refuses it asks the gateway for the newest.
 * Throws `config-invalid`, and `gateway-unreachable` when it would have had to ask.
 */
export async function checkTokenTypes(agent: OpenedAgent): Promise<void> {
  const { membership, gateway } = agent.enrolled();
  const stored = agent.state.roster();
  if (stored !== undefined) {
    const settings = settingsOf(
      agent.backend,
      parseJson(signedDocumentSchema, utf8ToBytes(stored)),
      membership.gatewayKey,
    );
    if (unknownIn(agent, settings).length === 0) return;
  }
  refuseUnknown(agent, settingsOf(agent.backend, await gateway.roster(), membership.gatewayKey));
}

/** What the federation has agreed on, from a roster that must be signed by the gateway. */
export function settingsOf(backend: Backend, document: SignedDocument, gatewayKey: Uint8Array): Settings {
  return openRoster(backend, document, gatewayKey).settings;
}

/** Throws `config-invalid` when agent.yaml has token types that these settings do not know. */
export function refuseUnknown(agent: OpenedAgent, settings: Settings): void {
  const lines = unknownIn(agent, settings).map((line) => `${agent.directory.config}: ${line}`);
  if (lines.length > 0) throw new HitError('config-invalid', lines.join('\n'));
}

const unknownIn = ({ config, database }: OpenedAgent, settings: Settings): string[] =>
  unknownTypes(config, settings, sqlitePseudonymStore(database));
