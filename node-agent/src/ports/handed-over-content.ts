/** An evaluated element that was handed over, sealed, and its last day (days since 1970). */
export interface SealedElement {
  readonly sealed: Uint8Array;
  readonly until: number | undefined;
}

/** Elements; they are counted beside the source alone. */
export interface HandedOverChange {
  readonly added: number;
  readonly removed: number;
  readonly unchanged: number;
}

/**
 * What was handed over of a register last, beside the source, and what is to be: so that a difference can be told.
 * Whatever is wrong with what was kept makes it nothing, and then everything is handed over.
 */
export interface HandedOverContent {
  /** Begins to gather; what was kept with another `fit` (a digest) counts for nothing. */
  begin(fit: Uint8Array): void;
  /** The content of the register that what is kept became; undefined for none. */
  base(): number | undefined;
  /** One that comes twice stands once, until the later of its ends. */
  put(fingerprint: Uint8Array, one: SealedElement): void;
  /** Those that are new, or have another end, in an order that tells nothing; `all` when there is nothing to compare. */
  added(all: boolean): Iterable<SealedElement>;
  /** Those that are gone, or have another end. */
  removed(): Iterable<SealedElement>;
  /** How many come, go and stay; one whose end changes stays. */
  change(): HandedOverChange;
  /** What was gathered was taken, and became `base`. */
  finish(base: number): void;
  /** Leaves what was there, unless it was finished. */
  close(): void;
}
