import type { MadeWith, StoredPseudonym } from './pseudonym-store.ts';

/**
 * The register of the persons whom this agency has asked about, beside those that are imported: it stands in the
 * pseudonym store, and grows with each lookup (`AgencyLog.appendOpened`). What was gathered under another
 * evaluation key of the gateway goes with the first entry under a new one.
 */
export interface AskedAboutStore {
  /** Token types whose canary is there, under this evaluation key. */
  canaryTypes(evaluationKey: string): Promise<readonly string[]>;
  /** Puts canaries in, by token type, so that the register can be answered from. Atomic and durable. */
  addCanaries(canaries: ReadonlyMap<string, StoredPseudonym>, madeWith: MadeWith, now: number): Promise<void>;
}
