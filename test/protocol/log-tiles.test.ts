import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  MAX_ENTRY_BYTES,
  TILE_WIDTH,
  concatBytes,
  decodeEntries,
  decodeTile,
  encodeEntries,
  encodeTile,
  leafHash,
  parseTilePath,
  proveConsistency,
  proveInclusion,
  tileHashReader,
  tilePath,
  tilesOf,
  tilesOfLevel,
  treeHeadAt,
  verifyInclusion,
} from '@hitmachine/protocol';
import { flip, headOf, leafOf, leavesOf, logOf, tileFilesOf, tileOf } from './log-support.ts';
import { acceptsOrRefuses, expectCode, rejectionOf } from './support.ts';

const log = logOf(leavesOf(700));

describe('paths of tiles', () => {
  test.each([
    [{ level: 0, index: 0, width: 256 }, 'tile/0/000'],
    [{ level: 0, index: 1_234_067, width: 256 }, 'tile/0/x001/x234/067'],
    [{ level: 1, index: 999, width: 17 }, 'tile/1/999.p/17'],
    [{ level: 63, index: 1_000, width: 255 }, 'tile/63/x001/000.p/255'],
    [{ level: 'entries', index: 273, width: 112 }, 'tile/entries/273.p/112'],
    [{ level: 0, index: Number.MAX_SAFE_INTEGER, width: 256 }, 'tile/0/x009/x007/x199/x254/x740/991'],
  ] as const)('%j is at %s', (tile, path) => {
    expect(tilePath(tile)).toBe(path);
    expect(parseTilePath(path)).toEqual(tile);
  });

  test.each([
    '',
    'tile/0',
    'tile/0/0',
    'tile/00/000',
    'tile/64/000',
    'tile/0/x000/001',
    'tile/0/1234',
    'tile/0/001/002',
    'tile/0/x001',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/012',
    'tile/0/000.p/',
    'tile/data/000',
    'tile/-1/000',
    'tile/0/000/',
    '/tile/0/000',
    'tile/0/000?x',
    'tile/0/x999/x999/x999/x999/x999/999',
  ])('%j is none', (path) => expectCode(() => parseTilePath(path), 'malformed'));

  test('have one form', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.nat(63), fc.constant('entries' as const)),
        fc.maxSafeNat(),
        fc.integer({ min: 1, max: TILE_WIDTH }),
        fc.nat(60),
        fc.constantFrom('0', '1', 'x', '/', '.p/', ''),
        (level, index, width, at, added) => {
          const path = tilePath({ level, index, width });
          expect(parseTilePath(path)).toEqual({ level, index, width });
          const other = path.slice(0, at) + added + path.slice(at + 1);
          const outcome = acceptsOrRefuses(() => tilePath(parseTilePath(other)));
          if (outcome !== undefined) expect(outcome.value).toBe(other);
        },
      ),
    );
  });
});

describe('the tiles of a log', () => {
  test('of 70,000 and of 256 entries are those of the specification', () => {
    const tiles = [...tilesOf(70_000)];
    const full = (level: number) =>
      tiles.filter((tile) => tile.level === level && tile.width === TILE_WIDTH).length;
    const partial = tiles.filter(({ width }) => width < TILE_WIDTH).map(({ level, width }) => [level, width]);
    expect([full(0), full(1), full(2)]).toEqual([273, 1, 0]);
    expect(partial).toEqual([
      [0, 112],
      [1, 17],
      [2, 1],
    ]);
    expect([...tilesOf(256)].map(tilePath)).toEqual(['tile/0/000', 'tile/1/000.p/1']);
    expect([...tilesOf(0)]).toEqual([]);
    expect([...tilesOfLevel('entries', 600)].map(tilePath)).toEqual([
      'tile/entries/000',
      'tile/entries/001',
      'tile/entries/002.p/88',
    ]);
  });

  test('give every hash, root and proof, each tile read once', async () => {
    const reads: string[] = [];
    const reader = tileHashReader(700, (tile) => {
      reads.push(tilePath(tile));
      return tileOf(log, tile);
    });
    for (const size of [1, 255, 256, 257, 511, 512, 700]) {
      reads.length = 0;
      expect(await treeHeadAt(reader, size)).toEqual(headOf(log, size));
      expect(new Set(reads).size).toBe(reads.length);
    }
    for (const index of [0, 255, 256, 511, 512, 699]) {
      const proof = await proveInclusion(reader, index, 700);
      expect(proof).toEqual(await proveInclusion(log.hashes, index, 700));
      verifyInclusion(headOf(log), index, leafHash(leafOf(log, index)), proof);
      expect(await proveConsistency(reader, index + 1, 700)).toEqual(
        await proveConsistency(log.hashes, index + 1, 700),
      );
    }
  });

  test('with a bit changed give proofs that fail', async () => {
    for (const { tile: spoiled, bytes } of await tileFilesOf(log)) {
      const reader = tileHashReader(700, async (tile) =>
        tilePath(tile) === tilePath(spoiled) ? flip(bytes, 8 * bytes.length - 1) : tileOf(log, tile),
      );
      const changed = await treeHeadAt(reader, 700);
      const first = spoiled.level === 0 ? spoiled.index * TILE_WIDTH : 0;
      const proof = await proveInclusion(reader, first, 700);
      const failed = acceptsOrRefuses(() =>
        verifyInclusion(headOf(log), first, leafHash(leafOf(log, first)), proof),
      );
      // What was changed shows in the root made of the tiles, or in a proof that goes past it.
      expect(failed === undefined || changed.root.join() !== headOf(log).root.join()).toBe(true);
    }
  });

  test('are refused with another length', async () => {
    const short = tileHashReader(700, async (tile) => (await tileOf(log, tile)).slice(1));
    expect((await rejectionOf(() => treeHeadAt(short, 700))).code).toBe('malformed');
  });

  test('are read again as they were written', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { minLength: 1, maxLength: 20 }),
        (hashes) => {
          const bytes = encodeTile(hashes);
          expect(decodeTile(bytes, hashes.length)).toEqual(hashes);
          expectCode(() => decodeTile(bytes, hashes.length + 1), 'malformed');
        },
      ),
    );
  });
});

describe('bundles of entries', () => {
  const entry = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constant(new Uint8Array(MAX_ENTRY_BYTES)));
  const bundle = fc.array(entry, { minLength: 1, maxLength: 8 });

  test('are read again as they were written', () => {
    fc.assert(
      fc.property(bundle, (leaves) => {
        const bytes = encodeEntries(leaves);
        expect(decodeEntries(bytes, leaves.length)).toEqual(leaves);
        expectCode(() => decodeEntries(bytes, leaves.length + 1), 'malformed');
        expectCode(() => decodeEntries(bytes, leaves.length - 1), 'malformed');
        expectCode(() => decodeEntries(bytes.slice(0, -1), leaves.length), 'malformed');
        expectCode(() => decodeEntries(concatBytes(bytes, Uint8Array.of(0)), leaves.length), 'malformed');
      }),
      { numRuns: 50 },
    );
  });

  test('of anything are refused with a code, or are what was written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(5), (bytes, width) => {
        const outcome = acceptsOrRefuses(() => encodeEntries(decodeEntries(bytes, width)));
        if (outcome !== undefined) expect(outcome.value).toEqual(bytes);
      }),
      { numRuns: 500 },
    );
  });

  test('do not take entries that are too long', () => {
    expectCode(() => encodeEntries([new Uint8Array(MAX_ENTRY_BYTES + 1)]), 'body-too-large');
  });
});
