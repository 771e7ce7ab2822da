import { closeSync, openSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { HitError } from '@hitmachine/protocol';
import { chainLog } from './chain-log.ts';

/** Each step brings the schema one version further; steps are never changed once released. */
const MIGRATIONS: readonly (string | ((database: DatabaseSync) => void))[] = [
  `
  CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE pins (name TEXT PRIMARY KEY, fingerprint TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE imports (
    register TEXT PRIMARY KEY, generation INTEGER NOT NULL, clients INTEGER NOT NULL, imported_at INTEGER NOT NULL,
    evaluation_key TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  -- Ordered by the pseudonym itself, so that the file does not keep the order in which clients came in.
  CREATE TABLE pseudonyms (
    register TEXT NOT NULL, token_type TEXT NOT NULL, element BLOB NOT NULL, masked_hash INTEGER NOT NULL,
    PRIMARY KEY (register, token_type, element)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE epochs (epoch INTEGER PRIMARY KEY, day TEXT NOT NULL, generations TEXT NOT NULL) STRICT;
  CREATE TABLE tables (
    epoch INTEGER NOT NULL REFERENCES epochs ON DELETE CASCADE, register TEXT NOT NULL, token_type TEXT NOT NULL,
    bits INTEGER NOT NULL, capacity INTEGER NOT NULL, bytes BLOB NOT NULL,
    PRIMARY KEY (epoch, register, token_type)
  ) STRICT;
  CREATE TABLE log (
    sequence INTEGER PRIMARY KEY, at INTEGER NOT NULL, event TEXT NOT NULL, lookup_key TEXT NOT NULL,
    nonce BLOB NOT NULL, sealed BLOB NOT NULL
  ) STRICT;
  -- A lookup is answered once: the replay guard is the log itself.
  CREATE UNIQUE INDEX log_answered ON log (lookup_key) WHERE event = 'answered';
  CREATE TABLE answered_persons (
    day TEXT NOT NULL, agency TEXT NOT NULL, persons INTEGER NOT NULL, PRIMARY KEY (day, agency)
  ) STRICT, WITHOUT ROWID;
  `,
  // The entry of the gateway's log, with its receipt, that commits to the tables of an epoch.
  'ALTER TABLE epochs ADD COLUMN commitment BLOB;',
  // What this agent knows of the gateway's log by itself: heads, alarms, and the receipts of its own lookups.
  `
  CREATE TABLE log_heads (
    name TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE log_pending (
    size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL, source TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (size, root)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE log_alarms (
    number INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL, sealed BLOB NOT NULL,
    resolved_at INTEGER
  ) STRICT;
  CREATE TABLE receipts (
    lookup_id TEXT PRIMARY KEY, at INTEGER NOT NULL, state TEXT NOT NULL, sealed BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX receipts_by_time ON receipts (at);
  CREATE INDEX receipts_kept ON receipts (at) WHERE state = 'kept';
  `,
  chainLog,
  // What opens the outcomes of a lookup, as long as they may be read.
  `
  CREATE TABLE outcome_keys (
    lookup_key TEXT PRIMARY KEY, key BLOB NOT NULL, until TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX outcome_keys_by_day ON outcome_keys (until);
  `,
  // Keys that case systems sent with their requests, so that a request that is sent again asks once.
  `
  CREATE TABLE idempotency_keys (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX idempotency_keys_by_time ON idempotency_keys (at);
  `,
  // With which node key things were made (empty: before it was put on record), and while pseudonyms are made anew with
  // other keys the new ones beside those in use: the rows with a register's own version are its content.
  `
  ALTER TABLE imports ADD COLUMN node_key TEXT NOT NULL DEFAULT '';
  ALTER TABLE imports ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE epochs ADD COLUMN node_key TEXT NOT NULL DEFAULT '';
  ALTER TABLE pseudonyms ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE pseudonyms ADD COLUMN origin BLOB;
  CREATE UNIQUE INDEX pseudonyms_by_origin ON pseudonyms (register, token_type, origin) WHERE origin IS NOT NULL;
  `,
  // The gateway's evaluation key that the tables were made with; empty: its first.
  "ALTER TABLE epochs ADD COLUMN evaluation_key TEXT NOT NULL DEFAULT '';",
];

/**
 * Opens (and if need be makes) the agent's database. Several processes may have it open: the serving agent, an
 * import, a status. Every commit is on the disk before it returns.
 */
export function openDatabase(file: string): DatabaseSync {
  let database: DatabaseSync;
  try {
    // Made here, so that it and the files that SQLite puts beside it are never readable by others, not even at first.
    if (file !== ':memory:') closeSync(openSync(file, 'a', 0o600));
    database = new DatabaseSync(file, { timeout: 10_000 });
    if (file !== ':memory:') opened.set(database, { file, ...identityOf(file) });
    database.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY',
    );
  } catch (cause) {
    throw new HitError(
      'storage-failed',
      `${file}: the database cannot be opened: ${(cause as Error).message}`,
      { cause },
    );
  }
  migrate(database, file);
  return database;
}

