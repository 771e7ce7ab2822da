/** A checkpoint that was published: its size and the whole note, with the cosignatures that it got. */
export interface PublishedCheckpoint {
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly note: string;
}

/** What a witness was last seen to sign for. */
export interface WitnessState {
  /** The agency. */
  readonly witness: string;
  /** Entries in the newest checkpoint that it cosigned. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/**
 * The published checkpoints.
 *
 * Trusted for: a checkpoint is stored before anybody gets to see it, so that after a crash the gateway knows what it
 * signed. Losing the newest cosignatures costs nothing: the witnesses are asked again.
 */
export interface Checkpoints {
  /** Stores a checkpoint, or a note with more cosignatures for one that is there. Throws `storage-failed`. */
  save(checkpoint: PublishedCheckpoint): Promise<void>;
  latest(): Promise<PublishedCheckpoint | undefined>;
  /** Keeps what a witness signed for last. Throws `storage-failed`. */
  noteWitness(state: WitnessState): Promise<void>;
  witnesses(): Promise<readonly WitnessState[]>;
}
