import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_PREFIX_BITS, SIZE_CLASSES, shareBits, tableShape } from '@hitmachine/protocol';
import { errorOf, expectCode } from './support.ts';

describe('bits that the tables of one register share', () => {
  const types = ['bsn', 'name+birthdate', 'skn', 'address'];
  /** Budgets of at most ten bits together. */
  const budgets = fc
    .array(fc.nat(MAX_PREFIX_BITS), { minLength: types.length, maxLength: types.length })
    .map((parts) => {
      let left = MAX_PREFIX_BITS;
      return Object.fromEntries(
        parts.map((part, i) => {
          const bits = Math.min(part, left);
          left -= bits;
          return [types[i] as string, bits];
        }),
      );
    });
  /** One table of the class of a million at most: two of them without bits fit into no answer, as told below. */
  const sizes = fc
    .tuple(...types.map((_, i) => fc.oneof(fc.nat(600), fc.nat(5_000), fc.nat(i === 0 ? 400_000 : 300_000))))
    .chain((counts) =>
      fc.subarray(
        types.map((type, i) => [type, counts[i] ?? 0] as const),
        { minLength: 1 },
      ),
    )
    .map((entries) => new Map(entries));
  const sum = (bits: ReadonlyMap<string, number>): number => [...bits.values()].reduce((a, b) => a + b, 0);
  const classBits = (entries: number): number => tableShape(entries, MAX_PREFIX_BITS).bits;

  test('are never more than the class of the largest table, its own class or its budget', () => {
    fc.assert(
      fc.property(sizes, budgets, (entries, allowed) => {
        const bits = shareBits(entries, allowed);
        expect([...bits.keys()].sort()).toEqual([...entries.keys()].sort());
        const largest = Math.max(...entries.values());
        expect(sum(bits)).toBeLessThanOrEqual(classBits(largest));
        for (const [type, count] of entries) {
          const own = bits.get(type) as number;
          expect(own).toBeLessThanOrEqual(Math.min(classBits(count), allowed[type] as number));
          // A table that is built with them shows exactly these.
          expect(tableShape(count, own).bits).toBe(own);
          // Also when a bucket overflows: of more than these, the next class might be too large to be sent.
          if (count <= 300_000) expect(tableShape(count, own, 1).bits).toBe(own);
        }
      }),
    );
  });

  test('leave nothing over that some table could have', () => {
    fc.assert(
      fc.property(sizes, budgets, (entries, allowed) => {
        const bits = shareBits(entries, allowed);
        const left = classBits(Math.max(...entries.values())) - sum(bits);
        for (const [type, count] of entries)
          if (left > 0) expect(bits.get(type)).toBe(Math.min(classBits(count), allowed[type] as number));
      }),
    );
  });

  test('do not depend on the order in which the types are named', () => {
    fc.assert(
      fc.property(sizes, budgets, (entries, allowed) => {
        const reversed = shareBits(new Map([...entries].reverse()), allowed);
        expect(Object.fromEntries(reversed)).toEqual(Object.fromEntries(shareBits(entries, allowed)));
      }),
    );
  });

  /** Clients that fit all bits by chance: those that hold every type; who holds fewer fits more often. */
  const expectedToFit = (clients: number, bits: ReadonlyMap<string, number>): number =>
    clients / 2 ** sum(bits);

  test('leave more than 60 clients that fit by chance, at every boundary of a class and above it', () => {
    const sumsToTen = [
      { bsn: 10, 'name+birthdate': 0 },
      { bsn: 6, 'name+birthdate': 4 },
      { bsn: 5, 'name+birthdate': 5 },
      { bsn: 0, 'name+birthdate': 10 },
    ];
    const fits = SIZE_CLASSES.slice(0, -1).flatMap(({ entries }) =>
      sumsToTen.flatMap((allowed) => {
        if (entries >= 1_000_000 && Object.values(allowed).includes(0)) return [];
        // One entry is the canary.
        const both = new Map([
          ['bsn', entries + 1],
          ['name+birthdate', entries + 1],
        ]);
        return expectedToFit(entries, shareBits(both, allowed));
      }),
    );
    expect(Math.min(...fits)).toBe(62.5);
    fc.assert(
      fc.property(sizes, budgets, (entries, allowed) => {
        const largest = Math.max(...entries.values());
        fc.pre(largest > 500);
        expect(expectedToFit(largest - 1, shareBits(entries, allowed))).toBeGreaterThanOrEqual(62.5);
      }),
    );
  });

  test('would leave four if each type had those of its class: what this is for', () => {
    const each = new Map([
      ['bsn', tableShape(2_001, 6).bits],
      ['name+birthdate', tableShape(2_001, 4).bits],
    ]);
    expect(expectedToFit(2_000, each)).toBeLessThan(4);
  });

  test('up to 500 clients show none', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(500), budgets, (a, b, allowed) => {
        expect(
          sum(
            shareBits(
              new Map([
                ['bsn', a],
                ['skn', b],
              ]),
              allowed,
            ),
          ),
        ).toBe(0);
      }),
    );
  });

  test('are refused where an answer could not hold what one person is sent, with the cure', () => {
    const { code, detail } = errorOf(() =>
      shareBits(
        new Map([
          ['bsn', 2_000_000],
          ['skn', 2_000_000],
        ]),
        { bsn: 1, skn: 1 },
      ),
    );
    expect(code).toBe('field-invalid');
    expect(detail).toContain('would have to allow 3 bits for bsn');
    expect(detail).not.toMatch(/2.?000.?000/);
    shareBits(
      new Map([
        ['bsn', 2_000_000],
        ['skn', 2_000_000],
      ]),
      { bsn: 3, skn: 1 },
    );
    expect(errorOf(() => shareBits(new Map([['bsn', 1_000_001]]), {})).detail).toContain('1 bit for bsn');
    expectCode(() => shareBits(new Map([['bsn', 10_000_001]]), { bsn: 10 }), 'field-invalid');
  });
});
