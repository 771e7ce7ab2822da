import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { HitError } from '@hitmachine/protocol';
import { SCHEMA_STEPS } from './schema.ts';

/** Milliseconds to wait for another process (an administrator's command) that is writing. */
const BUSY_TIMEOUT_MS = 5_000;
/** Pages of 4096 bytes in the write-ahead log before they are copied into the database: rarely, so that an append is quick. */
const CHECKPOINT_PAGES = 4_000;

/**
 * Opens the database, making it (readable by its owner alone) or bringing its schema up to date where needed.
 *
 * `durable` connections put every commit on stable storage before it counts (`synchronous=FULL`). Others leave that
 * to the next durable commit: what they wrote survives a crash of the process, though not always one of the machine.
 *
 * Throws `storage-failed` with the cause, also for a database of a newer version of this program.
 */
export function openDatabase(path: string, options: { readonly durable: boolean }): DatabaseSync {
  return storing(() => {
    closeSync(openSync(path, 'a', 0o600));
    const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
    try {
      database.exec('PRAGMA journal_mode = WAL');
      database.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
      database.exec(`PRAGMA synchronous = ${options.durable ? 'FULL' : 'NORMAL'}`);
      migrate(database);
    } catch (error) {
      database.close();
      throw error;
    }
    return database;
  });
}

function migrate(database: DatabaseSync): void {
  inTransaction(database, () => {
    const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
    if (version > SCHEMA_STEPS.length)
      throw new HitError('storage-failed', 'the database was made by a newer version of this program');
    for (const step of SCHEMA_STEPS.slice(version)) database.exec(step);
    database.exec(`PRAGMA user_version = ${SCHEMA_STEPS.length}`);
  });
}

/** Runs `work` in one transaction that takes the write lock at once; rolls back when it throws. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // SQLite has rolled back by itself after some errors, a full disk among them.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** Gives whatever SQLite throws our code, with the cause for the log. */
export function storing<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof HitError) throw cause;
    throw new HitError('storage-failed', undefined, { cause });
  }
}
