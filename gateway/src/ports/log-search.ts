import type { LogEntry, LogEventName } from '@hitmachine/protocol';

/** An entry with its place in the log. */
export interface FoundEntry {
  /** Counted from 0. */
  readonly index: number;
  readonly entry: LogEntry;
}

/** What the entries must fit, all of it at once. */
export interface LogFilter {
  /** Milliseconds since 1970, inclusive. */
  readonly from?: number | undefined;
  /** Milliseconds since 1970, exclusive. */
  readonly to?: number | undefined;
  readonly events?: readonly LogEventName[] | undefined;
  /** The agency that acted: the asker of a lookup, the agency that enrolled. */
  readonly agency?: string | undefined;
  readonly purpose?: string | undefined;
  /** Pseudonym of the professional, as the lookup has it. */
  readonly professional?: string | undefined;
  /** Commitment to the case reference, as the lookup has it. */
  readonly caseCommitment?: string | undefined;
  readonly lookupId?: string | undefined;
  /** One of these lookups. */
  readonly lookupIds?: readonly string[] | undefined;
  /** The agency that an entry is shown to: of an answer the node, of everything else the agency that acted. */
  readonly shownTo?: string | undefined;
  /** Outcome of an answer, or code of a refusal. */
  readonly status?: string | undefined;
  /** Leaves out what agencies ask about registers of their own, several times an hour each, with the answers to it. */
  readonly withoutCanaries?: boolean | undefined;
}

/** How many entries of one day, event, agency, purpose, node and status there are. */
export interface LogFigure {
  /** UTC, yyyy-mm-dd. */
  readonly day: string;
  readonly event: LogEventName;
  readonly agency: string | undefined;
  readonly purpose: string | undefined;
  readonly node: string | undefined;
  readonly status: string | undefined;
  readonly entries: number;
  /** Persons asked about; 0 for what is no lookup. */
  readonly persons: number;
  /** Sum over answers, for a mean. */
  readonly milliseconds: number;
}

/** Reading the log by what stands in it. Reads what is durable, changes nothing. Throws `storage-failed`. */
export interface LogSearch {
  /** The entries that fit, newest first, with an index below `before`, at most `limit`. */
  find(filter: LogFilter, before: number | undefined, limit: number): Promise<readonly FoundEntry[]>;
  /** How many fit. */
  count(filter: LogFilter): Promise<number>;
  /** Figures of the entries that fit, by day. */
  figures(filter: LogFilter): Promise<readonly LogFigure[]>;
}
