import { Readable } from 'node:stream';
import { OidcProvider, clientProof } from '@hitmachine/web';
import { PATHS } from '../desk/paths.ts';
import { fileOf } from '@hitmachine/service';
import type { OtherClock } from './adapters/http/clock-problem.ts';
import { readSecretFile } from './directory.ts';
import type { LookupService } from './domain/asking/lookup.ts';
import { sqlIdempotencyStore } from './adapters/sql/idempotency-store.ts';
import { readHouseholds } from './adapters/sources/household-file.ts';
import { DeskBatches } from './domain/desk/desk-batches.ts';
import { DeskLookups } from './domain/desk/desk-lookups.ts';
import { DeskReaders } from './domain/desk/desk-readers.ts';
import { FormKeys } from './domain/desk/form-keys.ts';
import { trustedKeysOf } from './domain/own-log/receipt-check.ts';
import type { AgentStatus } from './domain/running/status.ts';
import type { OpenedAgent } from './open-agent.ts';
import { openLogStores } from './open-log-watch.ts';
import type { OperationalLog } from './ports/operational-log.ts';
import { secureRandom } from './random.ts';
import type { DeskDeps } from './routes/desk-context.ts';

/**
 * What the pages of the desk stand on, with the secret from its file; undefined when agent.yaml has none of them.
 * The identity provider is not asked yet. Throws `config-invalid`, naming the file and the cure.
 */
export async function openDesk(
  agent: OpenedAgent,
  service: LookupService,
  told: Pick<DeskDeps, 'reviews' | 'notices'>,
  status: () => Promise<AgentStatus>,
  log: OperationalLog,
): Promise<DeskDeps | undefined> {
  const { config, directory, backend, keys, database } = agent;
  if (config.desk === undefined) return undefined;
  const { baseUrl, sessionMinutes, privacyOfficerRole, roles } = config.desk;
  const read = async (file: string): Promise<string> =>
    readSecretFile(fileOf(directory.path, file), 'it comes from the identity provider (desk in agent.yaml)')
      .toString('utf8')
      .trim();
  const { store, receiptStore } = openLogStores(database, backend, keys);
  const { gatewayKey } = (await agent.enrolled()).membership;
  const runtime = { now: service.clock, random: secureRandom };
  const readers = new DeskReaders({
    provider: new OidcProvider({
      ...config.desk,
      fetch: agent.ownServices.fetch,
      proof: await clientProof(config.desk, read),
      redirectUri: `${baseUrl}${PATHS.loginDone}`,
      afterLogout: `${baseUrl}${PATHS.home}`,
    }),
    officerRole: privacyOfficerRole,
    professionalRoles: roles,
    sessionMs: sessionMinutes * 60_000,
    backend,
    seed: keys.identitySeed,
    runtime,
    ...(agent.shared && {
      tellEnded: (id: string, expires: number) => agent.state.endSession(id, expires, runtime.now()),
    }),
    agencyLog: service.agencyLog,
    log,
  });

  return {
    baseUrl,
    service,
    ...told,
    status,
    receipts: receiptStore,
    logStore: store,
    trustedKeys: () => trustedKeysOf(backend, service.roster, gatewayKey),
    readers,
    lookups: new DeskLookups(service, log, agent.shared && sqlIdempotencyStore(agent.shared)),
    formKeys: new FormKeys(readers.seal, runtime, { isShared: agent.shared !== undefined }),
    batches: new DeskBatches(service),
    readHouseholds: (name, bytes, tokenTypes) =>
      readHouseholds({ name, repeatable: true, chunks: () => Readable.from([bytes]) }, tokenTypes),
  };
}

/** The clock of the agency's own identity provider, which neither we nor the gateway keep. */
export function otherClocks({ config: { desk }, ownServices }: OpenedAgent, clock: () => number) {
  if (desk === undefined) return undefined;
  return async (): Promise<OtherClock[]> => {
    const response = await ownServices.fetch(desk.issuer, {
      method: 'HEAD',
      signal: AbortSignal.timeout(3_000),
    });
    const aheadMs = Date.parse(response.headers.get('date') ?? '') - clock();
    return Number.isNaN(aheadMs) ? [] : [{ name: "the agency's identity provider", aheadMs }];
  };
}
