import type { TraceLink } from '@hitmachine/service';

/** How a lookup of this agency ended, as far as an administrator may know: never what came out of it. */
export type AskedOutcome = 'complete' | 'incomplete' | 'refused' | 'failed';
/** How a question of another agency ended; all that is refused or goes wrong inside an answer stays in it. */
export type AnsweredOutcome = 'answered' | 'refused' | 'session-unknown' | 'rejected';

/** A lookup that this agency put. Times in milliseconds since 1970. */
export interface AskedLookup {
  readonly lookupIds: readonly string[];
  readonly purpose: string;
  readonly start: number;
  readonly end: number;
  readonly outcome: AskedOutcome;
  /** The trace of the system that called for it; it goes no further than this agency's own collector. */
  readonly caller: TraceLink | undefined;
}

/** A question that this agency was asked. */
export interface AnsweredQuestion {
  /** The ticket that came with it, which holds the identifier of the lookup. */
  readonly ticket: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly outcome: AnsweredOutcome;
}

/**
 * What is counted, timed and traced of lookups. Nothing in it depends on a person, a professional, a case or a hit, and
 * nothing that is done with it disturbs a lookup: it neither throws nor waits.
 */
export interface Telemetry {
  asked(lookup: AskedLookup): void;
  answered(question: AnsweredQuestion): void;
}
