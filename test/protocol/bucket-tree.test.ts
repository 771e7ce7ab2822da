import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Table } from '@hitmachine/protocol';
import {
  HASH_BYTES,
  TreeBuilder,
  bucketTree,
  checkRange,
  concatBytes,
  leafHash,
  pathOf,
  rangeAt,
  rootOf,
  verifyInclusion,
} from '@hitmachine/protocol';
import { expectCode, seeded } from './support.ts';

const byNode = (first: Uint8Array, second: Uint8Array): Uint8Array =>
  new Uint8Array(createHash('sha256').update(first).update(second).digest());

const tableOf = (bits: number, capacity = 3): Table => ({
  bits,
  capacity,
  bytes: seeded(`table ${bits}`)(capacity * 8 * 2 ** bits),
});
const TABLES = Array.from({ length: 11 }, (_, bits) => tableOf(bits));

/** A table, and one of its ranges. */
const picked = fc
  .record({ bits: fc.integer({ min: 0, max: 10 }), part: fc.nat(10), at: fc.nat(1_023) })
  .map(({ bits, part, at }) => {
    const table = TABLES[bits] as Table;
    const shown = part % (bits + 1);
    const prefix = at % 2 ** shown;
    const tree = bucketTree(table);
    return {
      tree,
      committed: { bits, capacity: table.capacity, root: rootOf(tree) },
      sent: { shown, prefix, range: rangeAt(table, shown, prefix), path: pathOf(tree, shown, prefix) },
    };
  });

describe('the tree over the buckets of a table', () => {
  test('is the tree of RFC 9162, with a bucket a leaf', () => {
    for (const table of TABLES) {
      const { bits } = table;
      const tree = bucketTree(table);
      const builder = new TreeBuilder();
      for (let i = 0; i < 2 ** bits; i++) builder.append(leafHash(rangeAt(table, bits, i)));
      expect(rootOf(tree)).toEqual(builder.head().root);
      for (const i of [0, 2 ** bits - 1, Math.floor(2 ** bits / 3)]) {
        const path = pathOf(tree, bits, i);
        const proof = Array.from({ length: bits }, (_, at) =>
          path.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES),
        );
        verifyInclusion(builder.head(), i, leafHash(rangeAt(table, bits, i)), proof);
      }
    }
  });

  test('is the same with another SHA-256', () => {
    for (const table of TABLES) expect(bucketTree(table, byNode)).toEqual(bucketTree(table));
  });

  test('proves every range of it, with a hash for every bit that is shown', () => {
    fc.assert(
      fc.property(picked, ({ committed, sent }) => {
        expect(sent.path.length).toBe(sent.shown * HASH_BYTES);
        checkRange(committed, sent);
        checkRange(committed, sent, byNode);
      }),
    );
  });

  test('proves nothing else: another byte, place, path, shape or root is refused', () => {
    const flip = (bytes: Uint8Array, at: number): Uint8Array =>
      bytes.map((byte, i) => (i === at % bytes.length ? byte ^ 1 : byte));
    fc.assert(
      fc.property(picked, fc.nat(), ({ committed, sent }, at) => {
        const refused = (change: Partial<typeof sent>, table: Partial<typeof committed> = {}): void =>
          expectCode(
            () => checkRange({ ...committed, ...table }, { ...sent, ...change }),
            'log-proof-invalid',
          );
        refused({ range: flip(sent.range, at) });
        refused({ range: sent.range.slice(8) });
        refused({ range: concatBytes(sent.range, sent.range) });
        refused({ path: concatBytes(sent.path, new Uint8Array(HASH_BYTES)) });
        refused({}, { root: flip(committed.root, at) });
        refused({}, { bits: committed.bits + 1 });
        refused({}, { capacity: committed.capacity + 1 });
        refused({ prefix: sent.prefix + 2 ** sent.shown });
        if (sent.shown > 0) {
          refused({ path: flip(sent.path, at) });
          refused({ path: sent.path.slice(HASH_BYTES) });
          refused({ path: sent.path.slice(1) });
          refused({ prefix: sent.prefix ^ (1 << (at % sent.shown)) });
          refused({ shown: sent.shown - 1 });
        }
      }),
    );
  });

  test('does not take hashes for a bucket, as a tree would that hashed both alike', () => {
    const table = tableOf(1, 8);
    const forged = (sha256?: typeof byNode): Table => {
      const bytes = bucketTree(table, sha256).hashes.slice(2 * HASH_BYTES);
      return { bits: 0, capacity: 8, bytes };
    };
    const alike = (_: Uint8Array, content: Uint8Array): Uint8Array => byNode(new Uint8Array(), content);
    expect(rootOf(bucketTree(forged(alike), alike))).toEqual(rootOf(bucketTree(table, alike)));
    expect(rootOf(bucketTree(forged()))).not.toEqual(rootOf(bucketTree(table)));
  });

  test('has no path for a bucket that is not there', () => {
    const tree = bucketTree(tableOf(3));
    for (const [shown, prefix] of [
      [4, 0],
      [3, 8],
      [2, 4],
      [2, -1],
    ] as const)
      expectCode(() => pathOf(tree, shown, prefix), 'malformed');
  });
});
