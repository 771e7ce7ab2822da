import fc from 'fast-check';
import type { HashReader, NodeId, Tile, TreeHead } from '@hitmachine/protocol';
import {
  TreeBuilder,
  encodeTile,
  formatReceipt,
  leafHash,
  nodesOfTile,
  proveInclusion,
  signCheckpoint,
  tilesOf,
  utf8ToBytes,
} from '@hitmachine/protocol';
import { seeded, sodium } from './support.ts';

export const ORIGIN = 'waalstad.hitmachine/log';
export const LOG_SEED = seeded('log of proofs')(32);
export const LOG_KEY = { origin: ORIGIN, publicKey: sodium.signatures.publicKey(LOG_SEED) };

/** A log in memory: its hashes by place, and the head that it had at every size. */
export interface MemoryLog {
  readonly leaves: readonly Uint8Array[];
  readonly heads: readonly TreeHead[];
  readonly hashes: HashReader;
  /** How often {@link hashes} was asked, and for how many nodes. */
  readonly reads: number[];
}

const keyOf = ({ level, index }: NodeId): string => `${level}/${index}`;

export function logOf(leaves: readonly Uint8Array[]): MemoryLog {
  const nodes = new Map<string, Uint8Array>();
  const reads: number[] = [];
  const builder = new TreeBuilder();
  const heads = [builder.head()];
  for (const leaf of leaves) {
    for (const node of builder.append(leafHash(leaf))) nodes.set(keyOf(node), node.hash);
    heads.push(builder.head());
  }
  const hashes: HashReader = (asked) => {
    reads.push(asked.length);
    return Promise.resolve(
      asked.map((node) => {
        const hash = nodes.get(keyOf(node));
        if (hash === undefined) throw new Error(`no complete subtree ${keyOf(node)}`);
        return hash;
      }),
    );
  };
  return { leaves, heads, hashes, reads };
}

/** Leaves that look like entries. */
export const leavesOf = (count: number, label = 'entry'): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => utf8ToBytes(JSON.stringify({ at: i, event: label })));

export const headOf = (log: MemoryLog, size = log.leaves.length): TreeHead => log.heads[size] as TreeHead;
export const leafOf = (log: MemoryLog, index: number): Uint8Array => log.leaves[index] as Uint8Array;

/** The log's own checkpoint of a size. */
export const checkpointOf = (log: MemoryLog, size = log.leaves.length): string =>
  signCheckpoint(sodium, LOG_SEED, ORIGIN, headOf(log, size));

export async function receiptOf(log: MemoryLog, index: number, size = log.leaves.length): Promise<string> {
  const proof = await proveInclusion(log.hashes, index, size);
  return formatReceipt({ index, proof, checkpoint: checkpointOf(log, size) });
}

/** The bytes of a tile of the log. */
export const tileOf = async (log: MemoryLog, tile: Tile & { level: number }): Promise<Uint8Array> =>
  encodeTile(await log.hashes(nodesOfTile(tile)));

/** The files of all tiles. */
export async function tileFilesOf(log: MemoryLog) {
  return Promise.all(
    [...tilesOf(log.leaves.length)].map(async (tile) => ({ tile, bytes: await tileOf(log, tile) })),
  );
}

/** The same bytes with one bit changed. */
export function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const changed = bytes.slice();
  changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
  return changed;
}

/** Numbers in a log: its size, and two places from 0 up to it, the first the smaller. */
export const places = (maximum: number): fc.Arbitrary<{ size: number; from: number; to: number }> =>
  fc
    .tuple(fc.integer({ min: 1, max: maximum }), fc.nat(), fc.nat())
    .map(([size, a, b]) => [size, a % (size + 1), b % (size + 1)] as const)
    .map(([size, a, b]) => ({ size, from: Math.min(a, b), to: Math.max(a, b) }));
