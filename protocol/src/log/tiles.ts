import { HitError } from '../errors.ts';
import { concatBytes, uintToBytes } from '../bytes.ts';
import { MAX_ENTRY_BYTES } from './entry.ts';
import type { HashReader, NodeId } from './merkle.ts';
import { HASH_BYTES, foldSubtrees, requireTreeSize } from './merkle.ts';

/**
 * The files in which a log is laid out for others to read (C2SP tlog-tiles): tiles of 256 hashes, and bundles of 256
 * entries. A full tile never changes; only the last of a level is partial.
 */
export const TILE_WIDTH = 256;
const TILE_HEIGHT = 8;

/** One file: hashes of subtrees of 256^level leaves, or the entries themselves. */
export interface Tile {
  readonly level: number | 'entries';
  /** The index-th tile of its level. */
  readonly index: number;
  /** Hashes or entries in it, 1 to 256. */
  readonly width: number;
}

const malformed = (detail: string): HitError => new HitError('malformed', detail);

/** `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`. */
export function tilePath({ level, index, width }: Tile): string {
  requireTreeSize(index);
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) as string[];
  const path = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/');
  return `tile/${level}/${path}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

/** Strict inverse of {@link tilePath}. Throws `malformed`. */
export function parseTilePath(path: string): Tile {
  const [, level, groups, width] =
    /^tile\/(entries|\d|[1-5]\d|6[0-3])\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path) ?? [];
  if (level === undefined || groups === undefined) throw malformed('this is not the path of a tile');
  const tile: Tile = {
    level: level === 'entries' ? level : Number(level),
    index: Number(groups.replaceAll(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  };
  // Refuses leading groups of zeroes, numbers that are too large, and `.p/256` and above.
  if (!Number.isSafeInteger(tile.index) || tile.width > TILE_WIDTH || tilePath(tile) !== path)
    throw malformed('the path of a tile is not in its one form');
  return tile;
}

/** The tiles of one level (or the bundles of entries) that a log of `size` entries has, from the left. */
export function* tilesOfLevel(level: number | 'entries', size: number): Generator<Tile, void> {
  requireTreeSize(size);
  const nodes = Math.floor(size / TILE_WIDTH ** (level === 'entries' ? 0 : level));
  for (let index = 0; index * TILE_WIDTH < nodes; index++)
    yield { level, index, width: Math.min(TILE_WIDTH, nodes - index * TILE_WIDTH) };
}

/** All tiles of hashes that a log of `size` entries has, level by level, each from the left. */
export function* tilesOf(size: number): Generator<Tile & { level: number }, void> {
  for (let level = 0; TILE_WIDTH ** level <= size; level++)
    yield* tilesOfLevel(level, size) as Generator<Tile & { level: number }, void>;
}

/** The complete subtrees whose hashes a tile holds, in its order. */
export function nodesOfTile({ level, index, width }: Tile & { level: number }): NodeId[] {
  return Array.from({ length: width }, (_, i) => ({
    level: level * TILE_HEIGHT,
    index: index * TILE_WIDTH + i,
  }));
}

/** The bytes of a tile of hashes. */
export const encodeTile = (hashes: readonly Uint8Array[]): Uint8Array => concatBytes(...hashes);

/** The hashes of a tile of a known width. Throws `malformed`. */
export function decodeTile(bytes: Uint8Array, width: number): Uint8Array[] {
  if (bytes.length !== width * HASH_BYTES)
    throw malformed(`a tile of ${width} hashes has ${width * HASH_BYTES} bytes, not ${bytes.length}`);
  return Array.from({ length: width }, (_, i) => bytes.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES));
}

/** The bytes of a bundle of entries, each with its two-byte length in front. Throws `body-too-large`. */
export function encodeEntries(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.some((leaf) => leaf.length > MAX_ENTRY_BYTES))
    throw new HitError('body-too-large', `an entry of the log has at most ${MAX_ENTRY_BYTES} bytes`);
  return concatBytes(...leaves.flatMap((leaf) => [uintToBytes(leaf.length, 2), leaf]));
}

/** The entries of a bundle of a known width. Throws `malformed`. */
export function decodeEntries(bytes: Uint8Array, width: number): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const leaves: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length && leaves.length < width) {
    const end = at + 2 <= bytes.length ? at + 2 + view.getUint16(at) : Infinity;
    if (end > bytes.length) throw malformed('a bundle of entries is cut off');
    leaves.push(bytes.slice(at + 2, end));
    at = end;
  }
  if (leaves.length !== width || at !== bytes.length)
    throw malformed(`a bundle does not hold exactly ${width} entries`);
  return leaves;
}

/** The tile of a log of `size` entries that a complete subtree can be computed from, and where in it. */
export function tileOfNode(node: NodeId, size: number): { tile: Tile & { level: number }; first: number } {
  const level = Math.floor(node.level / TILE_HEIGHT);
  const first = node.index * 2 ** (node.level - level * TILE_HEIGHT);
  const index = Math.floor(first / TILE_WIDTH);
  const nodes = Math.floor(size / TILE_WIDTH ** level);
  const tile = { level, index, width: Math.min(TILE_WIDTH, nodes - index * TILE_WIDTH) };
  return { tile, first: first - index * TILE_WIDTH };
}

/**
 * Reads hashes from the tiles of a log of `size` entries. `readTile` gives a tile's bytes and is asked once a tile. The
 * tiles are taken as they are: what comes out holds only where a proof or a root made of it is checked.
 */
export function tileHashReader(
  size: number,
  readTile: (tile: Tile & { level: number }) => Promise<Uint8Array>,
): HashReader {
  requireTreeSize(size);
  return async (nodes) => {
    const places = nodes.map((node) => ({ node, ...tileOfNode(node, size) }));
    const tiles = new Map<string, Promise<Uint8Array[]>>();
    for (const { tile } of places) {
      const path = tilePath(tile);
      if (!tiles.has(path))
        tiles.set(
          path,
          readTile(tile).then((bytes) => decodeTile(bytes, tile.width)),
        );
    }
    return Promise.all(
      places.map(async ({ node, tile, first }) => {
        const hashes = (await tiles.get(tilePath(tile))) as Uint8Array[];
        return completeRoot(hashes.slice(first, first + 2 ** (node.level % TILE_HEIGHT)));
      }),
    );
  };
}

/** The root over a power of two of hashes. */
function completeRoot(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length <= 1) return foldSubtrees(hashes);
  const middle = hashes.length / 2;
  return foldSubtrees([completeRoot(hashes.slice(0, middle)), completeRoot(hashes.slice(middle))]);
}
