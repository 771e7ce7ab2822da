import type { Suite } from '@hitmachine/protocol';
import { fileOf } from '@hitmachine/service';
import type { AgentDatabase } from './adapters/database.ts';
import { postgresPushedClients } from './adapters/postgres/pushed-clients.ts';
import { sqlitePushedClients } from './adapters/sqlite/pushed-clients.ts';
import { workerPseudonymMover } from './adapters/workers/pseudonym-mover.ts';
import type { ConfiguredRegister } from './config.ts';
import { agentDirectory } from './directory.ts';
import type { AgencyKeys } from './domain/keys.ts';
import { moveFor } from './domain/rotation/moves.ts';
import { PushedRegisters } from './domain/importing/pushed-registers.ts';
import type { RosterKeeper } from './domain/membership/roster-keeper.ts';
import { SourceImports } from './domain/importing/source-imports.ts';
import type { Clock } from './ports/clock.ts';
import type { GatewayClient } from './ports/gateway-client.ts';
import type { OperationalLog } from './ports/operational-log.ts';
import type { PseudonymStore } from './ports/pseudonym-store.ts';
import type { PushedClients } from './ports/pushed-clients.ts';
import { readProtected } from './protected-file.ts';
import { secureRandom } from './random.ts';
import { importBeside, importPlans } from './start-imports.ts';

/** What keeps the registers of a running agent up with their sources. */
export interface Sources {
  readonly pushed: PushedRegisters;
  /** What keeps sources from being taken in, in words. */
  problems(): string[];
  start(): void;
  /** Ends imports that run: the next one goes on where they were. */
  stop(): Promise<void>;
}

/** What systems of the agency pushed: in the database that replicas share, or in a file. Throws `storage-failed`. */
export const openPushedClients = (directory: string, shared?: AgentDatabase): PushedClients =>
  shared === undefined
    ? sqlitePushedClients(agentDirectory(directory).pushed)
    : postgresPushedClients(shared);

/** Opens the sources that the running agent looks after by itself. Throws `storage-failed`. */
export function openSources(deps: {
  readonly directory: string;
  readonly registers: readonly ConfiguredRegister[];
  readonly suite: Suite;
  readonly keys: AgencyKeys;
  readonly roster: RosterKeeper;
  readonly gateway: GatewayClient;
  readonly pseudonyms: PseudonymStore;
  readonly clock: Clock;
  readonly log: OperationalLog;
  /** The database, where replicas share it. */
  readonly shared?: AgentDatabase | undefined;
  /** Whether this replica takes in sources for all of them now. */
  readonly leads: () => boolean;
  /** Called when a register has changed by a push. */
  readonly changed: () => void;
}): Sources {
  const { directory, registers, pseudonyms } = deps;
  const stopping = new AbortController();
  const imports = new SourceImports({
    ...deps,
    plans: importPlans(directory, registers),
    run: importBeside(directory, stopping.signal, deps.leads),
    importedAt: async (id) =>
      (await pseudonyms.imports()).find(({ register }) => register === id)?.importedAt,
  });
  const pushedTo = registers.filter(({ source }) => source?.push !== undefined);
  // Without such a register there is nothing to keep, and no file.
  const clients =
    pushedTo.length === 0 ? sqlitePushedClients(':memory:') : openPushedClients(directory, deps.shared);
  const pushed = new PushedRegisters({
    ...deps,
    registers: pushedTo,
    pushed: clients,
    isShared: deps.shared !== undefined,
    startMover: () => workerPseudonymMover(),
    moveFor: (from, to) =>
      moveFor({ ...deps, backend: deps.suite.backend, agency: deps.roster.self.id }, from, to),
    random: secureRandom,
    listOf: ({ protected: list }) =>
      list === undefined ? new Set() : readProtected(fileOf(directory, list.file)),
  });
  return {
    pushed,
    problems: () => [...imports.problems, ...pushed.problems],
    start() {
      imports.start();
      void pushed
        .start()
        .catch((error: Error) =>
          deps.log.error({ event: 'upkeep-failed', work: 'watch', reason: error.message }),
        );
    },
    async stop() {
      imports.stop();
      stopping.abort();
      await pushed.stop();
      clients.close();
    },
  };
}
