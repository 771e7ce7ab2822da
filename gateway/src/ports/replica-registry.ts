/** A replica of the gateway, as it tells the others of itself. */
export interface ReplicaRecord {
  /** Its name, new with every start. */
  readonly id: string;
  /** Where its links are taken, `host:port`; undefined for one that takes none. */
  readonly address: string | undefined;
  /** The agencies whose agents are connected to it. */
  readonly agencies: readonly string[];
  /** Counts what this replica has told: one more each time. */
  readonly told: number;
}

/**
 * Where the replicas of a gateway find each other, and which agencies are connected to which.
 *
 * Trusted for: a record that comes back is one that a replica wrote, in every byte; whoever can write to the store
 * can take records away or bring old ones back, but make none. Not trusted for being there or new: a record may be
 * of a replica that died a moment ago. Who is alive is for the reader to tell by records that go on counting.
 *
 * - Deadline: rejects with `storage-failed` within two seconds.
 */
export interface ReplicaRegistry {
  /** Tells of oneself and hears of all, oneself included, in one round trip. */
  meet(self: ReplicaRecord): Promise<readonly ReplicaRecord[]>;
  /** Takes away the records of replicas that are gone. */
  forget(ids: readonly string[]): Promise<void>;
}
