/** The agency's own log: what it asked, and what it answered. Its content never leaves the agency. */
export type AgencyEvent =
  | {
      readonly event: 'asking';
      readonly lookupKey: string;
      readonly detail: {
        readonly professional: string;
        readonly purpose: string;
        readonly caseReference: string;
        readonly caseSalt: string;
        /** Per person: pseudonyms under the agency's local key, by token type. */
        readonly subjects: readonly Readonly<Record<string, string>>[];
        readonly registers: readonly string[];
      };
    }
  | {
      readonly event: 'asked';
      readonly lookupKey: string;
      readonly detail: {
        readonly lookupId: string | undefined;
        /** Per person, per register: status, or status and reason. */
        readonly outcomes: readonly Readonly<Record<string, string>>[];
        readonly failure: string | undefined;
      };
    }
  | {
      readonly event: 'refused';
      readonly lookupKey: string;
      readonly detail: AnsweredDetail & { readonly reason: string };
    };

/** What a node records of a question before it answers. Says nothing about the person: it does not know. */
export interface AnsweredDetail {
  readonly asker: string;
  readonly purpose: string;
  readonly persons: number;
  readonly registers: readonly string[];
  readonly epoch: number;
  /** The asker's signed request head and signature, for the auditor. */
  readonly evidence: string;
  readonly evidenceSignature: string;
}

/** An entry as it is read back. */
export interface LoggedEvent {
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly event: string;
  readonly lookupKey: string;
  readonly detail: unknown;
}

/**
 * Every method returns only once the entry is durable, and throws `storage-failed` when it cannot be: then nothing
 * may be asked or answered.
 */
export interface AgencyLog {
  append(event: AgencyEvent, now: number): void;
  /**
   * Logs a lookup that is about to be answered and charges the quotas of the day (UTC), in one step. `replayed` when
   * this lookup was answered before; `quota` when the asker would exceed `limit` persons, or all askers together
   * `total`.
   */
  appendAnswered(
    lookupId: Uint8Array,
    detail: AnsweredDetail,
    quota: { readonly limit: number; readonly total: number },
    now: number,
  ): 'logged' | 'replayed' | 'quota';
  /** Entries in order, after `after`, at most `limit`. */
  read(after: number, limit: number): LoggedEvent[];
}
