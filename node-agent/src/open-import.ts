import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { sealedSpool } from './adapters/files/sealed-spool.ts';
import { sqliteKeptBatches } from './adapters/sqlite/kept-batches.ts';
import { workerPseudonymMaker } from './adapters/workers/pseudonym-maker.ts';
import type { AgentDirectory } from './directory.ts';
import type { KeptBatches } from './ports/kept-batches.ts';
import type { PseudonymMaker } from './ports/pseudonym-maker.ts';
import type { TokenSpool } from './ports/token-spool.ts';
import type { MakerKeys } from './pack-pseudonyms.ts';

/** What an import of a register works with, beside the stores: to be closed when it is over. */
export interface ImportTools {
  /** Holds the tokens between reading the source and going through the gateway. */
  readonly spool: TokenSpool;
  readonly kept: KeptBatches;
  readonly startMaker: (keys: MakerKeys) => PseudonymMaker;
  close(): void;
}

/** Throws `storage-failed` when the agent's directory cannot be written to. */
export function openImport({ path }: AgentDirectory, register: string): ImportTools {
  const spool = sealedSpool(path);
  const kept = sqliteKeptBatches(join(path, `import-${register}.sqlite`), Date.now());
  return {
    spool,
    kept,
    startMaker: (keys) => workerPseudonymMaker(keys),
    close() {
      spool.close();
      kept.close();
    },
  };
}

/** Lets this process step back behind the agent that answers on the same machine. */
export function stepBack(): void {
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
}
