import type { HashReader, LogEvent, TreeHead } from '@hitmachine/protocol';
import type { Charge } from './quota.ts';

/**
 * What became of an append: it stands, or a quota stopped it and nothing was written. `charge` is the first one that
 * did not fit.
 */
export type AppendResult =
  | {
      readonly type: 'appended';
      /** Its place in the log, counted from 0. */
      readonly index: number;
      /** The bytes of the entry as they stand in the log. */
      readonly leaf: Uint8Array;
    }
  | { readonly type: 'exceeded'; readonly charge: Charge };

/**
 * The audit log: the leaves of a Merkle tree, the tree's inner hashes, and the quota counters that are charged along
 * with the entries.
 *
 * Trusted for: an entry that was appended is there, also after a crash of the process or the machine. Not trusted
 * for leaving it unaltered: that is what the partners' cosignatures and receipts are for.
 *
 * - Durability: `append` resolves only after entry, hashes and charges are on stable storage, in one transaction: all
 *   or nothing. When that cannot be had it rejects with `storage-failed` and nothing of it is stored; the next
 *   append may succeed again.
 * - Patience: an append with `patienceMs` may wait as long for others that share its transaction, which costs about the
 *   same for one entry as for many. One without is written at once, and takes along whoever waits.
 * - Order: entries get their index in the order of the calls, without gaps. Appends that wait together share a
 *   transaction; one that is refused by a quota does not touch the others. Entry times never go back: an entry
 *   gets `at`, or the time of the entry before it if that is later.
 * - Several processes may append to one log where the adapter says so; each sees one order.
 * - Append only: no method changes or removes an entry.
 * - An entry that is too long rejects with `body-too-large`, and touches no other.
 */
export interface AuditLog {
  append(
    at: number,
    event: LogEvent,
    charges?: readonly Charge[],
    patienceMs?: number,
  ): Promise<AppendResult>;
  /** The first charge that would not fit now, without charging anything. A cheap refusal before costly work. */
  exceeded(charges: readonly Charge[]): Promise<Charge | undefined>;
  /** Size and root of the tree over everything that is durable. */
  head(): Promise<TreeHead>;
  /** Hashes of complete subtrees of the durable tree, in one round trip. Throws `not-found` for one that is not. */
  readonly hashes: HashReader;
  /** Leaves from index `from` on, oldest first, at most `count`. */
  leaves(from: number, count: number): Promise<readonly Uint8Array[]>;
  /** Resolves when a record could be stored at this moment; rejects with `storage-failed` otherwise. */
  probe(): Promise<void>;
}
