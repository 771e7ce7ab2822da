import type { Suite } from '@hitmachine/protocol';
import { fileOf } from '@hitmachine/service';
import { sqlitePushedClients } from './adapters/sqlite/pushed-clients.ts';
import { workerPseudonymMover } from './adapters/workers/pseudonym-mover.ts';
import type { ConfiguredRegister } from './config.ts';
import { agentDirectory } from './directory.ts';
import type { AgencyKeys } from './domain/keys.ts';
import { PushedRegisters } from './domain/pushed-registers.ts';
import type { RosterKeeper } from './domain/roster-keeper.ts';
import { SourceImports } from './domain/source-imports.ts';
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

/** What systems of the agency pushed. Throws `storage-failed`. */
export const openPushedClients = (directory: string): PushedClients =>
  sqlitePushedClients(agentDirectory(directory).pushed);

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
    run: importBeside(directory, stopping.signal),
    importedAt: async (id) =>
      (await pseudonyms.imports()).find(({ register }) => register === id)?.importedAt,
  });
  const pushedTo = registers.filter(({ source }) => source?.push !== undefined);
  // Without such a register there is nothing to keep, and no file.
  const clients = pushedTo.length === 0 ? sqlitePushedClients(':memory:') : openPushedClients(directory);
  const pushed = new PushedRegisters({
    ...deps,
    registers: pushedTo,
    pushed: clients,
    startMover: () => workerPseudonymMover(),
    random: secureRandom,
    listOf: ({ protected: list }) =>
      list === undefined ? new Set() : readProtected(fileOf(directory, list.file)),
  });
  return {
    pushed,
    problems: () => [...imports.problems, ...pushed.problems],
    start() {
      imports.start();
      pushed.start();
    },
    async stop() {
      imports.stop();
      stopping.abort();
      await pushed.stop();
      clients.close();
    },
  };
}
