import type { StatementSync } from 'node:sqlite';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { InTurn } from '@hitmachine/service';
import type { AgentDatabase, Order, Ran, Run, Value } from '../database.ts';
import { asStorageFailure, inTransactionAsync, openCopy, openDatabase, requireFile } from './database.ts';

interface Prepared {
  readonly statement: StatementSync;
  readonly givesRows: boolean;
}

/** Another process that writes is waited for in short pieces, between which others get their turn. */
const BUSY_MS = 50;
const PATIENCE_MS = 10_000;
/** SQLITE_BUSY */
const BUSY = 5;

/** Statements that are kept ready; those with lists of values come in many lengths. */
const MAX_PREPARED = 256;

/**
 * {@link AgentDatabase} on SQLite. All work of this process goes over one connection, one after another: what is read
 * beside a transaction sees it done or not begun. Between processes every transaction is in order, whatever its name.
 */
export class SqliteAgentDatabase implements AgentDatabase {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, Prepared>();
  readonly #turns = new InTurn();

  constructor(database: DatabaseSync) {
    this.#database = database;
    database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
  }

  readonly run: Run = (text, values = []) =>
    this.exclusively(() => {
      const { givesRows } = this.#prepare(text);
      const ran = this.#execute(text, values);
      if (!givesRows) requireFile(this.#database);
      return ran;
    });

  transaction<T>(_order: Order, work: (run: Run) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      await patiently(() => this.#database.exec('BEGIN IMMEDIATE'));
      return inTransactionAsync(this.#database, () =>
        work((text, values = []) => Promise.resolve(this.#execute(text, values))),
      );
    });
  }

  async erase<T>(order: Order, work: (run: Run) => Promise<T>): Promise<T> {
    const pragma = (text: string): Promise<void> =>
      this.exclusively(() => this.#database.exec(`PRAGMA ${text}`));
    await pragma('secure_delete = ON');
    try {
      const result = await this.transaction(order, work);
      // What is taken out of the file is overwritten there, and the file of writes under way is emptied. Another process
      // that reads now keeps it from being emptied; then the next writes go over it.
      await pragma('wal_checkpoint(TRUNCATE)');
      return result;
    } finally {
      await pragma('secure_delete = OFF');
    }
  }

  snapshot<T>(work: (run: Run) => Promise<T>): Promise<T> {
    // A connection of its own: what it reads stays as it was, and the other goes on writing.
    return snapshotOf(this.#database.location() ?? '', work);
  }

  async version(): Promise<string> {
    return String((await this.run('PRAGMA data_version')).rows[0]?.['data_version']);
  }

  /** Work on the connection itself, when all before it is done; as often as it takes while another process writes. */
  exclusively<T>(work: (database: DatabaseSync) => T): Promise<T> {
    return this.#inTurn(() => patiently(() => work(this.#database)));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.run(async () => {
      try {
        return await work();
      } catch (error) {
        throw asStorageFailure(error);
      }
    });
  }

  async close(): Promise<void> {
    await this.#turns.settled();
    if (this.#database.isOpen) this.#database.close();
  }

  #execute(text: string, values: readonly Value[]): Ran {
    const { statement, givesRows } = this.#prepare(text);
    if (givesRows) return { rows: statement.all(...values) };
    statement.run(...values);
    return { rows: [] };
  }

  #prepare(text: string): Prepared {
    const known = this.#prepared.get(text);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(text.replace(/\$(\d+)/g, '?$1'));
    const prepared = { statement, givesRows: statement.columns().length > 0 };
    if (this.#prepared.size >= MAX_PREPARED) this.#prepared.clear();
    this.#prepared.set(text, prepared);
    return prepared;
  }
}

/** Reads an SQLite file as it is at one moment, while others write to it. Throws `storage-failed`. */
export async function snapshotOf<T>(file: string, work: (run: Run) => Promise<T>): Promise<T> {
  let opened: DatabaseSync | undefined;
  try {
    opened = new DatabaseSync(file, { readOnly: true, timeout: PATIENCE_MS });
    const reader = new SqliteAgentDatabase(opened);
    await reader.run('BEGIN');
    return await work(reader.run);
  } catch (error) {
    throw asStorageFailure(error);
  } finally {
    opened?.close();
  }
}

/** Tries again, without holding up whoever else waits, while another process writes. */
async function patiently<T>(attempt: () => T): Promise<T> {
  const since = performance.now();
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      const { errcode, cause } = error as { errcode?: unknown; cause?: { errcode?: unknown } };
      const busy = (errcode ?? cause?.errcode) === BUSY;
      if (!busy || performance.now() - since > PATIENCE_MS) throw error;
      await delay(1 + Math.random() * BUSY_MS);
    }
  }
}

/** Opens (and if need be makes) the database file of an agent. Throws `storage-failed`. */
export const openSqlite = (file: string): SqliteAgentDatabase => new SqliteAgentDatabase(openDatabase(file));

/** Opens a copy of an agent's database to look at it; nothing is written. Throws `storage-failed`. */
export const openSqliteCopy = (file: string): SqliteAgentDatabase => new SqliteAgentDatabase(openCopy(file));
