import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TreeHead } from '@hitmachine/protocol';
import {
  EMPTY_ROOT,
  MAX_PROOF_HASHES,
  TreeBuilder,
  bytesToHex,
  frontierOf,
  hexToBytes,
  leafHash,
  nodeHash,
  proveConsistency,
  proveInclusion,
  treeHeadAt,
  verifyConsistency,
  verifyInclusion,
} from '@hitmachine/protocol';
import { flip, headOf, leafOf, leavesOf, logOf, places } from './log-support.ts';
import { acceptsOrRefuses, expectCode, rejectionOf } from './support.ts';

/** The tree of 8 leaves with which the implementations of Certificate Transparency are tested. */
const KNOWN_LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const KNOWN_ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
/** Size, index from 0, proof. */
const KNOWN_INCLUSION = [
  [1, 0, []],
  [
    8,
    0,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    8,
    5,
    [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [3, 2, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
  [
    5,
    1,
    [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
] as const;
/** Old size, size, proof. */
const KNOWN_CONSISTENCY = [
  [1, 1, []],
  [
    1,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    6,
    8,
    [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [
    2,
    5,
    [
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
] as const;

/** The largest trees that random tests look at: every shape of five levels, and then some. */
const LARGEST = 200;
const log = logOf(leavesOf(LARGEST));

/** MTH of RFC 9162 section 2.1.1, straight from its definition. */
function definition(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return EMPTY_ROOT;
  if (leaves.length === 1) return leafHash(leaves[0] as Uint8Array);
  const split = 2 ** Math.ceil(Math.log2(leaves.length) - 1);
  return nodeHash(definition(leaves.slice(0, split)), definition(leaves.slice(split)));
}

describe('the known answers of Certificate Transparency', () => {
  const known = logOf(KNOWN_LEAVES.map(hexToBytes));

  test('roots of every size', () => {
    expect(known.heads.map(({ root }) => bytesToHex(root))).toEqual(KNOWN_ROOTS);
  });

  test.each(KNOWN_INCLUSION)('in a tree of %i, leaf %i', async (size, index, expected) => {
    const proof = await proveInclusion(known.hashes, index, size);
    expect(proof.map(bytesToHex)).toEqual(expected);
    verifyInclusion(headOf(known, size), index, leafHash(leafOf(known, index)), proof);
  });

  test.each(KNOWN_CONSISTENCY)('from %i leaves to %i', async (old, size, expected) => {
    const proof = await proveConsistency(known.hashes, old, size);
    expect(proof.map(bytesToHex)).toEqual(expected);
    verifyConsistency(headOf(known, old), headOf(known, size), proof);
  });
});

describe('trees', () => {
  test('have the root of the definition, at every size, from stored hashes too', async () => {
    for (const { size, root } of log.heads) {
      expect(root).toEqual(definition(log.leaves.slice(0, size)));
      expect(await treeHeadAt(log.hashes, size)).toEqual({ size, root });
    }
  });

  test('grow on from any size as if they had never stopped', async () => {
    for (const at of [0, 1, 6, 7, 8, 127, 128]) {
      const builder = await TreeBuilder.at(log.hashes, at);
      expect(builder.head()).toEqual(headOf(log, at));
      for (const leaf of log.leaves.slice(at)) builder.append(leafHash(leaf));
      expect(builder.head()).toEqual(headOf(log));
    }
  });

  test('hand out each complete subtree once, with the leaf that completes it', () => {
    const builder = new TreeBuilder();
    const seen = log.leaves.flatMap((leaf, i) => {
      const completed = builder.append(leafHash(leaf));
      for (const { level, index } of completed) expect((index + 1) * 2 ** level).toBe(i + 1);
      return completed.map(({ level, index }) => `${level}/${index}`);
    });
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBe(2 * LARGEST - [...LARGEST.toString(2)].filter((bit) => bit === '1').length);
  });

  test('cost less than two hashes a leaf', () => {
    const builder = new TreeBuilder();
    const one = leafHash(new Uint8Array());
    let nodes = 0;
    for (let i = 0; i < 4_096; i++) nodes += builder.append(one).length;
    expect(nodes).toBe(2 * 4_096 - 1);
  });

  test('refuse a right edge that is not theirs, and sizes that cannot be', () => {
    expectCode(() => new TreeBuilder(3, [EMPTY_ROOT]), 'internal');
    for (const size of [-1, 1.5, 2 ** 53, Number.NaN]) expectCode(() => frontierOf(size), 'field-invalid');
  });
});

describe('proofs', () => {
  test('of inclusion verify, with one read of at most a proof and an edge of hashes', async () => {
    await fc.assert(
      fc.asyncProperty(places(LARGEST), async ({ size, from }) => {
        const index = from % size;
        log.reads.length = 0;
        const proof = await proveInclusion(log.hashes, index, size);
        expect(log.reads.length).toBeLessThanOrEqual(1);
        expect(log.reads[0] ?? 0).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(size)) + 1);
        expect(proof.length).toBeLessThanOrEqual(Math.ceil(Math.log2(size)));
        verifyInclusion(headOf(log, size), index, leafHash(leafOf(log, index)), proof);
      }),
    );
  });

  test('of consistency verify, with one read', async () => {
    await fc.assert(
      fc.asyncProperty(places(LARGEST), async ({ from, to }) => {
        log.reads.length = 0;
        const proof = await proveConsistency(log.hashes, from, to);
        expect(log.reads.length).toBeLessThanOrEqual(1);
        verifyConsistency(headOf(log, from), headOf(log, to), proof);
      }),
    );
  });

  test('of inclusion fail with any bit, place or number of hashes changed', async () => {
    await fc.assert(
      fc.asyncProperty(places(LARGEST), fc.nat(), fc.nat(255), async ({ size, from }, turn, bit) => {
        const index = from % size;
        const head = headOf(log, size);
        const leaf = leafHash(leafOf(log, index));
        const proof = await proveInclusion(log.hashes, index, size);
        const bad = (change: () => void): void => expectCode(change, 'log-proof-invalid');
        bad(() => verifyInclusion({ size, root: flip(head.root, bit) }, index, leaf, proof));
        bad(() => verifyInclusion(head, index, flip(leaf, bit), proof));
        bad(() => verifyInclusion(head, index, leaf, [...proof, head.root]));
        // The root alone does not tell the size, but a tree of twice the leaves has longer ways up.
        bad(() => verifyInclusion({ ...head, size: 2 * size }, index, leaf, proof));
        if (size > 1) {
          bad(() => verifyInclusion(head, (index + 1 + (turn % (size - 1))) % size, leaf, proof));
          bad(() =>
            verifyInclusion(
              head,
              index,
              leaf,
              proof.with(turn % proof.length, flip(proof[turn % proof.length] as Uint8Array, bit)),
            ),
          );
          bad(() => verifyInclusion(head, index, leaf, proof.slice(1)));
          bad(() => verifyInclusion(head, index, leaf, proof.slice(0, -1)));
        }
      }),
    );
  });

  test('of consistency fail with any bit or number of hashes changed, and for another history', async () => {
    const other = logOf([...leavesOf(50), ...leavesOf(LARGEST - 50, 'other')]);
    await fc.assert(
      fc.asyncProperty(places(LARGEST), fc.nat(), fc.nat(255), async ({ from, to }, turn, bit) => {
        const [old, now] = [headOf(log, from), headOf(log, to)];
        const proof = await proveConsistency(log.hashes, from, to);
        const bad = (change: () => void): void => expectCode(change, 'log-proof-invalid');
        bad(() => verifyConsistency(old, now, [...proof, now.root]));
        if (from === 0) return;
        bad(() => verifyConsistency({ ...old, root: flip(old.root, bit) }, now, proof));
        bad(() => verifyConsistency(old, { ...now, root: flip(now.root, bit) }, proof));
        if (from > 50) bad(() => verifyConsistency(headOf(other, from), now, proof));
        if (from === to) return;
        bad(() => verifyConsistency(now, old, proof));
        bad(() =>
          verifyConsistency(
            old,
            now,
            proof.with(turn % proof.length, flip(proof[turn % proof.length] as Uint8Array, bit)),
          ),
        );
        bad(() => verifyConsistency(old, now, proof.slice(1)));
        bad(() => verifyConsistency(old, now, proof.slice(0, -1)));
      }),
    );
  });

  test('are refused with a coded error, whatever comes in', () => {
    const number = fc.oneof(fc.integer(), fc.double(), fc.nat(300));
    const hash = fc.uint8Array({ maxLength: 33 });
    const head: fc.Arbitrary<TreeHead> = fc.record({
      size: number,
      root: fc.oneof(hash, fc.constant(EMPTY_ROOT)),
    });
    const proof = fc.array(hash, { maxLength: 70 });
    fc.assert(
      fc.property(head, head, number, hash, proof, (old, now, index, leaf, hashes) => {
        expectCode(() => verifyInclusion(now, index, leaf, hashes), 'log-proof-invalid');
        const outcome = acceptsOrRefuses(() => verifyConsistency(old, now, hashes));
        // Made-up heads go together only where nothing is to be shown.
        if (outcome !== undefined) expect(old.size === 0 || old.size === now.size).toBe(true);
      }),
    );
  });

  test('end at the largest sizes there are', () => {
    const size = Number.MAX_SAFE_INTEGER;
    const hashes = Array.from({ length: MAX_PROOF_HASHES }, () => EMPTY_ROOT);
    const head = { size, root: EMPTY_ROOT };
    expectCode(() => verifyInclusion(head, size - 1, EMPTY_ROOT, hashes), 'log-proof-invalid');
    expectCode(
      () => verifyConsistency({ size: size - 1, root: EMPTY_ROOT }, head, hashes),
      'log-proof-invalid',
    );
    expect(frontierOf(size).length).toBe(53);
  });

  test('are not made for what is not there', async () => {
    const codes = await Promise.all(
      [
        () => proveInclusion(log.hashes, 5, 5),
        () => proveInclusion(log.hashes, -1, 5),
        () => proveInclusion(log.hashes, 0, 0),
        () => proveConsistency(log.hashes, 6, 5),
        () => proveConsistency(log.hashes, 0.5, 5),
        () => treeHeadAt(log.hashes, -1),
      ].map(async (run) => (await rejectionOf(run)).code),
    );
    expect(new Set(codes)).toEqual(new Set(['field-invalid']));
  });

  test('are not made from hashes that are not complete', async () => {
    const short = () => Promise.resolve([EMPTY_ROOT]);
    expect((await rejectionOf(() => proveInclusion(short, 2, 7))).code).toBe('internal');
    const cut = (nodes: readonly unknown[]) => Promise.resolve(nodes.map(() => new Uint8Array(31)));
    expect((await rejectionOf(() => treeHeadAt(cut, 7))).code).toBe('internal');
  });

  test('of an empty log bind the root of nothing', () => {
    const now = headOf(log, 5);
    verifyConsistency({ size: 0, root: EMPTY_ROOT }, now, []);
    expectCode(() => verifyConsistency({ size: 0, root: now.root }, now, []), 'log-proof-invalid');
    expectCode(() => verifyConsistency(headOf(log, 0), { size: 0, root: now.root }, []), 'log-proof-invalid');
  });
});
