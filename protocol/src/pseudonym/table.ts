import type { Random } from '../bytes.ts';
import { HitError } from '../errors.ts';
import { TAG_BYTES, bucketNumber } from './pseudonym.ts';
import type { TableShape } from './size-class.ts';
import { tableShape } from './size-class.ts';

/** One entry of a table that is being built. */
export interface TableEntry {
  readonly bucketHash: number;
  readonly tag: Uint8Array;
}

/** Entries of a table that is being built, gone through more than once where a bucket overflows. */
export type TableEntries = Iterable<TableEntry> & { readonly length: number };

/** The tags of one register, token type and epoch: all buckets one after another, each filled to capacity. */
export interface Table extends TableShape {
  readonly bytes: Uint8Array;
}

/**
 * Lays out a table: each bucket is filled up with random tags and sorted. Tags are pseudorandom, so their order
 * tells nothing, and which of them are real cannot be told. An overflow moves to the next size class; no
 * entry is ever dropped.
 */
export function buildTable(entries: TableEntries, maxBits: number, random: Random): Table {
  for (let skip = 0; ; skip++) {
    const shape = tableShape(entries.length, maxBits, skip);
    const table = fill(entries, shape, random);
    if (table !== undefined) return table;
  }
}

function fill(entries: TableEntries, shape: TableShape, random: Random): Table | undefined {
  const buckets = 2 ** shape.bits;
  const used = new Uint32Array(buckets);
  const tags = new BigUint64Array(buckets * shape.capacity);
  for (const { bucketHash, tag } of entries) {
    const bucket = bucketNumber(bucketHash, shape.bits);
    const position = used[bucket] as number;
    if (position === shape.capacity) return undefined;
    tags[bucket * shape.capacity + position] = new DataView(
      tag.buffer,
      tag.byteOffset,
      TAG_BYTES,
    ).getBigUint64(0);
    used[bucket] = position + 1;
  }
  const bytes = new Uint8Array(tags.length * TAG_BYTES);
  const view = new DataView(bytes.buffer);
  for (let bucket = 0; bucket < buckets; bucket++) {
    const slots = tags.subarray(bucket * shape.capacity, (bucket + 1) * shape.capacity);
    const free = slots.subarray(used[bucket]);
    const padding = random(free.length * TAG_BYTES);
    const source = new DataView(padding.buffer, padding.byteOffset, padding.length);
    for (let i = 0; i < free.length; i++) free[i] = source.getBigUint64(i * TAG_BYTES);
    slots.sort();
    for (let i = 0; i < slots.length; i++)
      view.setBigUint64((bucket * shape.capacity + i) * TAG_BYTES, slots[i] as bigint);
  }
  return { ...shape, bytes };
}

/**
 * The buckets whose numbers begin with a prefix of `bits` bits: a view, one bucket when `bits` are the table's own,
 * the whole table when 0.
 */
export function rangeAt(table: Table, bits: number, prefix: number): Uint8Array {
  if (bits > table.bits || prefix < 0 || prefix >= 2 ** bits)
    throw new HitError('malformed', 'no such bucket');
  const size = table.capacity * TAG_BYTES * 2 ** (table.bits - bits);
  return table.bytes.subarray(prefix * size, (prefix + 1) * size);
}

/** Whether a range of buckets holds a tag. Looks at every tag, so that the time taken does not tell the answer. */
export function rangeHolds(range: Uint8Array, tag: Uint8Array): boolean {
  if (tag.length !== TAG_BYTES || range.length % TAG_BYTES !== 0)
    throw new HitError('malformed', 'a range of buckets is cut off');
  let found = 0;
  for (let at = 0; at < range.length; at += TAG_BYTES) {
    let difference = 0;
    for (let i = 0; i < TAG_BYTES; i++) difference |= (range[at + i] as number) ^ (tag[i] as number);
    found |= ((difference - 1) >>> 31) & 1;
  }
  return found === 1;
}
