import { existsSync, readFileSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Backend, Suite } from '@hitmachine/protocol';
import { HitError, createSuite, loadSodium, openKeystore } from '@hitmachine/protocol';
import type { Signer } from './adapters/http/signed-fetch.ts';
import { httpGatewayClient } from './adapters/http/gateway-client.ts';
import { openDatabase } from './adapters/sqlite/database.ts';
import { sqliteStateStore } from './adapters/sqlite/state-store.ts';
import type { Config } from './config.ts';
import { readConfig } from './config.ts';
import type { AgentDirectory } from './directory.ts';
import { agentDirectory, readUnlock } from './directory.ts';
import type { AgencyKeys } from './domain/keys.ts';
import { deriveKeys } from './domain/keys.ts';
import type { GatewayClient } from './ports/gateway-client.ts';
import type { Membership, StateStore } from './ports/state-store.ts';
import { secureRandom } from './random.ts';

/** An agent's directory, opened: what every command needs. */
export interface OpenedAgent {
  readonly directory: AgentDirectory;
  readonly config: Config;
  readonly backend: Backend;
  readonly suite: Suite;
  readonly keys: AgencyKeys;
  readonly database: DatabaseSync;
  readonly state: StateStore;
  /** Signs as `agency`; before enrolment the name comes from the token. */
  signer(agency: string): Signer;
  /** Membership and client of an enrolled agent. Throws `not-ready` with the command to run. */
  enrolled(): { readonly membership: Membership; readonly gateway: GatewayClient; readonly signer: Signer };
}

/** Opens configuration, keys and database. Throws `config-invalid`, `keystore-invalid` or `storage-failed`. */
export async function openAgent(path: string): Promise<OpenedAgent> {
  const directory = agentDirectory(path);
  const config = readConfig(directory.config);
  if (!existsSync(directory.keystore))
    throw new HitError(
      'config-invalid',
      `${directory.keystore}: there are no keys yet; run: hit-agent init --dir ${path}`,
    );
  const backend = await loadSodium();
  const suite = createSuite('voprf', backend);
  const sealed: unknown = parseKeystore(directory.keystore);
  const keys = await deriveKeys(
    backend,
    suite,
    config.kem,
    await openKeystore(backend, readUnlock(directory, config), sealed),
  );
  const database = openDatabase(directory.database);
  const state = sqliteStateStore(database);
  const signer = (agency: string): Signer => ({
    agency,
    identitySeed: () => keys.identitySeed.reveal(),
    backend,
    random: secureRandom,
    clock: Date.now,
  });
  return {
    directory,
    config,
    backend,
    suite,
    keys,
    database,
    state,
    signer,
    enrolled() {
      const membership = state.membership();
      if (membership === undefined)
        throw new HitError(
          'not-ready',
          'this agent is not enrolled yet; run: hit-agent enrol --gateway URL --token TOKEN',
        );
      const own = signer(membership.agency);
      return { membership, gateway: httpGatewayClient(own, membership.gatewayUrl), signer: own };
    },
  };
}

function parseKeystore(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new HitError('keystore-invalid', `${file}: this is not a key store; restore it from your backup`, {
      cause,
    });
  }
}
