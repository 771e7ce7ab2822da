import { constantTimeEqual } from '../bytes.ts';
import { HitError } from '../errors.ts';
import { TAG_BYTES } from '../pseudonym/pseudonym.ts';
import type { Table } from '../pseudonym/table.ts';
import type { TableShape } from '../pseudonym/size-class.ts';
import type { Sha256 } from './merkle.ts';
import { HASH_BYTES, pureSha256 } from './merkle.ts';

/**
 * The Merkle tree over the buckets of one table, hashed as in RFC 9162 section 2.1.1: a leaf is a bucket, all its
 * tags one after another. There are 2^bits buckets, so that the tree is complete, and the buckets that begin with the
 * same bits of a bucket number are a subtree: whoever is sent them needs one hash for each of those bits to come to
 * the root.
 */
export interface BucketTree {
  readonly bits: number;
  /** 32 bytes each; the root is number 1, the parts of number n are 2n and 2n + 1, the buckets begin at 2^bits. */
  readonly hashes: Uint8Array;
}

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** Hashes of 2^levels buckets that stand one after another, in the order of {@link BucketTree}. */
function hashesOf(buckets: Uint8Array, levels: number, sha256: Sha256): Uint8Array {
  const count = 2 ** levels;
  const size = buckets.length / count;
  const hashes = new Uint8Array(2 * count * HASH_BYTES);
  for (let i = 0; i < count; i++)
    hashes.set(sha256(LEAF, buckets.subarray(i * size, (i + 1) * size)), (count + i) * HASH_BYTES);
  for (let n = count - 1; n >= 1; n--)
    hashes.set(sha256(NODE, hashes.subarray(2 * n * HASH_BYTES, (2 * n + 2) * HASH_BYTES)), n * HASH_BYTES);
  return hashes;
}

/** The tree over a table. `sha256` may be a faster one than that of this package; the bytes are the same. */
export function bucketTree({ bits, bytes }: Table, sha256: Sha256 = pureSha256): BucketTree {
  return { bits, hashes: hashesOf(bytes, bits, sha256) };
}

/** What a node commits to: 32 bytes. */
export function rootOf({ hashes }: BucketTree): Uint8Array {
  return hashes.slice(HASH_BYTES, 2 * HASH_BYTES);
}

/**
 * The path of the buckets whose numbers begin with a prefix of `shown` bits: the hashes beside the way up, `shown` of
 * them, from the range to the root. None when the range is the whole table.
 */
export function pathOf({ bits, hashes }: BucketTree, shown: number, prefix: number): Uint8Array {
  if (shown > bits || prefix < 0 || prefix >= 2 ** shown) throw new HitError('malformed', 'no such bucket');
  const path = new Uint8Array(shown * HASH_BYTES);
  for (let n = 2 ** shown + prefix, at = 0; n > 1; n = Math.floor(n / 2), at += HASH_BYTES) {
    const beside = n ^ 1;
    path.set(hashes.subarray(beside * HASH_BYTES, (beside + 1) * HASH_BYTES), at);
  }
  return path;
}

/** A table as it was committed to. */
export interface CommittedTable extends TableShape {
  readonly root: Uint8Array;
}

/** Buckets that somebody was sent: those whose numbers begin with `prefix`, of `shown` bits. */
export interface SentRange {
  readonly shown: number;
  readonly prefix: number;
  readonly range: Uint8Array;
  readonly path: Uint8Array;
}

/**
 * Checks that a range is these very buckets of the committed table. Throws `log-proof-invalid`, saying what does not
 * fit: the shape, or the content.
 */
export function checkRange(
  table: CommittedTable,
  { shown, prefix, range, path }: SentRange,
  sha256: Sha256 = pureSha256,
): void {
  const levels = table.bits - shown;
  if (
    levels < 0 ||
    prefix >= 2 ** shown ||
    range.length !== table.capacity * TAG_BYTES * 2 ** levels ||
    path.length !== shown * HASH_BYTES
  )
    throw new HitError('log-proof-invalid', 'the buckets are not of the shape that was committed to');
  let hash = hashesOf(range, levels, sha256).subarray(HASH_BYTES, 2 * HASH_BYTES);
  const both = new Uint8Array(2 * HASH_BYTES);
  for (let n = 2 ** shown + prefix, at = 0; n > 1; n = Math.floor(n / 2), at += HASH_BYTES) {
    both.set(hash, n % 2 === 0 ? 0 : HASH_BYTES);
    both.set(path.subarray(at, at + HASH_BYTES), n % 2 === 0 ? HASH_BYTES : 0);
    hash = sha256(NODE, both);
  }
  if (!constantTimeEqual(hash, table.root))
    throw new HitError('log-proof-invalid', 'the buckets are not those that were committed to');
}
