import type { TreeHead } from '@hitmachine/protocol';
import {
  HASH_BYTES,
  HitError,
  TILE_WIDTH,
  TreeBuilder,
  constantTimeEqual,
  tilePath,
} from '@hitmachine/protocol';
import type { ExportFolder, HashTile } from './export-folder.ts';
import type { Findings } from './findings.ts';

const TILE_HEIGHT = 8;

/**
 * Grows the Merkle tree from the hashes of the entries and holds it against the tiles of hashes above them, so that a
 * change can be told to the 256 (or 65,536, ...) entries below a hash even where those of the entries were made anew.
 */
export class TreeCheck {
  readonly #tree = new TreeBuilder();
  readonly #folder: ExportFolder;
  readonly #size: number;
  readonly #findings: Findings;
  /** The tile of each level that was read last. */
  readonly #tiles = new Map<
    number,
    { readonly index: number; readonly hashes: readonly Uint8Array[] | undefined }
  >();
  /** Sizes at which the head is asked for, and the heads. */
  readonly #wanted: ReadonlySet<number>;
  readonly #heads = new Map<number, TreeHead>();

  constructor(folder: ExportFolder, size: number, wanted: Iterable<number>, findings: Findings) {
    this.#folder = folder;
    this.#size = size;
    this.#wanted = new Set(wanted);
    this.#findings = findings;
    this.#note();
  }

  /** Adds the hashes of a bundle's entries, one after another. */
  append(hashes: Uint8Array): void {
    for (let at = 0; at < hashes.length; at += HASH_BYTES) {
      for (const { level, index, hash } of this.#tree.append(hashes.subarray(at, at + HASH_BYTES)))
        if (level > 0 && level % TILE_HEIGHT === 0) this.#compare(level / TILE_HEIGHT, index, hash);
      this.#note();
    }
  }

  head(): TreeHead {
    return this.#tree.head();
  }

  /** The head at one of the sizes that were asked for; undefined beyond the end of the log. */
  headAt(size: number): TreeHead | undefined {
    return this.#heads.get(size);
  }

  #note(): void {
    if (this.#wanted.has(this.#tree.size)) this.#heads.set(this.#tree.size, this.#tree.head());
  }

  #compare(level: number, node: number, hash: Uint8Array): void {
    const index = Math.floor(node / TILE_WIDTH);
    const width = Math.min(TILE_WIDTH, Math.floor(this.#size / TILE_WIDTH ** level) - index * TILE_WIDTH);
    const tile: HashTile = { level, index, width };
    const stored = this.#read(tile)?.[node - index * TILE_WIDTH];
    if (stored === undefined || constantTimeEqual(stored, hash)) return;
    const entries = TILE_WIDTH ** level;
    this.#findings.add({
      check: 'unaltered',
      range: { from: node * entries, to: (node + 1) * entries },
      reason: `these entries do not make the hash that stands for them in ${tilePath(tile)}`,
    });
  }

  #read(tile: HashTile): readonly Uint8Array[] | undefined {
    const known = this.#tiles.get(tile.level);
    if (known?.index === tile.index) return known.hashes;
    let hashes: readonly Uint8Array[] | undefined;
    try {
      hashes = this.#folder.hashes(tile);
    } catch (error) {
      if (!(error instanceof HitError)) throw error;
      this.#findings.add({ check: 'complete', reason: error.detail });
    }
    this.#tiles.set(tile.level, { index: tile.index, hashes });
    return hashes;
  }
}
