import { sha256 } from '@noble/hashes/sha2.js';
import { z } from 'zod';
import { SIZE_CLASSES, bucketHolds, buildTable, tableShape } from '../../src/index.ts';
import { expand } from '../deterministic.ts';
import type { Case, Subject } from '../format.ts';
import { hex, operation } from '../format.ts';

const entriesSchema = z.array(z.strictObject({ bucketHash: z.number(), tag: hex }));

/** Size classes, and how a table is laid out. */
export const tables: Subject = {
  description:
    'Tables. table-shape: bits and capacity for a number of entries, at most maxBits, after `skip` overflows. ' +
    'build-table: entries laid out in buckets, filled up with random tags and sorted; `padding` names the random ' +
    'source, SHAKE256 over "hitmachine-v1 vectors " and that name, read bucket by bucket; the output has the shape, ' +
    'the first three tags of the first bucket and the SHA-256 of all buckets one after another. bucket-holds: ' +
    'whether a bucket has a tag.',
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
    'bucket-holds': operation(z.strictObject({ bucket: hex, tag: hex }), (_, { bucket, tag }) =>
      bucketHolds(bucket, tag),
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
    const bucket = random(40);
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
        { name: 'the last tag', operation: 'bucket-holds', input: { bucket, tag: bucket.slice(32) } },
        { name: 'across two tags', operation: 'bucket-holds', input: { bucket, tag: bucket.slice(4, 12) } },
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
          name: 'a bucket that is cut off',
          operation: 'bucket-holds',
          input: { bucket: bucket.slice(0, 39), tag: bucket.slice(0, 8) },
          error: 'malformed',
        },
        {
          name: 'a tag of seven bytes',
          operation: 'bucket-holds',
          input: { bucket, tag: bucket.slice(0, 7) },
          error: 'malformed',
        },
      ],
    };
  },
};
