import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Table, TableEntry } from '@hitmachine/protocol';
import {
  BUCKET_HASH_BITS,
  LIMITS,
  MAX_PREFIX_BITS,
  SIZE_CLASSES,
  TAG_BYTES,
  bitsPerPerson,
  bucketCapacity,
  bucketNumber,
  buildTable,
  bytesToHex,
  concatBytes,
  rangeAt,
  rangeHolds,
  tableShape,
} from '@hitmachine/protocol';
import { binomialTail } from './binomial.ts';
import { errorOf, expectCode, seeded } from './support.ts';

const CAPS = Array.from({ length: MAX_PREFIX_BITS + 1 }, (_, bits) => bits);

/** Whether an answer can hold what one person is sent of a table that is full. */
const canBeSent = (entries: number, cap: number): boolean => {
  const size = SIZE_CLASSES.find((candidate) => entries <= candidate.entries);
  return bucketCapacity(entries, Math.min(size?.bits ?? 0, cap)) * TAG_BYTES <= LIMITS.answerRanges;
};

/** Entries that are spread as real ones are. */
function entriesOf(count: number, label = 'entries'): TableEntry[] {
  const random = seeded(label);
  return Array.from({ length: count }, () => {
    const bytes = random(TAG_BYTES + 2);
    return { bucketHash: ((bytes[0] as number) << 8) | (bytes[1] as number), tag: bytes.slice(2) };
  });
}

/** The tags of a bucket, one by one. */
function tagsOf(bucket: Uint8Array): Uint8Array[] {
  return Array.from({ length: bucket.length / TAG_BYTES }, (_, i) =>
    bucket.slice(i * TAG_BYTES, (i + 1) * TAG_BYTES),
  );
}

function expectWhole(table: Table, entries: readonly TableEntry[]): void {
  expect(table.bytes.length).toBe(2 ** table.bits * table.capacity * TAG_BYTES);
  for (const { bucketHash, tag } of entries)
    expect(rangeHolds(rangeAt(table, table.bits, bucketNumber(bucketHash, table.bits)), tag)).toBe(true);
  for (let bucket = 0; bucket < 2 ** table.bits; bucket++) {
    const tags = tagsOf(rangeAt(table, table.bits, bucket)).map(bytesToHex);
    expect(tags).toEqual([...tags].sort());
  }
}

describe('size classes', () => {
  test('the tail that they are checked with is right', () => {
    // Ten throws of a coin: 11 of 1,024 outcomes have nine heads or more.
    expect(binomialTail(10, 0.5, 8)).toBeCloseTo(11 / 1_024, 12);
    expect(binomialTail(4, 0.25, 2)).toBeCloseTo(13 / 256, 12);
    expect(binomialTail(1_000, 0.001, 1_000)).toBe(0);
  });

  test.each(SIZE_CLASSES)(
    '$entries entries: no bucket overflows but once in a million, at any cap',
    ({ entries, bits }) => {
      for (const cap of CAPS.filter((bits) => canBeSent(entries, bits))) {
        const shape = tableShape(entries, cap);
        expect(shape).toEqual({
          bits: Math.min(bits, cap),
          capacity: bucketCapacity(entries, Math.min(bits, cap)),
        });
        const buckets = 2 ** shape.bits;
        expect(buckets * binomialTail(entries, 1 / buckets, shape.capacity)).toBeLessThan(2 ** -20);
      }
    },
  );

  test('the bound is no matter of course: two places fewer, and the largest class breaks it', () => {
    const { entries, bits } = SIZE_CLASSES[8];
    const smaller = bucketCapacity(entries, bits) - 12;
    expect(2 ** bits * binomialTail(entries, 2 ** -bits, smaller)).toBeGreaterThan(2 ** -20);
  });

  test('a shape tells the class alone, and holds every entry', () => {
    fc.assert(
      fc.property(fc.nat(10_000_000), fc.constantFrom(...CAPS), (entries, cap) => {
        const size = SIZE_CLASSES.find((candidate) => entries <= candidate.entries);
        fc.pre(canBeSent(size?.entries ?? 0, cap));
        const shape = tableShape(entries, cap);
        expect(shape).toEqual(tableShape(size?.entries ?? 0, cap));
        expect(shape.bits).toBeLessThanOrEqual(cap);
        expect(shape.capacity * 2 ** shape.bits).toBeGreaterThanOrEqual(entries);
      }),
    );
  });

  test('classes grow, in entries and in bits', () => {
    for (const [i, { entries, bits }] of SIZE_CLASSES.entries()) {
      const next = SIZE_CLASSES[i + 1];
      if (next !== undefined) expect([next.entries > entries, next.bits >= bits]).toEqual([true, true]);
      expect(bits).toBeLessThanOrEqual(MAX_PREFIX_BITS);
    }
    expectCode(() => tableShape(10_000_001, 10), 'field-invalid');
  });
});

