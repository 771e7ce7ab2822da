import { isAbsolute, join, relative, resolve } from 'node:path';
import { HitError } from '@hitmachine/protocol';
import { sealedSpool } from './adapters/files/sealed-spool.ts';
import { sqliteEntryCache } from './adapters/sqlite/entry-cache.ts';
import { sqliteKeptBatches } from './adapters/sqlite/kept-batches.ts';
import { workerPseudonymMaker } from './adapters/workers/pseudonym-maker.ts';
import type { AgentDirectory } from './directory.ts';
import type { EntryCache } from './ports/entry-cache.ts';
import type { KeptBatches } from './ports/kept-batches.ts';
import type { PseudonymMaker } from './ports/pseudonym-maker.ts';
import type { TokenSpool } from './ports/token-spool.ts';
import type { MakerKeys } from './pack-pseudonyms.ts';

/** What an import of a register works with, beside the stores: to be closed when it is over. */
export interface ImportTools {
  /** Holds the tokens between reading the source and going through the gateway. */
  readonly spool: TokenSpool;
  readonly kept: KeptBatches;
  readonly cache: EntryCache | undefined;
  readonly startMaker: (keys: MakerKeys) => PseudonymMaker;
  close(): void;
}

/** Throws `storage-failed` when the agent's directory cannot be written to. */
export function openImport({ path }: AgentDirectory, register: string, cacheFolder?: string): ImportTools {
  const cache =
    cacheFolder === undefined ? undefined : sqliteEntryCache(awayFrom(path, cacheFolder), register);
  const spool = sealedSpool(path);
  const kept = sqliteKeptBatches(join(path, `import-${register}.sqlite`), Date.now());
  return {
    spool,
    kept,
    cache,
    startMaker: (keys) => workerPseudonymMaker(keys),
    close() {
      spool.close();
      kept.close();
      cache?.close();
    },
  };
}

/**
 * The folder of a cache, which must not lie with the agent that answers: with its keys beside it, what the cache holds
 * is undone in minutes. Throws `config-invalid`.
 */
function awayFrom(directory: string, folder: string): string {
  const way = relative(resolve(directory), resolve(folder));
  if (way === '' || !(way.startsWith('..') || isAbsolute(way)))
    throw new HitError(
      'config-invalid',
      `${folder}: the cache must not lie in the agent's own directory; put it where the source is`,
    );
  return folder;
}
