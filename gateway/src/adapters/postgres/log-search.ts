import type { FoundEntry, LogFigure, LogFilter, LogSearch } from '../../ports/log-search.ts';
import type { Query } from '../log-query.ts';
import { countQuery, figureOf, figuresQuery, findQuery, foundEntryOf } from '../log-query.ts';
import type { PostgresDatabase, Row } from './database.ts';

const placeholder = (n: number): string => `$${n}`;

/** Searching the log in PostgreSQL. `database` should be connections that nothing else waits for. */
export class PostgresLogSearch implements LogSearch {
  readonly #database: PostgresDatabase;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  async find(filter: LogFilter, before: number | undefined, limit: number): Promise<readonly FoundEntry[]> {
    return (await this.#rows(findQuery(placeholder, filter, before, limit))).map(foundEntryOf);
  }

  async count(filter: LogFilter): Promise<number> {
    return Number((await this.#rows(countQuery(placeholder, filter)))[0]?.['entries']);
  }

  async figures(filter: LogFilter): Promise<readonly LogFigure[]> {
    return (await this.#rows(figuresQuery(placeholder, filter))).map(figureOf);
  }

  #rows({ text, values }: Query<string | number>): Promise<readonly Row[]> {
    // In a transaction, because that bounds how long the server works on it.
    return this.#database.transaction([], (run) => run(text, values));
  }
}
