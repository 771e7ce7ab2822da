import { readFile, readdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { SUBJECTS, renderVectorFile, vectorFile } from '../../protocol/vectors/files.ts';
import type { Operation, VectorFile } from '../../protocol/vectors/format.ts';
import { vectorFileSchema } from '../../protocol/vectors/format.ts';
import { BACKENDS, rejectionOf } from './support.ts';

const folder = new URL('../../protocol/vectors/', import.meta.url);

const FILES = await Promise.all(
  Object.entries(SUBJECTS).map(async ([name, subject]) => {
    const text = await readFile(new URL(`${name}.json`, folder), 'utf8');
    return { name, subject, text, file: vectorFileSchema.parse(JSON.parse(text)) };
  }),
);

test('there is a file for each subject, and no other', async () => {
  const committed = (await readdir(folder)).filter((name) => name.endsWith('.json'));
  expect(committed.sort()).toEqual(
    Object.keys(SUBJECTS)
      .map((name) => `${name}.json`)
      .sort(),
  );
});

describe.each(FILES)('vectors of $name', ({ subject, text, file }) => {
  const operationOf = (vector: { operation: string }): Operation =>
    subject.operations[vector.operation] as Operation;

  test('is what `npm run vectors` makes', async () => {
    expect(renderVectorFile(await vectorFile(subject, BACKENDS[0] as (typeof BACKENDS)[number]))).toBe(text);
  });

  test.each(BACKENDS)('every vector comes out on $name', async (backend) => {
    for (const vector of file.vectors)
      expect({ ...vector, output: await operationOf(vector)(backend, vector.input) }).toEqual(vector);
  });

  test.each(BACKENDS)('every negative vector is refused on $name, with its code', async (backend) => {
    for (const vector of file.negative) {
      const error = await rejectionOf(() => operationOf(vector)(backend, vector.input)).catch(
        (cause: unknown) => {
          throw new Error(`${vector.operation}, ${vector.name}`, { cause });
        },
      );
      expect({ ...vector, error: error.code }).toEqual(vector);
    }
  });

  test('has vectors of both kinds for every operation that can fail, and names that are unique', () => {
    const used = new Set(file.vectors.map(({ operation }) => operation));
    expect([...used].sort()).toEqual(Object.keys(subject.operations).sort());
    expect(file.negative.length).toBeGreaterThan(0);
    const names = (vectors: VectorFile['negative'] | VectorFile['vectors']): string[] =>
      vectors.map(({ operation, name }) => `${operation}: ${name}`);
    expect(new Set(names(file.vectors)).size).toBe(file.vectors.length);
    expect(new Set(names(file.negative)).size).toBe(file.negative.length);
  });

  test('layouts are the bytes that they describe', () => {
    for (const { input, layout } of file.vectors) {
      if (layout === undefined) continue;
      const joined = layout.map(([, hex]) => hex).join('');
      expect(Object.values(input as object)).toContain(joined);
    }
  });
});
