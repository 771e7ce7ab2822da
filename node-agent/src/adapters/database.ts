/** What goes into a statement and comes out of it: numbers are whole. */
export type Value = string | number | Uint8Array | null;
/** A row by the names of its columns. */
export type Row = Readonly<Record<string, unknown>>;

export interface Ran {
  readonly rows: readonly Row[];
}

/** Runs one statement, with `$1`, `$2`, … in the places of its values. */
export type Run = (text: string, values?: readonly Value[]) => Promise<Ran>;

/**
 * What several processes want to do one after another, whatever else goes on: `log` writes the agency's own log, `epoch`
 * takes numbers and switches tables, `heads` moves what is known of the gateway's log, `import` writes clients,
 * and `keys` all that is made with them, alone beside `log` and `import`.
 */
export type Order = 'log' | 'epoch' | 'heads' | 'import' | 'keys' | 'push';

/**
 * The database of an agent, for the stores that stand on it; they speak the SQL that SQLite and PostgreSQL share. Other
 * processes may have it open. Everything throws `storage-failed`, with words that never tell what is stored.
 */
export interface AgentDatabase {
  /** One statement by itself, durable once this resolves. */
  readonly run: Run;
  /**
   * Runs `work` in one transaction, alone among those of the same order in all processes, and durable once this resolves.
   * When it throws nothing of it is stored.
   */
  transaction<T>(order: Order, work: (run: Run) => Promise<T>): Promise<T>;
  /** As a transaction; what it removes is then taken out of the files as well, as far as the database can. */
  erase<T>(order: Order, work: (run: Run) => Promise<T>): Promise<T>;
  /** Reads of one and the same moment, however long `work` takes, and while others write. Nothing can be written in it. */
  snapshot<T>(work: (run: Run) => Promise<T>): Promise<T>;
  /** Other whenever another process has written what a running agent must take up: an import, a pin, an order to stop. */
  version(): Promise<string>;
  close(): Promise<void>;
}

/**
 * A statement for any number of rows, each of them written once: a text that is put together anew has to be looked at from
 * its beginning to its end to find the statement that is ready for it.
 */
export function forRows(write: (rows: number) => string): (rows: number) => string {
  const written = new Map<number, string>();
  return (rows) => {
    const known = written.get(rows) ?? write(rows);
    written.set(rows, known);
    return known;
  };
}

/** `($1, $2), ($3, $4)`: places for `rows` rows of `columns` values, behind those that are taken. */
export function places(rows: number, columns: number, taken = 0): string {
  const row = (at: number): string =>
    `(${Array.from({ length: columns }, (_, i) => `$${taken + at * columns + i + 1}`).join(', ')})`;
  return Array.from({ length: rows }, (_, at) => row(at)).join(', ');
}