describe('a table that no answer could hold', () => {
  test.each([
    [1_000_001, 0, '1 bit '],
    [3_000_001, 0, '3 bits'],
    [3_000_001, 2, '3 bits'],
  ])('%i entries with %i bits: refused, and told how many bits it takes', (entries, cap, needed) => {
    const { code, detail } = errorOf(() => tableShape(entries, cap));
    expect(code).toBe('field-invalid');
    expect(detail).toContain(`would have to allow ${needed}`);
    const bits = Number(needed.split(' ')[0]);
    expect(tableShape(entries, bits).capacity * TAG_BYTES).toBeLessThanOrEqual(LIMITS.answerRanges);
    expectCode(() => tableShape(entries, bits - 1), 'field-invalid');
  });

  test('neither is it built', () => {
    const tag = new Uint8Array(TAG_BYTES);
    const entries = Array.from({ length: 1_000_001 }, () => ({ bucketHash: 0, tag }));
    expectCode(() => buildTable(entries, 0, seeded('padding')), 'field-invalid');
  });
});

describe('a table', () => {
  test('holds every entry, is full, and sorted', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.nat(600), fc.integer({ min: 1_990, max: 2_050 })),
        fc.constantFrom(...CAPS),
        (count, cap) => {
          const entries = entriesOf(count, `table ${count}`);
          const table = buildTable(entries, cap, seeded('padding'));
          expect({ bits: table.bits, capacity: table.capacity }).toEqual(tableShape(count, cap));
          expectWhole(table, entries);
        },
      ),
      { numRuns: 15 },
    );
  });

  test('does not depend on the order of its entries', () => {
    const entries = entriesOf(700);
    const first = buildTable(entries, 10, seeded('padding'));
    expect(buildTable([...entries].reverse(), 10, seeded('padding'))).toEqual(first);
  });

  test('draws padding for the free places, no more and no less, and afresh each time', () => {
    const entries = entriesOf(700);
    let drawn = 0;
    const random = seeded('padding');
    const table = buildTable(entries, 10, (length) => ((drawn += length), random(length)));
    expect(drawn).toBe((2 ** table.bits * table.capacity - 700) * TAG_BYTES);
    const again = buildTable(entries, 10, random);
    const shared = new Set(tagsOf(table.bytes).map(bytesToHex));
    const both = tagsOf(again.bytes)
      .map(bytesToHex)
      .filter((tag) => shared.has(tag));
    expect(both.sort()).toEqual(entries.map(({ tag }) => bytesToHex(tag)).sort());
  });

  test('a bucket that overflows moves the table up, and nothing is dropped', () => {
    const crowded = entriesOf(650).map((entry) => ({ ...entry, bucketHash: 0xabcd }));
    const table = buildTable(crowded, 10, seeded('padding'));
    expect(tableShape(650, 10).capacity).toBeLessThan(650);
    expect(SIZE_CLASSES.map(({ entries }) => tableShape(entries, 10))).toContainEqual({
      bits: table.bits,
      capacity: table.capacity,
    });
    const bucket = rangeAt(table, table.bits, bucketNumber(0xabcd, table.bits));
    for (const { tag } of crowded) expect(rangeHolds(bucket, tag)).toBe(true);
  });

  test('without bits it never overflows', () => {
    const crowded = entriesOf(650).map((entry) => ({ ...entry, bucketHash: 0 }));
    expect(buildTable(crowded, 0, seeded('padding'))).toMatchObject({ bits: 0, capacity: 2_000 });
  });

  test('one that is full to the last place', () => {
    const entries = entriesOf(500);
    const table = buildTable(entries, 10, () => new Uint8Array());
    expectWhole(table, entries);
  });

  test('has no buckets but its own', () => {
    const table = buildTable(entriesOf(501), 10, seeded('padding'));
    for (const bucket of [-1, 4, 65_535]) expectCode(() => rangeAt(table, 2, bucket), 'malformed');
    expectCode(() => rangeAt(table, 0, 1), 'malformed');
    expectCode(() => rangeAt(table, 3, 0), 'malformed');
  });

  test('a range is the buckets that begin with a prefix, in order', () => {
    const entries = entriesOf(2_001);
    const table = buildTable(entries, 10, seeded('padding'));
    for (let bits = 0; bits <= table.bits; bits++) {
      const ranges = Array.from({ length: 2 ** bits }, (_, prefix) => rangeAt(table, bits, prefix));
      expect(concatBytes(...ranges)).toEqual(table.bytes);
      for (const { bucketHash, tag } of entries.slice(0, 50))
        expect(rangeHolds(ranges[bucketNumber(bucketHash, bits)] as Uint8Array, tag)).toBe(true);
    }
  });

  test('a bucket number is a prefix: more bits only refine it', () => {
    fc.assert(
      fc.property(fc.nat(0xffff), fc.nat(BUCKET_HASH_BITS), fc.nat(BUCKET_HASH_BITS), (hash, a, b) => {
        const [fewer, more] = [Math.min(a, b), Math.max(a, b)];
        expect(bucketNumber(hash, more) >>> (more - fewer)).toBe(bucketNumber(hash, fewer));
        expect(bucketNumber(hash, more)).toBeLessThan(2 ** more);
      }),
    );
  });
});

