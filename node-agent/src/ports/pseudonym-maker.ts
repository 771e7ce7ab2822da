import type { PseudonymPage } from './pseudonym-store.ts';

/** The gateway's half: k_g times each of some concatenated blinded elements, with the proof. */
export type Evaluate = (
  elements: Uint8Array,
) => Promise<{ readonly evaluated: Uint8Array; readonly proof: Uint8Array }>;

/** Makes pseudonyms of encoded tokens with the gateway's help. */
export interface PseudonymMaker {
  /** How many batches it takes at once, so that the gateway computes while this side does. */
  readonly atOnce: number;
  /**
   * The pseudonyms of tokens, in their order, with their bucket hashes masked. Throws `proof-invalid` for an evaluation
   * that is not proven, and what `evaluate` throws.
   */
  make(tokens: readonly Uint8Array[], evaluate: Evaluate): Promise<PseudonymPage>;
  close(): Promise<void>;
}
