import type { HashReader, NodeId, TreeNode } from '@hitmachine/protocol';

/**
 * Hashes that are kept: some five megabytes, and those of what a busy gateway appends in a minute, which is as often as
 * agents compare their logs with it.
 */
const MOST = 32_768;

/**
 * The hashes of a log that were written or read lately. The hash of a complete subtree never changes; every receipt is
 * made of them, and those of neighbouring entries share most of theirs.
 */
export class KnownHashes {
  readonly #read: HashReader;
  /** The oldest first. */
  readonly #known = new Map<number, Uint8Array>();

  /** `read` is asked for what is not known. */
  constructor(read: HashReader) {
    this.#read = read;
  }

  readonly read: HashReader = async (nodes) => {
    const hashes = nodes.map((node) => this.#known.get(keyOf(node)));
    const unknown = nodes.filter((_, i) => hashes[i] === undefined);
    if (unknown.length > 0) {
      const read = (await this.#read(unknown)).values();
      for (const [i, node] of nodes.entries()) {
        if (hashes[i] !== undefined) continue;
        const hash = read.next().value as Uint8Array;
        hashes[i] = hash;
        this.#keep(keyOf(node), hash);
      }
    }
    return hashes as Uint8Array[];
  };

  /** Takes hashes that stand in the log. */
  learn(nodes: readonly TreeNode[]): void {
    for (const node of nodes) this.#keep(keyOf(node), node.hash);
  }

  #keep(key: number, hash: Uint8Array): void {
    this.#known.set(key, hash);
    if (this.#known.size <= MOST) return;
    for (const oldest of this.#known.keys()) return void this.#known.delete(oldest);
  }
}

/** There are fewer than 64 levels. */
const keyOf = ({ level, index }: NodeId): number => index * 64 + level;
