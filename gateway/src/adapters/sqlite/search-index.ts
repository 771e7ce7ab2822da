import { closeSync, openSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { constantTimeEqual, foldSubtrees, frontierOf } from '@hitmachine/protocol';
import { STEP } from '../catch-up.ts';
import type { Row } from '../log-query.ts';
import { SEARCH_COLUMNS, searchRowOf } from '../log-query.ts';
import { inTransaction } from './database.ts';
import { LogRows } from './log-rows.ts';

const BUSY_TIMEOUT_MS = 5_000;
/** Of this schema; an index of another one is made anew. */
const VERSION = 1;

const SCHEMA = `
  DROP TABLE IF EXISTS search_entry;
  DROP TABLE IF EXISTS indexed;
  CREATE TABLE search_entry (
    idx             INTEGER PRIMARY KEY,
    at              INTEGER NOT NULL,
    event           TEXT NOT NULL,
    agency          TEXT,
    purpose         TEXT,
    professional    TEXT,
    case_commitment TEXT,
    lookup_id       TEXT,
    node            TEXT,
    status          TEXT,
    persons         INTEGER,
    milliseconds    INTEGER
  ) STRICT;
  CREATE INDEX search_by_time ON search_entry (at);
  CREATE INDEX search_by_event ON search_entry (event);
  CREATE INDEX search_by_agency ON search_entry (agency) WHERE agency IS NOT NULL;
  CREATE INDEX search_by_purpose ON search_entry (purpose) WHERE purpose IS NOT NULL;
  CREATE INDEX search_by_professional ON search_entry (professional) WHERE professional IS NOT NULL;
  CREATE INDEX search_by_case ON search_entry (case_commitment) WHERE case_commitment IS NOT NULL;
  CREATE INDEX search_by_lookup ON search_entry (lookup_id) WHERE lookup_id IS NOT NULL;
  CREATE INDEX search_by_status ON search_entry (status) WHERE status IS NOT NULL;
  -- Of which log this is the index: so many entries, under this root.
  CREATE TABLE indexed (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    size INTEGER NOT NULL,
    root BLOB NOT NULL
  ) STRICT;
  PRAGMA user_version = ${VERSION};
`;

/** The file of the search index of a log. It may be removed while no process uses it: it is made anew of the log. */
export const searchIndexPath = (logPath: string): string => `${logPath}-search`;

/**
 * What helps to search a log, in a file of its own: appending does not wait for it, and no fault in it can harm the log.
 * It is made of the log, and made anew where it is missing, damaged, or not of this log. Several processes may bring
 * it up to date. For a thread that may be kept waiting.
 */
export class SearchIndex {
  readonly #path: string;
  readonly #log: DatabaseSync;
  readonly #rows: LogRows;
  #index: DatabaseSync;

  constructor(logPath: string) {
    this.#path = searchIndexPath(logPath);
    this.#log = new DatabaseSync(logPath, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    this.#rows = new LogRows(this.#log);
    this.#index = openIndex(this.#path);
  }

  /** Rows of the index, which has every entry that was in the log when this was called. */
  search(text: string, values: readonly (string | number)[]): Row[] {
    return this.#whole(() => {
      const { size } = this.#rows.last();
      while (this.#takeIn() && this.#state().size < size);
      return this.#index.prepare(text).all(...values);
    });
  }

  /** The entries with these indices. */
  leaves(indices: readonly number[]): Uint8Array[] {
    return this.#rows.leavesAt(indices);
  }

  /** Takes in at most {@link STEP} entries; gives whether there are more. */
  step(): boolean {
    return this.#whole(() => this.#takeIn());
  }

  #takeIn(): boolean {
    const { size } = this.#rows.last();
    if (this.#state().size === size && this.#isOfThisLog()) return false;
    return inTransaction(this.#index, () => {
      if (!this.#isOfThisLog()) this.#index.exec('DELETE FROM search_entry; DELETE FROM indexed');
      const from = this.#state().size;
      const leaves = this.#rows.leaves(from, STEP);
      const insert = this.#index.prepare(INSERT);
      leaves.forEach((leaf, i) => insert.run(...searchRowOf(from + i, leaf)));
      const to = from + leaves.length;
      this.#index.prepare('INSERT OR REPLACE INTO indexed VALUES (1, ?, ?)').run(to, this.#root(to));
      return to < size;
    });
  }

  #state(): { readonly size: number; readonly root: Uint8Array | undefined } {
    const row = this.#index.prepare('SELECT size, root FROM indexed').get();
    return { size: Number(row?.['size'] ?? 0), root: row?.['root'] as Uint8Array | undefined };
  }

  /** A database that was put back from a backup, or replaced, has other entries where the index has gone on. */
  #isOfThisLog(): boolean {
    const { size, root } = this.#state();
    if (root === undefined) return true;
    return size <= this.#rows.last().size && constantTimeEqual(root, this.#root(size));
  }

  #root(size: number): Uint8Array {
    return foldSubtrees(frontierOf(size).map((node) => this.#rows.hash(node)));
  }

  /** An index that is damaged is made anew, once. */
  #whole<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#index.close();
      this.#index = madeAnew(this.#path);
      return work();
    }
  }
}

const INSERT = `INSERT INTO search_entry (${SEARCH_COLUMNS.join(', ')})
  VALUES (${SEARCH_COLUMNS.map(() => '?').join(', ')})`;

function openIndex(path: string): DatabaseSync {
  try {
    return opened(path);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return madeAnew(path);
  }
}

function madeAnew(path: string): DatabaseSync {
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
  return opened(path);
}

function opened(path: string): DatabaseSync {
  closeSync(openSync(path, 'a', 0o600));
  const index = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    // Whatever a crash takes from the end of it is taken in once more.
    index.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    inTransaction(index, () => {
      if (Number(index.prepare('PRAGMA user_version').get()?.['user_version']) !== VERSION)
        index.exec(SCHEMA);
    });
  } catch (error) {
    index.close();
    throw error;
  }
  return index;
}

/** https://sqlite.org/rescode.html: `CORRUPT` and `NOTADB`. */
const isDamage = (error: unknown): boolean =>
  [11, 26].includes(Number((error as { errcode?: unknown }).errcode) % 256);
