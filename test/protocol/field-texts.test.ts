import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fieldErrors, parseValue } from '@hitmachine/protocol';

const schema = z.strictObject({
  name: z.string().min(1).max(3).optional(),
  note: z.string().min(2).optional(),
  number: z.int().min(2).max(9).optional(),
  share: z.number().gt(0).lt(1).multipleOf(0.5).optional(),
  list: z.array(z.string()).min(1).max(2).optional(),
  kind: z.enum(['x', 'y']).optional(),
  format: z.literal('q').optional(),
  either: z.union([z.string(), z.int()]).optional(),
  other: z.union([z.strictObject({ a: z.string() }), z.literal('none')]).optional(),
  proof: z.boolean().optional(),
  own: z.string().regex(/a/, 'an own text').optional(),
  regex: z.string().regex(/a/).optional(),
  url: z.url().optional(),
  bits: z.record(z.string().regex(/^a/, 'begins with a'), z.int()).optional(),
  nested: z.strictObject({ needed: z.string(), choice: z.enum(['x', 'y']) }).optional(),
  refined: z
    .string()
    .refine((value) => value === 'yes')
    .optional(),
});

/** `field: text` for everything that is wrong with a value. */
const textsOf = (value: unknown): string[] => {
  const { error } = schema.safeParse(value);
  return error === undefined ? [] : fieldErrors(error).map(({ field, detail }) => `${field}: ${detail}`);
};

describe('the text of a failed check', () => {
  it.each([
    [{ name: '' }, 'name: must not be empty'],
    [{ name: 'long' }, 'name: at most 3 characters'],
    [{ name: 12 }, 'name: a text is wanted, not a number: put it in quotes'],
    [{ name: true }, 'name: a text is wanted, not true or false: put it in quotes'],
    [{ name: null }, 'name: a text is wanted, not nothing'],
    [{ name: ['x'] }, 'name: a text is wanted, not a list'],
    [{ note: 'x' }, 'note: at least 2 characters'],
    [{ number: 1 }, 'number: at least 2'],
    [{ number: 10 }, 'number: at most 9'],
    [{ number: 2.5 }, 'number: a whole number is wanted'],
    [{ number: '2' }, 'number: a number is wanted, not a text'],
    [{ share: 0 }, 'share: more than 0'],
    [{ share: 1 }, 'share: less than 1'],
    [{ share: 0.3 }, 'share: a multiple of 0.5'],
    [{ list: [] }, 'list: at least 1 entry'],
    [{ list: ['a', 'b', 'c'] }, 'list: at most 2 entries'],
    [{ list: { a: 'a' } }, 'list: a list is wanted, not an object with fields'],
    [{ kind: 'z' }, 'kind: one of x, y'],
    [{ format: 'z' }, 'format: must be "q"'],
    [{ either: true }, 'either: a text or a number is wanted'],
    [{ other: 'some' }, 'other: fits none of the forms that are allowed here'],
    [{ proof: 'yes' }, 'proof: true or false is wanted, not a text'],
    [{ own: 'b' }, 'own: an own text'],
    [{ regex: 'b' }, 'regex: is not in the form that is wanted here'],
    [{ url: 'b' }, 'url: a complete address, such as https://example.org'],
    [{ bits: { b: 1 } }, 'bits.b: begins with a'],
    [{ refined: 'no' }, 'refined: is not allowed'],
    [{ unknown: 1 }, '(body): not known here: unknown'],
    [[], '(body): an object with fields is wanted, not a list'],
    [undefined, '(body): is missing'],
  ])('for %j is in our words', (value, text) => {
    expect(textsOf(value)).toContain(text);
  });

  it('says that a field is missing, also one with a choice', () => {
    expect(textsOf({ nested: {} })).toEqual(['nested.needed: is missing', 'nested.choice: is missing']);
  });

  it('never repeats the value', () => {
    const mark = 'merkteken';
    const values = Object.keys(schema.shape).flatMap((field) => [{ [field]: mark }, { [field]: [mark] }]);
    for (const value of values) expect(textsOf(value).join(' ')).not.toContain(mark);
  });

  it('is what a refused message says', () => {
    expect(() => parseValue(schema, { name: 7, list: [] })).toThrow(
      'name: a text is wanted, not a number: put it in quotes; list: at least 1 entry',
    );
  });
});
