import type { PseudonymPage } from './pseudonym-store.ts';

/** The keys with which the stored pseudonyms are to be made anew, without their tokens. */
export interface WantedKeys {
  /** The mark of the node key. */
  readonly nodeKey: string;
  /** Where the gateway's evaluation key changes: from which to which, base64url. The node key is the one in use then. */
  readonly evaluation?: EvaluationChange | undefined;
}

export interface EvaluationChange {
  readonly from: string;
  readonly to: string;
}

/** Makes pseudonyms anew with other keys, in their order. */
export type MakeAnew = (page: PseudonymPage) => Promise<PseudonymPage>;

/** How far a change of keys is. */
export interface KeyChangeProgress {
  readonly done: number;
  readonly total: number;
}

/**
 * With which keys the pseudonyms of an agent are made, and a change of them: every stored pseudonym is made anew beside
 * the one in use, and in one step all new ones take the place of the old ones. Imports and lookups go on meanwhile;
 * {@link bringUp} may be cut off at any point, and called again goes on from there.
 */
export interface KeyChangeStore {
  /** The mark of the node key in use; undefined before it was put on record. */
  nodeKeyInUse(): Promise<string | undefined>;
  /** The evaluation key that pseudonyms are made with, once a change of it was called for. */
  evaluationKeyInUse(): Promise<string | undefined>;
  /** Puts on record, where nothing is, that all there is was made with this node key. */
  adopt(nodeKey: string): Promise<void>;
  wanted(): Promise<WantedKeys | undefined>;
  /** Calls for other keys. Durable. Rejects with `already-exists` when others are called for already. */
  want(wanted: WantedKeys): Promise<void>;
  progress(): Promise<KeyChangeProgress>;
  /**
   * Makes anew what is not yet, of every register; `atOnce` pages at a time. Gives the state of the registers from which
   * it began, for {@link switchTo}.
   */
  bringUp(wanted: WantedKeys, make: MakeAnew, atOnce: number): Promise<Readonly<Record<string, number>>>;
  /**
   * Puts what was made anew in the place of what is in use, for all registers in one durable step. False, and nothing
   * happens, when imports have changed registers since they were in the state `from`, or the change is over. Persons who
   * were asked about since are made anew on the way.
   */
  switchTo(wanted: WantedKeys, from: Readonly<Record<string, number>>, make: MakeAnew): Promise<boolean>;
  /** Whether nothing is left of former keys: neither pseudonyms nor tables. */
  isSettled(): Promise<boolean>;
  /** Removes some of the pseudonyms of former keys. Whether there may be more. */
  removeFormer(): Promise<boolean>;
}
