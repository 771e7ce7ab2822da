import type { PseudonymPage } from './pseudonym-store.ts';

/** How pseudonyms under some keys become those of the same tokens under others. Scalars are little-endian. */
export interface Move {
  /** The new keys divided by the old ones: what M is multiplied with. */
  readonly factor: Uint8Array;
  /** 1/k_n, where the bucket hash changes because the evaluation key does: what makes E of the new M. */
  readonly unblind?: Uint8Array | undefined;
  /** Whether what is moved is E itself, of which no bucket hash was made yet. */
  readonly isEvaluated?: boolean | undefined;
  /** Takes the mask off stored bucket hashes, and puts the new one on. */
  readonly maskKeys: { readonly from: Uint8Array; readonly to: Uint8Array };
}

/** Makes pseudonyms anew off the thread that answers: a large register takes minutes. */
export interface PseudonymMover {
  /** Pages for which there is something to do at once. */
  readonly atOnce: number;
  move(move: Move, page: PseudonymPage): Promise<PseudonymPage>;
  close(): Promise<void>;
}
