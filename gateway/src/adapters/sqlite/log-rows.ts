import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { NodeId } from '@hitmachine/protocol';
import { HASH_BYTES, HitError } from '@hitmachine/protocol';
import type { Bundle } from '../bundle.ts';
import { hashNumber, lastLeafOf, noSubtree, unpackLeaves } from '../bundle.ts';

/** The rows of the log, over one connection. Whether within a transaction is up to the caller. */
export class LogRows {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(database: DatabaseSync) {
    this.#statements = prepare(database);
  }

  /** How many entries there are, and the time of the last one. */
  last(): { readonly size: number; readonly at: number } {
    const row = this.#statements.last.get();
    return { size: Number(row?.['size'] ?? 0), at: Number(row?.['at'] ?? 0) };
  }

  insert({ first, count, at, hashStart, hashes, leaves }: Bundle): void {
    this.#statements.insert.run(first, count, at, hashStart, hashes, leaves);
  }

  /** Throws `not-found` for a subtree that is not complete. */
  hash(node: NodeId): Uint8Array {
    const row = this.#statements.hash.get(lastLeafOf(node.level, node.index), hashNumber(node));
    const hash = row?.['hash'] as Uint8Array | undefined;
    if (hash?.length !== HASH_BYTES) throw noSubtree(node);
    return hash;
  }

  /** Entries from index `from` on, at most `count`. */
  leaves(from: number, count: number): Uint8Array[] {
    const leaves: Uint8Array[] = [];
    for (const row of this.#statements.bundles.iterate(from, from + count)) {
      const one = unpacked(row);
      leaves.push(...one.leaves.slice(Math.max(from - one.first, 0), from + count - one.first));
    }
    return leaves;
  }

  /** The entries with these indices, in this order. A row that several of them share, one after another, is read once. */
  leavesAt(indices: readonly number[]): Uint8Array[] {
    let held: Unpacked | undefined;
    return indices.map((index) => {
      let leaf = held?.leaves[index - held.first];
      if (leaf === undefined) {
        const row = this.#statements.bundle.get(index);
        held = row && unpacked(row);
        leaf = held?.leaves[index - held.first];
      }
      if (leaf === undefined) throw new HitError('not-found', `the log has no entry ${index}`);
      return leaf;
    });
  }
}

interface Unpacked {
  readonly first: number;
  readonly leaves: Uint8Array[];
}

function unpacked(row: Record<string, SQLOutputValue>): Unpacked {
  const first = Number(row['first']);
  return {
    first,
    leaves: unpackLeaves({ first, count: Number(row['count']), leaves: row['leaves'] as Uint8Array }),
  };
}

const prepare = (database: DatabaseSync) => ({
  last: database.prepare('SELECT first + count AS size, at FROM bundle ORDER BY first DESC LIMIT 1'),
  insert: database.prepare(
    'INSERT INTO bundle (first, count, at, hash_start, hashes, leaves) VALUES (?, ?, ?, ?, ?, ?)',
  ),
  hash: database.prepare(
    `SELECT substr(hashes, (?2 - hash_start) * ${HASH_BYTES} + 1, ${HASH_BYTES}) AS hash
       FROM bundle WHERE first <= ?1 ORDER BY first DESC LIMIT 1`,
  ),
  bundle: database.prepare(
    'SELECT first, count, leaves FROM bundle WHERE first <= ? ORDER BY first DESC LIMIT 1',
  ),
  bundles: database.prepare(
    `SELECT first, count, leaves FROM bundle
       WHERE first >= coalesce((SELECT max(first) FROM bundle WHERE first <= ?1), 0) AND first < ?2 ORDER BY first`,
  ),
});
