import { readFileSync } from 'node:fs';
import type { Backend, Suite } from '@hitmachine/protocol';
import { HitError, createSuite, loadSodium, openKeystore } from '@hitmachine/protocol';
import { dialer } from './adapters/http/dial.ts';
import type { DialledFetch } from './adapters/http/dialled-fetch.ts';
import { dialledFetch } from './adapters/http/dialled-fetch.ts';
import { httpGatewayClient } from './adapters/http/gateway-client.ts';
import type { AgentDatabase } from './adapters/database.ts';
import type { GatewayNet } from './adapters/http/gateway-net.ts';
import { gatewayNet } from './adapters/http/gateway-net.ts';
import type { Signer } from './adapters/http/signed-fetch.ts';
import { sqlKeyChangeStore } from './adapters/sql/key-change-store.ts';
import { sqlStateStore } from './adapters/sql/state-store.ts';
import type { Config } from './config.ts';
import { onRuntime } from './runtime-backend.ts';
import { readConfig } from './config.ts';
import type { AgentDirectory } from './directory.ts';
import { agentDirectory, isThere, readUnlock } from './directory.ts';
import type { AgencyKeys, Seeds } from './domain/keys.ts';
import { deriveKeys } from './domain/keys.ts';
import { gatewayAccess, ownServicesAccess } from './gateway-access.ts';
import type { GatewayClient } from './ports/gateway-client.ts';
import { openStores } from './open-stores.ts';
import type { KeyChangeStore } from './ports/key-change-store.ts';
import type { PseudonymStore } from './ports/pseudonym-store.ts';
import type { Membership, StateStore } from './ports/state-store.ts';
import { secureRandom } from './random.ts';

/** An agent's directory, opened: what every command needs. */
export interface OpenedAgent {
  readonly directory: AgentDirectory;
  readonly config: Config;
  readonly backend: Backend;
  readonly suite: Suite;
  readonly keys: AgencyKeys;
  readonly database: AgentDatabase;
  /** The same, where agent.yaml has one that replicas may share. */
  readonly shared: AgentDatabase | undefined;
  readonly pseudonyms: PseudonymStore;
  /** For a process that answers while a large register is imported. */
  readonly besideAnswering: Pick<PseudonymStore, 'beginImport'>;
  readonly state: StateStore;
  readonly keyChanges: KeyChangeStore;
  /** Takes over the keys that a command has put into the key store beside this process. */
  readonly rereadKeys: () => Promise<void>;
  /** The way to the agency's own services: identity provider, authorisation server, collector. */
  readonly ownServices: DialledFetch;
  /** Signs as `agency`; before enrolment the name comes from the token. */
  signer(agency: string): Signer;
  /** The way to the gateway; `url`: its address where agent.yaml names none. */
  net(url: string): GatewayNet;
  /** Membership and client of an enrolled agent. Throws `not-ready` with the command to run. */
  enrolled(): Promise<{
    readonly membership: Membership;
    readonly gateway: GatewayClient;
    readonly signer: Signer;
    readonly net: GatewayNet;
  }>;
}

/**
 * Opens configuration, keys and database. `refusedFile` hears of renewed certificates that cannot be used.
 * Throws
 * `config-invalid`, `keystore-invalid` or `storage-failed`.
 */
export async function openAgent(path: string, refusedFile?: (error: Error) => void): Promise<OpenedAgent> {
  const directory = agentDirectory(path);
  const config = readConfig(directory.config);
  if (!isThere(directory.keystore)) throw await withoutKeys(directory, config);
  const backend = onRuntime(await loadSodium());
  const suite = createSuite('voprf', backend);
  const readKeys = async (): Promise<AgencyKeys> =>
    deriveKeys(backend, suite, config.kem, await readSeeds(backend, directory, config));
  const keys = await readKeys();
  const access = gatewayAccess(path, config, refusedFile);
  // A wrong file is told at once, and not with the first connection.
  access.tls();
  const services = ownServicesAccess(path, config, refusedFile);
  services.tls();
  const net = (url: string): GatewayNet => gatewayNet(config.gateway.urls ?? [url], access);
  const { database, pseudonyms, besideAnswering } = await openStores(directory, config);
  const state = sqlStateStore(database);
  const keyChanges = sqlKeyChangeStore(database);
  // One that the key store does not have is told where it matters: a status should still be shown.
  const inUse = await keyChanges.nodeKeyInUse();
  if (inUse !== undefined) keys.useNodeKey(inUse);
  keys.evaluationKey = await keyChanges.evaluationKeyInUse();
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
    shared: config.database === undefined ? undefined : database,
    pseudonyms,
    besideAnswering,
    state,
    keyChanges,
    ownServices: dialledFetch(dialer(services)),
    async rereadKeys() {
      keys.renew(await readKeys());
    },
    signer,
    net,
    async enrolled() {
      const membership = await state.membership();
      if (membership === undefined)
        throw new HitError(
          'not-ready',
          'this agent is not enrolled yet; run: hit-agent enrol --gateway URL --token-file FILE',
        );
      const own = signer(membership.agency);
      const way = net(membership.gatewayUrl);
      return { membership, gateway: httpGatewayClient(own, way), signer: own, net: way };
    },
  };
}

/** The secrets in the key store of an agent. Throws `keystore-invalid`. */
export async function readSeeds(backend: Backend, directory: AgentDirectory, config: Config): Promise<Seeds> {
  return openKeystore(backend, readUnlock(directory, config), readKeystore(directory.keystore));
}

function readKeystore(file: string): unknown {
  const text = readFileSync(file, 'utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HitError('keystore-invalid', `${file}: this is not a key store; restore it from your backup`, {
      cause,
    });
  }
}

/** Why an agent cannot be opened whose key store is not there: it never was, or it was lost. */
export async function withoutKeys(
  directory: AgentDirectory,
  config: Pick<Config, 'database'>,
): Promise<HitError> {
  const agency = await enrolledAs(directory, config);
  const { keystore, path } = directory;
  return agency === undefined
    ? new HitError('config-invalid', `${keystore}: there are no keys yet; run: hit-agent init --dir ${path}`)
    : new HitError(
        'keystore-invalid',
        `${keystore}: the keys of ${agency} are gone; restore them from your backup. With new keys ${agency} would be ` +
          'a stranger to its partners: if there is no backup, init and enrol in an empty directory, and tell them the new fingerprint',
      );
}

/** The agency that the database of a directory was enrolled as. */
export async function enrolledAs(
  directory: AgentDirectory,
  config: Pick<Config, 'database'>,
): Promise<string | undefined> {
  if (config.database === undefined && !isThere(directory.database)) return undefined;
  const { database } = await openStores(directory, config);
  try {
    return (await sqlStateStore(database).membership())?.agency;
  } finally {
    await database.close();
  }
}
