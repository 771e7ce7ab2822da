import { HitError } from '../errors.ts';
import { LIMITS } from '../wire/limits.ts';
import { TAG_BYTES } from './pseudonym.ts';

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
type SizeClass = (typeof SIZE_CLASSES)[number];

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

function sizeClass(entries: number, skip = 0): SizeClass {
  const first = SIZE_CLASSES.findIndex((size) => entries <= size.entries);
  const size = first < 0 ? undefined : SIZE_CLASSES[first + skip];
  if (size === undefined)
    throw new HitError('field-invalid', 'a register holds more than 10,000,000 entries');
  return size;
}

/** Bytes that one person is sent of a table: one bucket, which without bits is the whole table. */
const rangeBytes = (size: SizeClass, bits: number): number => bucketCapacity(size.entries, bits) * TAG_BYTES;

/** The fewest bits with which one person is sent at most `room` bytes of a table. */
function bitsToFit(size: SizeClass, room: number): number | undefined {
  for (let bits = 0; bits <= size.bits; bits++) if (rangeBytes(size, bits) <= room) return bits;
  return undefined;
}

/**
 * The shape for a number of entries when a bucket number may show at most `maxBits`.
 * `skip` moves on that many classes: for a table whose bucket overflowed. Throws `field-invalid` beyond the last
 * class, and when an answer could not hold even what one person is sent of the table: nobody could ever ask it.
 */
export function tableShape(entries: number, maxBits: number, skip = 0): TableShape {
  const size = sizeClass(entries, skip);
  const bits = Math.min(size.bits, maxBits);
  if (rangeBytes(size, bits) > LIMITS.answerRanges)
    throw tooLarge(`a table of up to ${size.entries} entries`, bitsToFit(size, LIMITS.answerRanges));
  return { bits, capacity: bucketCapacity(size.entries, bits) };
}

/**
 * How many bits each table of one register may show. A node can count which of its clients fit the bits of a lookup,
 * and where few do, a fit is a hit. So the token types of a register share the bits that the size class of its
 * largest table allows. They are handed out by falling budget, and by name (in the order of its bytes) where
 * budgets are equal; each type takes what its own class and its budget allow and what is left.
 *
 * Of the clients that hold the largest table's type, 62.5 or more are then expected to fit by chance, whatever the
 * size of the register; up to 500 entries all of them fit, since no bits are shown.
 *
 * `entries`: entries of each table, by token type, the canary among them. `budgets`: bits that the federation allows;
 * none for a type that is not in it. Throws `field-invalid` beyond the last size class, and when an answer could
 * not hold what one person is sent of all tables together.
 */
export function shareBits(
  entries: ReadonlyMap<string, number>,
  budgets: Readonly<Record<string, number>>,
): Map<string, number> {
  const tables = [...entries].map(([tokenType, count]) => ({
    tokenType,
    size: sizeClass(count),
    budget: Object.hasOwn(budgets, tokenType) ? (budgets[tokenType] as number) : 0,
  }));
  tables.sort((a, b) => b.budget - a.budget || (a.tokenType < b.tokenType ? -1 : 1));
  let left = Math.max(0, ...tables.map(({ size }) => size.bits));
  const shared = tables.map(({ tokenType, size, budget }) => {
    const bits = Math.min(size.bits, budget, left);
    left -= bits;
    return { tokenType, size, bits, bytes: rangeBytes(size, bits) };
  });
  const excess = shared.reduce((sum, { bytes }) => sum + bytes, 0) - LIMITS.answerRanges;
  if (excess > 0) {
    const largest = shared.reduce((most, table) => (table.bytes > most.bytes ? table : most));
    throw tooLarge(
      `what one person is sent of this register (its tables hold up to ${shared.map(({ size }) => size.entries).join(', ')} entries)`,
      bitsToFit(largest.size, largest.bytes - excess),
      largest.tokenType,
    );
  }
  return new Map(shared.map(({ tokenType, bits }) => [tokenType, bits]));
}

function tooLarge(what: string, needed: number | undefined, tokenType = 'its token type'): HitError {
  const cure =
    needed === undefined
      ? 'more bits for its token types'
      : `${needed} ${needed === 1 ? 'bit' : 'bits'} for ${tokenType}`;
  return new HitError(
    'field-invalid',
    `${what} does not fit into an answer: the federation would have to allow ${cure}`,
  );
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
