import { HitError } from '../errors.ts';

/** The shape of a table: 2^bits buckets of `capacity` tags each. */
export interface TableShape {
  readonly bits: number;
  readonly capacity: number;
}

/**
 * Size classes: how many entries a table may hold, and into how many buckets it is split at most. A register
 * shows its class, not its size. Beyond ten bits fewer than 16,000 residents would share a bucket.
 */
export const SIZE_CLASSES = [
  { entries: 500, bits: 0 },
  { entries: 2_000, bits: 2 },
  { entries: 10_000, bits: 5 },
  { entries: 30_000, bits: 6 },
  { entries: 100_000, bits: 8 },
  { entries: 300_000, bits: 9 },
  { entries: 1_000_000, bits: 10 },
  { entries: 3_000_000, bits: 10 },
  { entries: 10_000_000, bits: 10 },
] as const;

/** The most bits of a bucket hash that one person may show to nodes, over all token types together. */
export const MAX_PREFIX_BITS = 10;

/**
 * Capacity of a bucket for `entries` spread over 2^bits buckets: mean + 6·√mean + 8, rounded up. The chance that
 * any bucket overflows is then below 2^-20 for every class (tested against the exact tail).
 */
export function bucketCapacity(entries: number, bits: number): number {
  if (bits === 0) return entries;
  const mean = entries / 2 ** bits;
  return Math.ceil(mean + 6 * Math.sqrt(mean) + 8);
}

/**
 * The shape for a number of entries when a bucket number may show at most `maxBits`.
 * `skip` moves on that many classes: for a table whose bucket overflowed.
 */
export function tableShape(entries: number, maxBits: number, skip = 0): TableShape {
  const first = SIZE_CLASSES.findIndex((size) => entries <= size.entries);
  const size = first < 0 ? undefined : SIZE_CLASSES[first + skip];
  if (size === undefined)
    throw new HitError('field-invalid', 'a register holds more than 10,000,000 entries');
  const bits = Math.min(size.bits, maxBits);
  return { bits, capacity: bucketCapacity(size.entries, bits) };
}

/**
 * Bits of a bucket number that each person of a lookup may show of a table with `tableBits`. The lookup as a whole
 * shows no more than one person alone would: a node could otherwise try its own households on the buckets of
 * all persons at once, and would know a hit when one fits. Where the ranges that are left would cover the table
 * anyway, nothing is shown and the table goes over the wire once.
 */
export function bitsPerPerson(tableBits: number, persons: number): number {
  const bits = Math.floor(tableBits / persons);
  return persons >= 2 ** bits ? 0 : bits;
}
