import type { Table } from '@hitmachine/protocol';

/** All tables of one epoch, and the state of the registers that they were made from. */
export interface StoredEpoch {
  readonly epoch: number;
  /** The day (Dutch time, yyyy-mm-dd) for which it was made. */
  readonly day: string;
  /** Generation of each register's import. */
  readonly generations: Readonly<Record<string, number>>;
  /** The mark of the node key that they were made with; empty where that was not on record yet. */
  readonly nodeKey: string;
  /** The gateway's evaluation key that they were made with, base64url; empty where that was not on record yet. */
  readonly evaluationKey: string;
  /** The entry of the gateway's log that commits to these tables; an epoch of an older version has none. */
  readonly commitment: Uint8Array | undefined;
  readonly tables: readonly {
    readonly register: string;
    readonly tokenType: string;
    readonly table: Table;
  }[];
}

/**
 * Keeps the one epoch that is answered from. The numbers that are answered from only rise, also over restarts and
 * crashes: the same number with other content would let an asker tell real tags from padding.
 */
export interface EpochStore {
  /**
   * Reserves the next epoch number, durably: above the last that was reserved, at least `now` (milliseconds), so that
   * a database that was put back from a backup cannot hand out a number again, and above `standing`, the one that the
   * log has. Numbers further ahead of `now` than may be committed to, which a clock that ran ahead once reserved, are
   * given up: nothing was answered from them, as long as they are above the epoch that is answered from.
   */
  nextEpoch(now: number, standing?: number): Promise<number>;
  /**
   * Puts an epoch in the place of the one before it, atomically and durably. Refuses, with false, when one of a higher
   * number stands: another replica of this agent has gone on meanwhile.
   */
  switchTo(epoch: StoredEpoch): Promise<boolean>;
  /** The number of the last complete epoch. */
  newest(): Promise<number | undefined>;
  /** The last complete epoch. */
  current(): Promise<StoredEpoch | undefined>;
}
