/** Takes records in, one after another, and gives them out again in that order: so a source is read only once. */
export interface TokenSpool {
  write(record: Uint8Array): void;
  /** From the first on, as often as one likes. */
  read(): Iterable<Uint8Array>;
  /** Nothing is left of it. */
  close(): void;
}
