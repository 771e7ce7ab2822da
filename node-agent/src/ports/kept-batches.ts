/**
 * Finished parts of an import that has not come to its end, so that the next one need not make them again. Lies on the
 * machine that imports. What is kept survives the death of the process; a power cut may take the newest.
 */
export interface KeptBatches {
  /** Where it lies, for people. */
  readonly place: string;
  find(digest: Uint8Array): Uint8Array | undefined;
  keep(digest: Uint8Array, sealed: Uint8Array): void;
  /** Forgets everything: the import has come to its end. */
  clear(): void;
  close(): void;
}