describe('bits that each person of a lookup shows', () => {
  test('together never more than one person alone would', () => {
    for (const tableBits of CAPS)
      for (let persons = 1; persons <= LIMITS.persons; persons++) {
        const bits = bitsPerPerson(tableBits, persons);
        expect(persons * bits).toBeLessThanOrEqual(tableBits);
        // Ranges that cover the table anyway would show bits for nothing.
        if (bits > 0) expect(persons).toBeLessThan(2 ** bits);
      }
  });

  test('one person alone shows all, except where two buckets are the whole table', () => {
    expect(CAPS.map((bits) => bitsPerPerson(bits, 1))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });
});

describe('looking for a tag', () => {
  const bucket = seeded('bucket')(40 * TAG_BYTES);

  test('agrees with a plain search', () => {
    const tags = tagsOf(bucket);
    for (const tag of tags) expect(rangeHolds(bucket, tag)).toBe(true);
    fc.assert(
      fc.property(fc.nat(39), fc.nat(63), (at, bit) => {
        const near = (tags[at] as Uint8Array).map((byte, i) =>
          i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte,
        );
        expect(rangeHolds(bucket, near)).toBe(tags.some((tag) => bytesToHex(tag) === bytesToHex(near)));
      }),
      { numRuns: 300 },
    );
    expect(rangeHolds(bucket, bucket.slice(4, 12))).toBe(false);
    expect(rangeHolds(new Uint8Array(), bucket.slice(0, 8))).toBe(false);
  });

  test('reads every byte, whether and wherever the tag is there', () => {
    const reads = (tag: Uint8Array): number => {
      let count = 0;
      const watched = new Proxy(bucket, {
        get(target, key) {
          if (typeof key === 'string' && /^\d+$/.test(key)) count++;
          return Reflect.get(target, key) as unknown;
        },
      });
      rangeHolds(watched, tag);
      return count;
    };
    const [first, last, absent] = [bucket.slice(0, 8), bucket.slice(-8), new Uint8Array(8)];
    expect([first, last, absent].map(reads)).toEqual([bucket.length, bucket.length, bucket.length]);
  });

  test('what is cut off is refused', () => {
    expectCode(() => rangeHolds(bucket.slice(1), bucket.slice(0, 8)), 'malformed');
    expectCode(() => rangeHolds(bucket, bucket.slice(0, 7)), 'malformed');
    expectCode(() => rangeHolds(bucket, bucket.slice(0, 9)), 'malformed');
  });
});
