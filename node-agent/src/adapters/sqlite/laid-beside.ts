import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { inTransaction } from './database.ts';

/** Rows that are written at once: some tens of milliseconds, in which no lookup can be noted in the log. */
const ROWS = 2_500;
const KEYS_CHANGE = "SELECT 1 AS one FROM state WHERE name IN ('keys-wanted', 'keys-former')";

type Place = readonly [tokenType: string, element: Uint8Array];
const START: Place = ['', new Uint8Array(0)];

/** An import that writes, as `state` notes it. */
interface Writing {
  readonly version: number;
  /** No other import has the same note, whatever its version. */
  readonly note: string;
}

/**
 * A new content of a register that is written beside the one in use, in pieces between which others write: SQLite has one
 * writer at a time, and every lookup is one. Its rows have a version of their own, so nobody sees them until the register
 * has that version, which is one small commit. `state` notes who writes: the next import takes that over, and knows by
 * it that rows of one that was killed are to be removed. It goes only when no such rows are left.
 */
export class LaidBeside {
  readonly #database: DatabaseSync;
  readonly #register: string;
  readonly #name: string;
  #writing: Writing | undefined;
  /** What is written up to here; undefined when that is all. */
  #laid: Place | undefined = START;
  #mayBeWhole = true;
  /** Up to here nothing is left that is not in use; undefined when that is all. */
  #removed: Place | undefined = START;
  #isTakenOver = false;

  constructor(database: DatabaseSync, register: string) {
    this.#database = database;
    this.#register = register;
    this.#name = `import-beside ${register}`;
  }

  /**
   * Removes what an import left that was killed; one that ends at the same time has to do without its rows. One piece, as
   * in all that follows: gives the milliseconds to pause until the next, and undefined when there is none.
   */
  takeOver(): number | undefined {
    if (this.#isTakenOver || (this.#writing === undefined && this.#noted() === undefined)) return undefined;
    const writing = this.#writing;
    if (writing === undefined) return this.#piece(() => this.#begin());
    const pause = this.#removePiece(writing);
    this.#isTakenOver = this.#removed === undefined;
    return pause;
  }

  /**
   * Writes rows of a table beside what is in use, as long as it `holds`. Gives up, without a word, when another import
   * takes over or keys change: then {@link complete} gives nothing.
   */
  lay(table: string, holds: () => boolean): number | undefined {
    const [from, writing] = [this.#laid, this.#writing];
    if (writing === undefined) return this.#piece(() => this.#begin());
    if (from === undefined || !this.#mayBeWhole) return undefined;
    return this.#piece(() => {
      this.#mayBeWhole = this.#mayGoOn(writing) && holds();
      if (!this.#mayBeWhole) return () => undefined;
      const end = this.#endOfPiece(table, '?1 IS NOT NULL', from);
      this.#database
        .prepare(
          `INSERT INTO pseudonyms (register, token_type, element, masked_hash, kept_until, version)
           SELECT ?1, token_type, element, masked_hash, kept_until, ?4 FROM ${table}
           WHERE (token_type, element) > (?2, ?3) ORDER BY token_type, element LIMIT ${ROWS}
           -- One of former keys, which waits to be removed.
           ON CONFLICT DO UPDATE SET masked_hash = excluded.masked_hash, kept_until = excluded.kept_until,
             version = excluded.version, origin = NULL`,
        )
        .run(this.#register, ...from, writing.version);
      return () => {
        this.#laid = end;
        this.#removed = START;
      };
    });
  }

  /** The version that all rows were written with, inside the transaction that switches to it; undefined when there is none. */
  complete(): number | undefined {
    const writing = this.#writing;
    const isWhole = writing !== undefined && this.#laid === undefined && this.#mayBeWhole;
    return isWhole && this.#mayGoOn(writing) ? writing.version : undefined;
  }

  /** Removes what is not in use: what a switch has left behind, or an import that came to no switch. */
  clear(): number | undefined {
    const writing = this.#writing;
    if (writing === undefined) return undefined;
    if (this.#removed !== undefined) return this.#removePiece(writing);
    inTransaction(this.#database, () => {
      if (this.#noted() === writing.note)
        this.#database.prepare('DELETE FROM state WHERE name = ?').run(this.#name);
    });
    this.#writing = undefined;
    return undefined;
  }

  /** Above all versions in use: that of the register, and the one above it, with which rows are made anew for other keys. */
  #begin(): () => void {
    const { n } = this.#database
      .prepare('SELECT coalesce(max(version), 0) AS n FROM imports WHERE register = ?')
      .get(this.#register) as { n: number };
    const version = Math.max(n + 2, Number.parseInt(this.#noted() ?? '0', 10) + 1);
    const writing = { version, note: `${version} ${randomUUID()}` };
    this.#database
      .prepare(
        'INSERT INTO state (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
      )
      .run(this.#name, writing.note);
    return () => (this.#writing = writing);
  }

  #removePiece({ note }: Writing): number | undefined {
    const from = this.#removed;
    if (from === undefined) return undefined;
    // Those with an origin are made anew for other keys.
    const unused = `register = ?1 AND origin IS NULL
      AND version <> coalesce((SELECT version FROM imports WHERE register = ?1), 0)`;
    return this.#piece(() => {
      if (this.#noted() !== note) return () => (this.#removed = undefined);
      const end = this.#endOfPiece('pseudonyms', unused, from);
      const upTo = end === undefined ? '' : 'AND (token_type, element) <= (?4, ?5)';
      this.#database
        .prepare(`DELETE FROM pseudonyms WHERE ${unused} AND (token_type, element) > (?2, ?3) ${upTo}`)
        .run(this.#register, ...from, ...(end ?? []));
      return () => (this.#removed = end);
    });
  }

  /** The last row of a piece behind a place, in the order of pseudonyms; undefined when fewer are left. */
  #endOfPiece(table: string, where: string, from: Place): Place | undefined {
    const row = this.#database
      .prepare(
        `SELECT token_type, element FROM ${table} WHERE ${where} AND (token_type, element) > (?2, ?3)
         ORDER BY token_type, element LIMIT 1 OFFSET ${ROWS - 1}`,
      )
      .get(this.#register, ...from);
    return row === undefined
      ? undefined
      : [row['token_type'] as string, Uint8Array.from(row['element'] as Uint8Array)];
  }

  #mayGoOn({ note }: Writing): boolean {
    return this.#noted() === note && this.#database.prepare(KEYS_CHANGE).get() === undefined;
  }

  #noted(): string | undefined {
    return this.#database.prepare('SELECT value FROM state WHERE name = ?').get(this.#name)?.['value'] as
      string | undefined;
  }

  /**
   * One transaction; what it gives is done when it stands, so that it can be made again. Others get as long a pause as it
   * took.
   */
  #piece(work: () => () => unknown): number {
    const began = performance.now();
    inTransaction(this.#database, work)();
    return performance.now() - began;
  }
}
