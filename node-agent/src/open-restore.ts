import { existsSync, renameSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { HitError } from '@hitmachine/protocol';
import type { AgentDatabase, Run } from './adapters/database.ts';
import { COPIED_TABLES, PUSHED_TABLES, columnsOf, countOf } from './adapters/sql/copied-tables.ts';
import { sqlStateStore } from './adapters/sql/state-store.ts';
import { SqliteAgentDatabase } from './adapters/sqlite/agent-database.ts';
import { sqlitePushedClients } from './adapters/sqlite/pushed-clients.ts';
import type { Config } from './config.ts';
import type { AgentDirectory } from './directory.ts';
import type { BackupManifest } from './domain/running/backup-manifest.ts';
import { backupManifestSchema } from './domain/running/backup-manifest.ts';
import type { BackupRecord, Store } from './open-backup.ts';
import { TABLES_OF, putRecord } from './open-backup.ts';
import { openStores } from './open-stores.ts';

export type FileRecord = Extract<BackupRecord, { type: 'file' }>;

/** The first record of a backup. Throws `backup-invalid` for one that this version cannot take. */
export async function readManifest(records: AsyncGenerator, name: string): Promise<BackupManifest> {
  const value = (await records.next()).value as unknown;
  const { success, data } = backupManifestSchema.safeParse(value);
  const program = (value as { program?: unknown } | undefined)?.program;
  const fits = success && sameTables(data.tables);
  if (fits) return data;
  throw new HitError(
    'backup-invalid',
    `${name}: it was made by ${typeof program === 'string' ? `version ${program}` : 'another version'} of this program, and what it holds does not fit this one: restore it with that version, and upgrade afterwards`,
  );
}

function sameTables(tables: BackupManifest['tables']): boolean {
  return (Object.keys(TABLES_OF) as Store[]).every((store) =>
    Object.entries(tables[store]).every(([name, columns]) => {
      const known = TABLES_OF[store].find((table) => table.name === name);
      return known !== undefined && columnsOf(known).join() === columns.join();
    }),
  );
}

/** Where a backup is read into: nothing of it is an agent's before `finish`. */
export interface RestoreTarget {
  readonly database: AgentDatabase;
  /** Whether what was pushed goes into the database as well. */
  readonly isShared: boolean;
  /** For what was pushed, where the backup has that and it has a file of its own. */
  readonly pushed: SqliteAgentDatabase | undefined;
  /** Makes an agent of what was read. */
  finish(): Promise<void>;
  abandon(): Promise<void>;
}

/** Throws `already-exists` for a database that holds something, and `config-invalid` for one that cannot hold it all. */
export async function openTarget(
  directory: AgentDirectory,
  config: Pick<Config, 'database'>,
  { tables }: BackupManifest,
  ending: string,
): Promise<RestoreTarget> {
  const withPushed = Object.keys(tables.pushed).length > 0;
  const shared = config.database !== undefined;
  const waiting = { ...directory, database: `${directory.database}${ending}` };
  const pushedFile = `${directory.pushed}${ending}`;
  // One that was killed when only this had its name yet: the database, which goes last, still tells of it.
  if (!shared && existsSync(waiting.database)) removeDatabase(directory.pushed);
  for (const file of shared ? [pushedFile] : [pushedFile, waiting.database]) removeDatabase(file);
  const { database } = await openStores(waiting, config);
  if (shared) await requireEmpty(database);
  let pushed: SqliteAgentDatabase | undefined;
  if (withPushed && !shared) {
    sqlitePushedClients(pushedFile).close();
    pushed = new SqliteAgentDatabase(new DatabaseSync(pushedFile));
  }
  const close = async (): Promise<void> => {
    await pushed?.close();
    await database.close();
  };
  let moved = false;
  return {
    database,
    isShared: shared,
    pushed,
    async finish() {
      if (pushed !== undefined) await intoOneFile(pushed);
      if (!shared) await intoOneFile(database);
      await close();
      for (const file of shared ? [] : [pushedFile, waiting.database]) requireNoWal(file);
      if (pushed !== undefined) renameSync(pushedFile, directory.pushed);
      moved = pushed !== undefined;
      // Last, because its presence means that there is an agent.
      if (!shared) renameSync(waiting.database, directory.database);
    },
    async abandon() {
      await close();
      if (moved) removeDatabase(directory.pushed);
      removeDatabase(pushedFile);
      if (!shared) removeDatabase(waiting.database);
    },
  };
}

/**
 * Takes what was written into the file itself. SQLite does so when a file is closed, too, but keeps silent where the disk
 * is too small for that, and what lies beside the file would be left behind under the old name.
 */
async function intoOneFile(database: AgentDatabase): Promise<void> {
  const { rows } = await database.run('PRAGMA wal_checkpoint(TRUNCATE)');
  if (rows[0]?.['busy'] !== 0) throw notInOneFile('another program has it open');
}

function requireNoWal(file: string): void {
  if (existsSync(`${file}-wal`)) throw notInOneFile('its -wal file is still there');
}

const notInOneFile = (why: string): HitError =>
  new HitError(
    'storage-failed',
    `the restored database could not be finished (${why}); nothing was restored. Look at what else uses this directory, and run this again`,
  );

function removeDatabase(file: string): void {
  for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${file}${end}`, { force: true });
}

async function requireEmpty(database: AgentDatabase): Promise<void> {
  for (const table of [...COPIED_TABLES, ...PUSHED_TABLES]) {
    if ((await countOf(database.run, table)) === 0) continue;
    await database.close();
    throw new HitError(
      'already-exists',
      `the PostgreSQL database: there is an agent in it (table ${table.name}); nothing was changed. Make an empty one with createdb, and name it in agent.yaml`,
    );
  }
}

interface TakingIn {
  readonly target: RestoreTarget;
  readonly records: AsyncGenerator;
  /** The record that was read last, and not yet looked at. */
  readonly next: unknown;
  readonly manifest: BackupManifest;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Reads all rows into the target and checks that none is missing. `beforeCommit` runs when all of it is there. Throws
 * `backup-invalid` and leaves nothing.
 */
export async function takeIn(taking: TakingIn, beforeCommit: () => void): Promise<void> {
  const { database, pushed, isShared } = taking.target;
  await database.transaction('import', async (run) => {
    const fill = async (pushedRun: Run | undefined): Promise<void> => {
      await fillStores(taking, { agent: run, pushed: pushedRun });
      await holdBack(run, taking);
      beforeCommit();
    };
    return pushed === undefined ? fill(isShared ? run : undefined) : pushed.transaction('import', fill);
  });
}

async function fillStores(
  { records, next, name }: TakingIn,
  stores: Readonly<Record<Store, Run | undefined>>,
): Promise<void> {
  const invalid = (): HitError => new HitError('backup-invalid', `${name}: it does not hold what it says`);
  let counts: Readonly<Record<string, number>> | undefined;
  const takeOne = async (record: BackupRecord): Promise<void> => {
    if (counts !== undefined) throw invalid();
    if (record.type === 'counts') counts = record.rows;
    else if (record.type === 'rows') {
      const table = TABLES_OF[record.store].find((one) => one.name === record.table);
      const run = stores[record.store];
      if (table === undefined || run === undefined) throw invalid();
      await putRecord(run, table, record);
    } else throw invalid();
  };
  if (next !== undefined) await takeOne(next as BackupRecord);
  for await (const record of records) await takeOne(record as BackupRecord);
  if (counts === undefined) throw invalid();
  for (const store of ['agent', 'pushed'] as const) {
    const run = stores[store];
    if (run === undefined) continue;
    for (const table of store === 'agent' ? COPIED_TABLES : PUSHED_TABLES)
      if ((await countOf(run, table)) !== (counts[`${store}/${table.name}`] ?? 0)) throw invalid();
  }
}

/** Until somebody says that the registers are up to date nothing is answered from what may be old. */
async function holdBack(run: Run, { manifest, now }: TakingIn): Promise<void> {
  const state = sqlStateStore({ run, version: () => Promise.resolve('') });
  await state.setRestored({ takenAt: Date.parse(manifest.takenAt), restoredAt: now });
  await state.setStoppedAnswering({
    since: now,
    reason: `this agent was restored from a backup of ${manifest.takenAt}, and whoever ended, left or was protected since then would be known: import every register again first`,
  });
}
