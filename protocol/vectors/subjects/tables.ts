import { sha256 } from '@noble/hashes/sha2.js';
import { z } from 'zod';
import {
  SIZE_CLASSES,
  bitsPerPerson,
  buildTable,
  rangeHolds,
  shareBits,
  tableShape,
} from '../../src/index.ts';
import { expand } from '../deterministic.ts';
import type { Case, Subject } from '../format.ts';
import { hex, operation } from '../format.ts';

const entriesSchema = z.array(z.strictObject({ bucketHash: z.number(), tag: hex }));

const numbersByType = z.record(z.string(), z.number());

/** Registers by their numbers of entries, and the bits that a federation allows. */
const SHARED: readonly (readonly [name: string, entries: object, budgets: object])[] = [
  ['one type', { bsn: 10_000 }, { bsn: 6 }],
  [
    'two types, the first takes all',
    { bsn: 2_001, 'name+birthdate': 2_001 },
    { bsn: 6, 'name+birthdate': 4 },
  ],
  [
    'two types, the second gets what is left',
    { bsn: 40_000, 'name+birthdate': 40_000 },
    { bsn: 6, 'name+birthdate': 4 },
  ],
  [
    'a small table takes what its own class allows',
    { bsn: 600, 'name+birthdate': 9_000 },
    { bsn: 6, 'name+birthdate': 4 },
  ],
  ['equal budgets, by name', { skn: 9_000, bsn: 9_000, address: 9_000 }, { bsn: 3, skn: 3, address: 3 }],
  ['a type that the federation has not', { bsn: 9_000, crv: 9_000 }, { bsn: 3 }],
  ['up to 500 entries', { bsn: 500, 'name+birthdate': 1 }, { bsn: 6, 'name+birthdate': 4 }],
  ['a million', { bsn: 1_000_000, 'name+birthdate': 1_000_000 }, { bsn: 6, 'name+birthdate': 4 }],
];

/** Size classes, and how a table is laid out. */
export const tables: Subject = {
  description:
    'Tables. table-shape: bits and capacity for a number of entries, at most maxBits, after `skip` overflows. ' +
    'build-table: entries laid out in buckets, filled up with random tags and sorted; `padding` names the random ' +
    'source, SHAKE256 over "hitmachine-v1 vectors " and that name, read bucket by bucket; the output has the shape, ' +
    'the first three tags of the first bucket and the SHA-256 of all buckets one after another. range-holds: ' +
    'whether a range of buckets has a tag. bits-per-person: how many bits of a bucket number each person of a lookup ' +
    'shows. share-bits: the bits of each table of one register, from its numbers of entries and the budgets of the ' +
    'federation, by token type.',
  operations: {
    'table-shape': operation(
      z.strictObject({ entries: z.number(), maxBits: z.number(), skip: z.number() }),
      (_, { entries, maxBits, skip }) => tableShape(entries, maxBits, skip),
    ),
    'build-table': operation(
      z.strictObject({ entries: entriesSchema, maxBits: z.number(), padding: z.string() }),
      (_, { entries, maxBits, padding }) => {
        const { bits, capacity, bytes } = buildTable(entries, maxBits, expand(padding));
        return { bits, capacity, start: bytes.subarray(0, 24), sha256: sha256(bytes) };
      },
    ),
    'range-holds': operation(z.strictObject({ range: hex, tag: hex }), (_, { range, tag }) =>
      rangeHolds(range, tag),
    ),
    'share-bits': operation(
      z.strictObject({ entries: numbersByType, budgets: numbersByType }),
      (_, { entries, budgets }) => shareBits(new Map(Object.entries(entries)), budgets),
    ),
    'bits-per-person': operation(
      z.strictObject({ tableBits: z.number(), persons: z.number() }),
      (_, { tableBits, persons }) => bitsPerPerson(tableBits, persons),
    ),
  },
  async cases() {
    const random = expand('tables');
    const entries = (count: number): { bucketHash: number; tag: Uint8Array }[] =>
      Array.from({ length: count }, () => {
        const bytes = random(10);
        return {
          bucketHash: ((bytes[0] as number) << 8) | (bytes[1] as number),
          tag: bytes.slice(2),
        };
      });
    const shapes = SIZE_CLASSES.flatMap(({ entries: size, bits }) => [
      { entries: size, maxBits: 10, skip: 0 },
      { entries: size, maxBits: Math.max(0, bits - 1), skip: 0 },
    ]);
    const range = random(40);
    return {
      vectors: [
        ...[{ entries: 0, maxBits: 10, skip: 0 }, { entries: 501, maxBits: 10, skip: 0 }, ...shapes].map(
          (input): Case => ({
            name: `${input.entries} entries, at most ${input.maxBits} bits`,
            operation: 'table-shape',
            input,
          }),
        ),
        {
          name: '500 entries after an overflow',
          operation: 'table-shape',
          input: { entries: 500, maxBits: 10, skip: 1 },
        },
        {
          name: 'nobody',
          operation: 'build-table',
          input: { entries: [], maxBits: 10, padding: 'table of nobody' },
        },
        {
          name: 'five entries',
          operation: 'build-table',
          input: { entries: entries(5), maxBits: 10, padding: 'table of five' },
        },
        {
          name: 'two bits',
          operation: 'build-table',
          input: { entries: entries(501), maxBits: 10, padding: 'table of two bits' },
        },
        ...[0, 1, 2, 5, 10].flatMap((tableBits) =>
          [1, 2, 3, 5, 32].map((persons): Case => ({
            name: `${tableBits} bits, ${persons} persons`,
            operation: 'bits-per-person',
            input: { tableBits, persons },
          })),
        ),
        ...SHARED.map(([name, entries, budgets]): Case => ({
          name,
          operation: 'share-bits',
          input: { entries, budgets },
        })),
        { name: 'the last tag', operation: 'range-holds', input: { range, tag: range.slice(32) } },
        { name: 'across two tags', operation: 'range-holds', input: { range, tag: range.slice(4, 12) } },
      ],
      negative: [
        {
          name: 'more entries than a register may hold',
          operation: 'table-shape',
          input: { entries: 10_000_001, maxBits: 10, skip: 0 },
          error: 'field-invalid',
        },
        {
          name: 'no class to move up to',
          operation: 'table-shape',
          input: { entries: 10_000_000, maxBits: 10, skip: 1 },
          error: 'field-invalid',
        },
        {
          name: 'a table that no answer could hold',
          operation: 'table-shape',
          input: { entries: 1_000_001, maxBits: 0, skip: 0 },
          error: 'field-invalid',
        },
        {
          name: 'tables that no answer could hold together',
          operation: 'share-bits',
          input: { entries: { bsn: 2_000_000, skn: 2_000_000 }, budgets: { bsn: 1, skn: 1 } },
          error: 'field-invalid',
        },
        {
          name: 'a range that is cut off',
          operation: 'range-holds',
          input: { range: range.slice(0, 39), tag: range.slice(0, 8) },
          error: 'malformed',
        },
        {
          name: 'a tag of seven bytes',
          operation: 'range-holds',
          input: { range, tag: range.slice(0, 7) },
          error: 'malformed',
        },
      ],
    };
  },
};
