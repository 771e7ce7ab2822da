import type { PersonDescription } from '@hitmachine/protocol';

/** A client as the source holds him or her. */
export interface SourceClient {
  /** Where the row begins, counted from 1: a line of a file, a row of a query. */
  readonly line: number;
  readonly client: PersonDescription;
  /** The agency's own name for this client; never a number of a person. */
  readonly reference?: string | undefined;
  /** The last day on which the client is known, in days since 1970; undefined for one without an end. */
  readonly until?: number | undefined;
  /** Who must never match. */
  readonly isProtected?: boolean | undefined;
}

/** A row of the source: a client, or why there is none in it. */
export type ClientRow = SourceClient | BadSourceRow;

/** A row that is no good. */
export interface BadSourceRow {
  readonly line: number;
  /** Never repeats what stands in the row. */
  readonly problem: string;
  /** As far as it can be read. */
  readonly reference?: string | undefined;
  /** It says that the client is protected, or what it says of that cannot be read: it may not be left out. */
  readonly mayBeProtected?: boolean | undefined;
}

/** Rows one after another: a large register is never in memory as a whole. */
export type ClientRows = AsyncIterable<ClientRow> | Iterable<ClientRow>;
