import type { HashReader, NodeId, TreeNode } from '@hitmachine/protocol';

/**
 * Hashes that are kept, and half as many at least: some five megabytes, and those of what a busy gateway appends in a
 * minute, which is as often as agents compare their logs with it.
 */
const MOST = 32_768;

/**
 * The hashes of a log that were written or read lately. The hash of a complete subtree never changes; every receipt is
 * made of them, and those of neighbouring entries share most of theirs.
 */
export class KnownHashes {
  readonly #read: HashReader;
  /** Those of late, and those before them, which are forgotten all at once: a map that is shortened one by one gets slow. */
  #lately = new Map<number, Uint8Array>();
  #before = new Map<number, Uint8Array>();

  /** `read` is asked for what is not known. */
  constructor(read: HashReader) {
    this.#read = read;
  }

  readonly read: HashReader = async (nodes) => {
    const hashes = nodes.map((node) => {
      const key = keyOf(node);
      return this.#lately.get(key) ?? this.#before.get(key);
    });
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
    this.#lately.set(key, hash);
    if (this.#lately.size < MOST / 2) return;
    this.#before = this.#lately;
    this.#lately = new Map();
  }
}

/** There are fewer than 64 levels. */
const keyOf = ({ level, index }: NodeId): number => index * 64 + level;
