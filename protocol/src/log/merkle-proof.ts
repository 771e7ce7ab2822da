import { constantTimeEqual } from '../bytes.ts';
import { HitError } from '../errors.ts';
import type { HashReader, NodeId, Sha256, TreeHead } from './merkle.ts';
import {
  EMPTY_ROOT,
  HASH_BYTES,
  foldSubtrees,
  isTreeSize,
  nodeHash,
  readHashes,
  requireTreeSize,
  subtreesOf,
} from './merkle.ts';

/**
 * Proofs of RFC 9162 sections 2.1.3 and 2.1.4. That a proof binds the size of a tree as well as its root is the work
 * of the checkpoint that names both: a head is to be taken from one, never from the one who hands in the proof.
 */

/** Hashes in the longest proof: one a level. The texts of C2SP take no more. */
export const MAX_PROOF_HASHES = 63;

/** The largest power of two that is smaller than `count`, which is at least 2. */
function splitOf(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

/** Reads all ranges of leaves in one go; gives one hash a range. */
async function hashesOfRanges(
  reader: HashReader,
  ranges: readonly (readonly [start: number, end: number])[],
): Promise<Uint8Array[]> {
  const parts: NodeId[][] = ranges.map(([start, end]) => subtreesOf(start, end));
  const hashes = await readHashes(reader, parts.flat());
  let read = 0;
  return parts.map((nodes) => foldSubtrees(hashes.slice(read, (read += nodes.length))));
}

/**
 * That the leaf `index` is in the tree over the first `size` leaves: the hashes beside the way up, from the leaf to
 * the root. Throws `field-invalid` where there is no such leaf.
 */
export async function proveInclusion(reader: HashReader, index: number, size: number): Promise<Uint8Array[]> {
  requireTreeSize(size);
  if (!isTreeSize(index) || index >= size)
    throw new HitError('field-invalid', `there is no entry ${index} among the first ${size} of the log`);
  const beside: [number, number][] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + splitOf(end - start);
    beside.push(index < middle ? [middle, end] : [start, middle]);
    if (index < middle) end = middle;
    else start = middle;
  }
  return hashesOfRanges(reader, beside.reverse());
}

/**
 * That the tree over the first `size` leaves begins with the tree over the first `oldSize`. Empty where one of the
 * two says nothing. Throws `field-invalid` where the old tree is the larger one.
 */
export async function proveConsistency(
  reader: HashReader,
  oldSize: number,
  size: number,
): Promise<Uint8Array[]> {
  requireTreeSize(oldSize);
  requireTreeSize(size);
  if (oldSize > size)
    throw new HitError('field-invalid', `a log of ${size} entries does not begin with one of ${oldSize}`);
  if (oldSize === 0 || oldSize === size) return [];
  const beside: [number, number][] = [];
  let [start, end] = [0, size];
  while (oldSize !== end) {
    const middle = start + splitOf(end - start);
    beside.push(oldSize <= middle ? [middle, end] : [start, middle]);
    if (oldSize <= middle) end = middle;
    else start = middle;
  }
  // What is left is a complete subtree of the old tree; where it is all of it, the verifier knows its hash.
  if (start > 0) beside.push([start, end]);
  return hashesOfRanges(reader, beside.reverse());
}

const isOdd = (value: number): boolean => value % 2 === 1;
const half = (value: number): number => Math.floor(value / 2);
const refuse = (detail: string): never => {
  throw new HitError('log-proof-invalid', detail);
};

function requireHead({ size, root }: TreeHead): void {
  if (!isTreeSize(size) || root.length !== HASH_BYTES) refuse('this cannot be the head of a log');
  if (size === 0 && !constantTimeEqual(root, EMPTY_ROOT)) refuse('an empty log has another root');
}

function requireProof(proof: readonly Uint8Array[]): void {
  if (proof.length > MAX_PROOF_HASHES || proof.some((hash) => hash.length !== HASH_BYTES))
    refuse('a proof has at most 63 hashes of 32 bytes');
}

/**
 * Checks that the entry with this leaf hash is number `index` of a log with this head (RFC 9162 section 2.1.3.2). A runtime
 * may bring a quicker SHA-256. Throws `log-proof-invalid`.
 */
export function verifyInclusion(
  head: TreeHead,
  index: number,
  leaf: Uint8Array,
  proof: readonly Uint8Array[],
  sha256?: Sha256,
): void {
  requireHead(head);
  requireProof(proof);
  if (!isTreeSize(index) || index >= head.size || leaf.length !== HASH_BYTES)
    refuse('the log has no such entry');
  let [node, last, hash] = [index, head.size - 1, leaf];
  for (const beside of proof) {
    if (last === 0) refuse('the proof of an entry has hashes too many');
    if (isOdd(node) || node === last) {
      hash = nodeHash(beside, hash, sha256);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else hash = nodeHash(hash, beside, sha256);
    [node, last] = [half(node), half(last)];
  }
  if (last !== 0 || !constantTimeEqual(hash, head.root))
    refuse('the proof does not show the entry in the log');
}

/**
 * Checks that a log with the head `now` begins with what had the head `old` (RFC 9162 section 2.1.4.2). Throws
 * `log-proof-invalid`, also where `now` is the smaller one.
 */
export function verifyConsistency(old: TreeHead, now: TreeHead, proof: readonly Uint8Array[]): void {
  requireHead(old);
  requireHead(now);
  requireProof(proof);
  if (old.size > now.size) refuse('the log has become shorter');
  if (old.size === 0 || old.size === now.size) {
    if (proof.length > 0) refuse('where nothing is to be proved, the proof is empty');
    if (old.size === now.size && !constantTimeEqual(old.root, now.root))
      refuse('two logs of the same length differ');
    return;
  }
  let [node, last] = [old.size - 1, now.size - 1];
  while (isOdd(node)) [node, last] = [half(node), half(last)];
  // A whole power of two is a subtree of the new tree, so its hash is known and not repeated in the proof.
  const path = node === 0 ? [old.root, ...proof] : proof;
  const [first, ...rest] = path;
  if (first === undefined) return refuse('the proof is empty');
  let [oldHash, hash] = [first, first];
  for (const beside of rest) {
    if (last === 0) refuse('the proof of consistency has hashes too many');
    if (isOdd(node) || node === last) {
      oldHash = nodeHash(beside, oldHash);
      hash = nodeHash(beside, hash);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else hash = nodeHash(hash, beside);
    [node, last] = [half(node), half(last)];
  }
  if (last !== 0 || !constantTimeEqual(oldHash, old.root) || !constantTimeEqual(hash, now.root))
    refuse('the log does not begin with what it was before');
}
