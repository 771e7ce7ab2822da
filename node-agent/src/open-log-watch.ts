import type { Backend, Random } from '@hitmachine/protocol';
import { HitError, logOrigin } from '@hitmachine/protocol';
import type { AgentDatabase } from './adapters/database.ts';
import { sqlLogStore } from './adapters/sql/log-store.ts';
import { sqlStateStore } from './adapters/sql/state-store.ts';
import { sqlReceiptStore } from './adapters/sql/receipt-store.ts';
import { logKeySealer } from './adapters/sql/sealed.ts';
import type { AgencyKeys } from './domain/keys.ts';
import { LogView } from './domain/own-log/log-view.ts';
import { PublishedCheckpoints } from './domain/own-log/published-checkpoint.ts';
import { Receipts } from './domain/own-log/receipts.ts';
import type { RosterKeeper } from './domain/membership/roster-keeper.ts';
import { Settling } from './domain/own-log/settling.ts';
import { Witness } from './domain/own-log/witness.ts';
import type { AgencyLog } from './ports/agency-log.ts';
import type { Clock } from './ports/clock.ts';
import type { GatewayClient } from './ports/gateway-client.ts';
import type { ConnectionHandler } from './ports/gateway-connection.ts';
import type { LogStore } from './ports/log-store.ts';
import type { OperationalLog } from './ports/operational-log.ts';
import type { ReceiptStore } from './ports/receipt-store.ts';
import { secureRandom } from './random.ts';

interface WatchDeps {
  readonly backend: Backend;
  readonly keys: AgencyKeys;
  readonly database: AgentDatabase;
  readonly agency: string;
  /** The gateway's identity key, as it was pinned. */
  readonly gatewayKey: Uint8Array;
  readonly roster: RosterKeeper;
  readonly gateway: GatewayClient;
  readonly agencyLog: AgencyLog;
  readonly clock: Clock;
  readonly log: OperationalLog;
  readonly minWitnesses: number;
  /** Days that receipts are kept. */
  readonly retentionDays: number;
  /** Milliseconds for which proofs that do not hold are asked for again; some minutes unless told. */
  readonly logPatienceMs?: number | undefined;
}

/** All parts of an agent that keep an eye on the gateway's log. */
export interface LogWatch {
  readonly view: LogView;
  readonly published: PublishedCheckpoints;
  readonly receipts: Receipts;
  readonly settling: Settling;
  readonly store: LogStore;
  /** For what the gateway sends over the connection. */
  readonly handler: Pick<ConnectionHandler, 'addCheckpoint' | 'published'>;
  /** What is to be done every minute. Throws what the gateway or the database throw. */
  round(): Promise<void>;
}

const DAY_MS = 86_400_000;

/** The stores of heads, alarms and receipts in an agent's database. */
export function openLogStores(
  database: AgentDatabase,
  backend: Backend,
  keys: AgencyKeys,
  random: Random = secureRandom,
): { readonly store: LogStore; readonly receiptStore: ReceiptStore } {
  const sealer = logKeySealer(backend, keys.logKey, random);
  return { store: sqlLogStore(database, sealer), receiptStore: sqlReceiptStore(database, sealer) };
}

/** Puts the parts together. Answered lookups are compared with the gateway's log from the first call on. */
export async function openLogWatch(deps: WatchDeps): Promise<LogWatch> {
  const { backend, keys, database, agency, gatewayKey, roster, gateway, clock, log } = deps;
  const { store, receiptStore } = openLogStores(database, backend, keys);
  const logKey = () => ({ origin: logOrigin(roster.roster.federation), publicKey: gatewayKey });
  const view = await LogView.open({
    backend,
    store,
    gateway,
    logKey,
    clock,
    log,
    patienceMs: deps.logPatienceMs,
  });
  const published = new PublishedCheckpoints({ ...deps, view });
  const receipts = new Receipts({ backend, agency, keys, view, store: receiptStore, clock });
  const state = sqlStateStore(database);
  const witness = new Witness({ backend, keys, agency, roster, logKey, view, store, state, clock, log });
  const settling = await Settling.open({ ...deps, view, published, receipts: receiptStore, store });
  return {
    view,
    published,
    receipts,
    settling,
    store,
    handler: {
      addCheckpoint: (body) => witness.addCheckpoint(body),
      async published(note) {
        try {
          await published.saw(new TextDecoder('utf-8', { fatal: true }).decode(note));
        } catch (error) {
          const code = error instanceof HitError ? error.code : 'malformed';
          // While there is an alarm every checkpoint ends here; that was told already.
          if (code !== 'log-inconsistent') log.error({ event: 'checkpoint-refused', code });
        }
      },
    },
    async round() {
      await receiptStore.removeBefore(clock() - deps.retentionDays * DAY_MS);
      await view.checkPending();
      await settling.round();
    },
  };
}
