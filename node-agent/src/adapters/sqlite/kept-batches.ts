import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { HitError } from '@hitmachine/protocol';
import type { KeptBatches } from '../../ports/kept-batches.ts';

/** Whoever has not gone on with an import for so long will not. */
const KEPT_DAYS = 7;

/** {@link KeptBatches} in an SQLite file of its own, beside the database of the agent. Throws `storage-failed`. */
export function sqliteKeptBatches(file: string, now: number): KeptBatches {
  try {
    closeSync(openSync(file, 'a', 0o600));
    const database = new DatabaseSync(file, { timeout: 10_000 });
    // What is lost in a power cut is made again.
    database.exec(`
      PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA auto_vacuum = INCREMENTAL;
      CREATE TABLE IF NOT EXISTS batches (
        digest BLOB PRIMARY KEY, at INTEGER NOT NULL, sealed BLOB NOT NULL
      ) STRICT, WITHOUT ROWID;`);
    const remove = (before: number): void => {
      database.prepare('DELETE FROM batches WHERE at < ?').run(before);
      database.exec('PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE);');
    };
    remove(now - KEPT_DAYS * 86_400_000);
    const find = database.prepare('SELECT sealed FROM batches WHERE digest = ?');
    const keep = database.prepare('INSERT OR REPLACE INTO batches (digest, at, sealed) VALUES (?, ?, ?)');
    return {
      place: file,
      find: (digest) => guarded(file, () => (find.get(digest) as { sealed: Uint8Array } | undefined)?.sealed),
      keep: (digest, sealed) => guarded(file, () => void keep.run(digest, now, sealed)),
      clear: () => guarded(file, () => remove(Number.MAX_SAFE_INTEGER)),
      close: () => database.close(),
    };
  } catch (cause) {
    throw storageFailure(file, cause);
  }
}

function guarded<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw storageFailure(file, cause);
  }
}

/** SQLite's messages speak of files and disks, never of what stands in them. */
function storageFailure(file: string, cause: unknown): HitError {
  return new HitError('storage-failed', `${file}: ${(cause as Error).message}`, { cause });
}
