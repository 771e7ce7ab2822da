/**
 * What one replica of an agent holds at a time, as the database that they share has it. It ends by the clock of the
 * database, so that one that was killed, hangs or cannot reach the database any more keeps the others waiting no longer.
 * Everything throws `storage-failed`.
 */
export interface Lease {
  /** Takes it, or keeps it, for `ms` from now; false while another replica holds it. */
  hold(ms: number): Promise<boolean>;
  /** Gives it back where this replica holds it: another need not wait for its end. */
  release(): Promise<void>;
}
