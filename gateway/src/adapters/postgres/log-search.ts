import type { FoundEntry, LogFigure, LogFilter, LogSearch } from '../../ports/log-search.ts';
import { CatchUp } from '../catch-up.ts';
import type { Query } from '../log-query.ts';
import { countQuery, figureOf, figuresQuery, findQuery, foundEntryOf } from '../log-query.ts';
import type { PostgresDatabase, Row } from '@hitmachine/service';
import { leavesAt } from './log-rows.ts';
import { SearchIndex } from './search-index.ts';

const placeholder = (n: number): string => `$${n}`;

/** Searching the log in PostgreSQL. `database` should be connections that nothing else waits for. */
export class PostgresLogSearch implements LogSearch {
  readonly #database: PostgresDatabase;
  readonly #index: SearchIndex;
  readonly #catchUp = new CatchUp(() => this.#index.step());

  constructor(database: PostgresDatabase) {
    this.#database = database;
    this.#index = new SearchIndex(database);
  }

  async find(filter: LogFilter, before: number | undefined, limit: number): Promise<readonly FoundEntry[]> {
    const rows = await this.#rows(findQuery(placeholder, filter, before, limit));
    const indices = rows.map(({ idx }) => Number(idx));
    const leaves = await leavesAt(this.#database.query, indices);
    return leaves.map((leaf, i) => foundEntryOf({ idx: indices[i], leaf }));
  }

  async count(filter: LogFilter): Promise<number> {
    return Number((await this.#rows(countQuery(placeholder, filter)))[0]?.['entries']);
  }

  async figures(filter: LogFilter): Promise<readonly LogFigure[]> {
    return (await this.#rows(figuresQuery(placeholder, filter))).map(figureOf);
  }

  /** Tells that entries were appended: the index takes them in by and by. */
  noteAppended(): void {
    this.#catchUp.soon();
  }

  /** Lets the index be; the connections are for others to close. */
  stop(): void {
    this.#catchUp.stop();
  }

  async #rows({ text, values }: Query<string | number>): Promise<readonly Row[]> {
    await this.#index.catchUp();
    // In a transaction, because that bounds how long the server works on it.
    return this.#database.transaction([], (run) => run(text, values));
  }
}
