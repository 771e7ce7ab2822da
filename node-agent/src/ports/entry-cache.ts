/**
 * Finished entries of a register, sealed, by a keyed fingerprint of what they were made from: it lies beside the source
 * and never with the agent that answers. It spares work and holds nothing that cannot be made again, so whatever is
 * wrong with it makes it an empty one. Of the entries of before only those stay that were asked for again.
 */
export interface EntryCache {
  /** Where it lies, for people. */
  readonly place: string;
  /** Begins: entries that were made with other keys than `fit` (a digest of them) are left. */
  begin(fit: Uint8Array): void;
  find(fingerprint: Uint8Array): Uint8Array | undefined;
  keep(fingerprint: Uint8Array, sealed: Uint8Array): void;
  /** Puts what was found and kept in the place of what was there, in one step. */
  finish(): void;
  /** Leaves what was there, unless it was finished. */
  close(): void;
}
