import { sha256 } from '@noble/hashes/sha2.js';
import { HitError } from '../errors.ts';

/**
 * The Merkle tree of RFC 9162 section 2.1 (the same as that of RFC 6962), over SHA-256. All hashes are 32 bytes;
 * leaves are numbered from 0; sizes go up to 2^53 − 1. The tree is seen as its complete subtrees: their hashes never
 * change once they are there, so that they can be stored, and every root and proof of every size follows from them.
 */
export const HASH_BYTES = 32;

/** The root of a tree without leaves: the hash of nothing (RFC 9162 section 2.1.1). */
export const EMPTY_ROOT: Uint8Array = sha256(new Uint8Array(0));

/** What a checkpoint says of a log: how many entries, and the root of the tree over them. */
export interface TreeHead {
  readonly size: number;
  readonly root: Uint8Array;
}

/** A complete subtree of 2^level leaves, the index-th of its level from the left. Level 0 are the leaf hashes. */
export interface NodeId {
  readonly level: number;
  readonly index: number;
}

export interface TreeNode extends NodeId {
  readonly hash: Uint8Array;
}

/** Reads the hashes of complete subtrees, in the order asked. Every function here calls it at most once. */
export type HashReader = (nodes: readonly NodeId[]) => Promise<readonly Uint8Array[]>;

/** SHA-256 over two parts, one after the other: a runtime may bring one that is faster than ours. */
export type Sha256 = (first: Uint8Array, second: Uint8Array) => Uint8Array;

/** The one that is used unless another is given. */
export const pureSha256: Sha256 = (first, second) => sha256.create().update(first).update(second).digest();

const LEAF_PREFIX = Uint8Array.of(0);

/** HASH(0x00 || leaf). */
export const leafHash = (leaf: Uint8Array, hash: Sha256 = pureSha256): Uint8Array => hash(LEAF_PREFIX, leaf);

// One buffer for all: a log of a million entries hashes a million pairs.
const leftHalf = new Uint8Array(1 + HASH_BYTES);
leftHalf[0] = 1;

/** HASH(0x01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array, hash: Sha256 = pureSha256): Uint8Array {
  if (left.length !== HASH_BYTES || right.length !== HASH_BYTES)
    throw new HitError('malformed', `a hash of the tree does not have ${HASH_BYTES} bytes`);
  leftHalf.set(left, 1);
  return hash(leftHalf, right);
}

/** Whether a number can be that of the leaves in a tree. */
export const isTreeSize = (size: number): boolean => Number.isSafeInteger(size) && size >= 0;

/** Throws `field-invalid` for what cannot be the size of a tree. */
export function requireTreeSize(size: number): void {
  if (!isTreeSize(size))
    throw new HitError('field-invalid', 'a tree size is a whole number from 0 to 2^53 - 1');
}

/** The complete subtrees, from left to right, that the leaves from `start` up to `end` fall apart into. */
export function subtreesOf(start: number, end: number): NodeId[] {
  const nodes: NodeId[] = [];
  for (let at = start; at < end;) {
    let level = 0;
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= end) level++;
    nodes.push({ level, index: at / 2 ** level });
    at += 2 ** level;
  }
  return nodes;
}

/** The complete subtrees of a tree's right edge: what a {@link TreeBuilder} needs to go on from a size. */
export function frontierOf(size: number): NodeId[] {
  requireTreeSize(size);
  return subtreesOf(0, size);
}

/** The hash of the tree over complete subtrees that stand side by side, the largest on the left. */
export function foldSubtrees(hashes: readonly Uint8Array[], hash: Sha256 = pureSha256): Uint8Array {
  return hashes.length === 0 ? EMPTY_ROOT : hashes.reduceRight((right, left) => nodeHash(left, right, hash));
}

/** Asks a reader, and refuses an answer that does not fit the question. */
export async function readHashes(
  reader: HashReader,
  nodes: readonly NodeId[],
): Promise<readonly Uint8Array[]> {
  if (nodes.length === 0) return [];
  const hashes = await reader(nodes);
  if (hashes.length !== nodes.length || hashes.some((hash) => hash.length !== HASH_BYTES))
    throw new HitError('internal', 'the stored hashes of the log are not complete');
  return hashes;
}

/** The head of the tree over the first `size` leaves. Throws `field-invalid` for an impossible size. */
export async function treeHeadAt(reader: HashReader, size: number): Promise<TreeHead> {
  return { size, root: foldSubtrees(await readHashes(reader, frontierOf(size))) };
}

/**
 * Grows a tree leaf by leaf. Holds only the right edge; what it completes on the way is handed out to be stored.
 * An append costs one hash on average.
 */
export class TreeBuilder {
  #size: number;
  readonly #frontier: Uint8Array[];
  readonly #hash: Sha256;

  /** `frontier`: the hashes of {@link frontierOf} this size, in that order. */
  constructor(size = 0, frontier: readonly Uint8Array[] = [], hash: Sha256 = pureSha256) {
    if (frontierOf(size).length !== frontier.length)
      throw new HitError('internal', `the right edge of a tree of ${size} leaves is not complete`);
    this.#size = size;
    this.#frontier = [...frontier];
    this.#hash = hash;
  }

  /** Goes on from a stored tree. */
  static async at(reader: HashReader, size: number): Promise<TreeBuilder> {
    return new TreeBuilder(size, await readHashes(reader, frontierOf(size)));
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a leaf by its hash; gives the subtrees that are complete with it, the leaf itself first. */
  append(leaf: Uint8Array): TreeNode[] {
    let node: TreeNode = { level: 0, index: this.#size, hash: leaf };
    const completed = [node];
    while (node.index % 2 === 1) {
      const hash = nodeHash(this.#frontier.pop() as Uint8Array, node.hash, this.#hash);
      node = { level: node.level + 1, index: (node.index - 1) / 2, hash };
      completed.push(node);
    }
    this.#frontier.push(node.hash);
    this.#size++;
    return completed;
  }

  /** The complete subtrees of the right edge, from left to right. */
  edge(): TreeNode[] {
    return frontierOf(this.#size).map((node, i) => ({ ...node, hash: this.#frontier[i] as Uint8Array }));
  }

  /** The head of the tree as it is now: a hash a level. */
  head(): TreeHead {
    return { size: this.#size, root: foldSubtrees(this.#frontier, this.#hash) };
  }
}
