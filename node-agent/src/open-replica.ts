import { postgresLease } from './adapters/postgres/lease.ts';
import { postgresSessionOpenings } from './adapters/postgres/session-openings.ts';
import { Leadership } from './domain/running/leadership.ts';
import type { OpenedAgent } from './open-agent.ts';
import type { OperationalLog } from './ports/operational-log.ts';
import type { SessionOpenings } from './ports/session-openings.ts';
import { secureRandom } from './random.ts';

/** What an agent is among the replicas that share its database. */
export interface Replica {
  /** Whether this one does what one of them does for all. */
  readonly leads: () => boolean;
  /** Makes tables where it leads; one that cannot lets another lead. */
  readonly doing: <T>(work: () => Promise<T>) => Promise<T>;
  /** What the replicas know of each other's sessions; an agent alone has nothing to share. */
  readonly openings: SessionOpenings | undefined;
  /** Goes on looking who leads. `taken`: this one begins to. */
  start(taken: () => void): void;
  stop(): Promise<void>;
}

const ALONE: Replica = {
  leads: () => true,
  doing: (work) => work(),
  openings: undefined,
  start: () => undefined,
  stop: () => Promise.resolve(),
};

/** Leads where no other replica does; an agent whose database nobody shares always. Throws `storage-failed`. */
export async function openReplica(
  { config, database, backend, keys }: OpenedAgent,
  log: OperationalLog,
): Promise<Replica> {
  if (config.database === undefined) return ALONE;
  const leadership = new Leadership({ lease: postgresLease(database, 'leader'), log });
  await leadership.renew();
  return {
    leads: () => leadership.leads(),
    doing: (work) => leadership.doing(work),
    openings: postgresSessionOpenings(database, backend, keys.logKey, secureRandom),
    start: (taken) => leadership.start(taken),
    stop: () => leadership.stop(),
  };
}
