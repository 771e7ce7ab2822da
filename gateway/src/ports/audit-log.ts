import type { DeliveryFailure, DeliveryOutcome, ErrorCode } from '@hitmachine/protocol';
import type { Charge } from './quota.ts';

/** The asker's own signed request: what an auditor checks without trusting the gateway. Base64url. */
export interface Evidence {
  /** RFC 9421 signature base; it holds the digest of the body. */
  readonly base: string;
  readonly signature: string;
  /** SHA-256 of the body. */
  readonly bodyDigest: string;
}

/** What both a lookup and a canary leave behind. Nothing in it is about a person. */
export interface LookupRecord {
  readonly agency: string;
  readonly lookupId: string;
  readonly purpose: string;
  readonly professional: string;
  readonly caseCommitment: string;
  readonly persons: number;
  readonly tokenTypes: readonly string[];
  readonly registers: readonly string[];
  readonly rosterVersion: number;
  readonly evidence: Evidence;
}

/** Everything that the gateway writes down for the auditor: a closed list of events and the fields of each. */
export type AuditEvent =
  | { readonly event: 'agency-invited'; readonly agency: string; readonly again: boolean }
  | { readonly event: 'agency-removed'; readonly agency: string; readonly enrolled: boolean }
  | {
      readonly event: 'enrolment';
      readonly agency: string;
      readonly identityKey: string;
      readonly evidence: Evidence;
    }
  | {
      readonly event: 'registers';
      readonly agency: string;
      readonly registers: readonly string[];
      readonly evidence: Evidence;
    }
  | {
      readonly event: 'evaluation';
      readonly agency: string;
      readonly register: string;
      readonly elements: number;
      readonly evidence: Evidence;
    }
  | ({ readonly event: 'lookup' } & LookupRecord)
  | ({ readonly event: 'canary' } & LookupRecord)
  | {
      readonly event: 'lookup-refused' | 'evaluation-refused';
      readonly agency: string;
      readonly code: ErrorCode;
      readonly evidence: Evidence;
    }
  | {
      readonly event: 'delivery';
      readonly agency: string;
      readonly lookupId: string;
      readonly nodes: readonly {
        readonly node: string;
        /** `abandoned`: the asker went away before there was an outcome. */
        readonly outcome: DeliveryOutcome | DeliveryFailure | 'abandoned';
        readonly milliseconds: number;
      }[];
    };

/** An event as it stands in the log. */
export interface AuditEntry {
  /** Counts up without gaps in the order of commitment. */
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly event: AuditEvent;
}

/**
 * What became of an append: it stands, or a quota stopped it and nothing was written. `charge` is the first one that
 * did not fit.
 */
export type AppendResult =
  | { readonly type: 'appended'; readonly sequence: number }
  | { readonly type: 'exceeded'; readonly charge: Charge };

/**
 * The audit log, with the quota counters that are charged along with its entries.
 *
 * Trusted for: an entry that was appended is there, also after a crash of the process or the machine.
 *
 * - Durability: `append` resolves only after entry and charges are on stable storage, in one transaction: both or
 *   neither. When that cannot be had it rejects with `storage-failed`, and nothing of it is stored.
 * - Order: entries get their sequence in the order of the calls. Appends of one turn of the event loop may share a
 *   transaction; one that is refused by a quota does not touch the others.
 * - Append only: no method changes or removes an entry.
 */
export interface AuditLog {
  append(at: number, event: AuditEvent, charges?: readonly Charge[]): Promise<AppendResult>;
  /** The first charge that would not fit now, without charging anything. A cheap refusal before costly work. */
  exceeded(charges: readonly Charge[]): Promise<Charge | undefined>;
  /** Entries with a sequence above `after`, oldest first, at most `limit`. */
  read(after: number, limit: number): Promise<readonly AuditEntry[]>;
  /** Resolves when a record could be stored at this moment; rejects with `storage-failed` otherwise. */
  probe(): Promise<void>;
}
