/** Computes the tags of a table, off the thread that answers. */
export interface TagComputer {
  /** The 8-byte tags of factor·M for each 32-byte element, concatenated, in order. */
  tags(factor: Uint8Array, prefix: Uint8Array, elements: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}