/** Opens a copy of an agent's database to look at it; nothing is written. Throws `storage-failed`. */
export function openCopy(file: string): DatabaseSync {
  try {
    const database = new DatabaseSync(file, { readOnly: true });
    if (versionOf(database) === MIGRATIONS.length) return database;
    database.close();
  } catch (cause) {
    throw new HitError('storage-failed', `${file}: this is not the database of an agent`, { cause });
  }
  throw new HitError('storage-failed', `${file}: the database was made by another version of this program`);
}

const versionOf = (database: DatabaseSync): number =>
  (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;

function migrate(database: DatabaseSync, file: string): void {
  const version = (): number => versionOf(database);
  if (version() > MIGRATIONS.length)
    throw new HitError(
      'storage-failed',
      `${file}: the database was made by a newer version of this program; upgrade it`,
    );
  while (version() < MIGRATIONS.length)
    inTransaction(database, () => {
      // Another process may have been first, between our look and our lock.
      const at = version();
      const step = MIGRATIONS[at];
      if (step === undefined) return;
      if (typeof step === 'string') database.exec(step);
      else step(database);
      database.exec(`PRAGMA user_version = ${at + 1}`);
    });
}

/** Which file a database was opened from. One that was moved away or replaced would be written to, and read by nobody. */
const opened = new WeakMap<
  DatabaseSync,
  { readonly file: string; readonly dev: number; readonly ino: number }
>();

function identityOf(file: string): { readonly dev: number; readonly ino: number } {
  const { dev, ino } = statSync(file);
  return { dev, ino };
}

/** Throws `storage-failed` when the file of a database is not there any more, or another one. */
export function requireFile(database: DatabaseSync): void {
  const at = opened.get(database);
  if (at === undefined) return;
  const { file, dev, ino } = at;
  const now = statSync(file, { throwIfNoEntry: false });
  if (now === undefined)
    throw new HitError('storage-failed', `${file}: the database is gone; put it back where it was`);
  if (now.dev !== dev || now.ino !== ino)
    throw new HitError(
      'storage-failed',
      `${file}: this is another file than the one that was opened; restart the agent`,
    );
}

/** Runs `work` in one write transaction. What fails is rolled back whole; the database itself throws `storage-failed`. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  try {
    database.exec('BEGIN IMMEDIATE');
    const result = work();
    requireFile(database);
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isOpen && database.isTransaction) database.exec('ROLLBACK');
    throw asStorageFailure(error);
  }
}

/**
 * Runs work that waits in the transaction that has begun, and ends that: whoever has the connection must let nobody else
 * in meanwhile.
 */
export async function inTransactionAsync<T>(database: DatabaseSync, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    requireFile(database);
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isOpen && database.isTransaction) database.exec('ROLLBACK');
    throw asStorageFailure(error);
  }
}

/** SQLite's messages speak of tables and disks, never of what stands in them. */
export function asStorageFailure(error: unknown): unknown {
  const { code, message } = error as { code?: unknown; message?: string };
  if (code !== 'ERR_SQLITE_ERROR' && code !== 'ERR_INVALID_STATE') return error;
  return new HitError('storage-failed', `the database of the agent: ${message}`, { cause: error });
}
