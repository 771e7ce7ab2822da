import { STEP } from '../catch-up.ts';
import { SEARCH_COLUMNS, searchRowOf } from '../log-query.ts';
import type { PostgresDatabase, Run } from '@hitmachine/service';
import { SEARCH_LOCK } from './locks.ts';
import { leavesOf } from './log-rows.ts';

/** Entries in the log, and those of them that are in the index: always the first ones, without gaps. */
interface Progress {
  readonly size: number;
  readonly indexed: number;
}

/** What helps to search the log: tables that are made of it, by one gateway at a time. */
export class SearchIndex {
  readonly #database: PostgresDatabase;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  /** Takes in every entry that is in the log when this is called. */
  async catchUp(): Promise<void> {
    const { size, indexed } = await progressOf(this.#database.query);
    for (let now = indexed; now < size;) now = (await this.#takeIn()).indexed;
  }

  /** Takes in at most {@link STEP} entries; gives whether there are more. */
  async step(): Promise<boolean> {
    const { size, indexed } = await progressOf(this.#database.query);
    if (indexed >= size) return false;
    const now = await this.#takeIn();
    return now.indexed < now.size;
  }

  /** Under the lock, because another gateway may have taken in the same meanwhile. */
  #takeIn(): Promise<Progress> {
    return this.#database.transaction([SEARCH_LOCK, NOT_WAITED_FOR], async (run) => {
      const { size, indexed } = await progressOf(run);
      const rows = (await leavesOf(run, indexed, STEP)).map((leaf, i) => searchRowOf(indexed + i, leaf));
      await run(
        INSERT,
        TYPES.map((_, column) => rows.map((row) => row[column])),
      );
      return { size, indexed: indexed + rows.length };
    });
  }
}

/** What a crash takes from the end of the index is taken in once more. */
const NOT_WAITED_FOR = 'SET LOCAL synchronous_commit TO off';

async function progressOf(run: Run): Promise<Progress> {
  const [row] = await run(`SELECT
    coalesce((SELECT first + count FROM bundle ORDER BY first DESC LIMIT 1), 0) AS size,
    coalesce((SELECT max(idx) + 1 FROM search_entry), 0) AS indexed`);
  return { size: Number(row?.['size']), indexed: Number(row?.['indexed']) };
}

const NUMBERS: ReadonlySet<string> = new Set(['idx', 'at', 'persons', 'milliseconds']);
const TYPES = SEARCH_COLUMNS.map((name) => (NUMBERS.has(name) ? 'bigint' : 'text'));
const INSERT = `INSERT INTO search_entry (${SEARCH_COLUMNS.join(', ')})
  SELECT * FROM unnest(${TYPES.map((type, i) => `$${i + 1}::${type}[]`).join(', ')})`;
