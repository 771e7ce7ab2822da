import { described, fieldErrors, listOf } from '@hitmachine/protocol';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

describe('a described schema', () => {
  const person = z.strictObject({ ref: z.string().max(3), age: z.int().optional() });
  const schema = z
    .strictObject({
      persons: z
        .array(person)
        .min(1)
        .refine((all) => all.length !== 2, 'not two'),
    })
    .refine(({ persons }) => persons[0]?.ref !== 'no', 'not no');
  const { persons } = schema.shape;
  const texts = { ref: 'A reference.', age: 'In years.' };
  const same = described(schema, { persons: listOf(persons, described(person, texts), 'All.') });

  it('has the texts', () => {
    expect(same.shape.persons.meta()?.description).toBe('All.');
    expect(same.shape.persons.element.shape.ref.meta()?.description).toBe('A reference.');
    expect(schema.shape.persons.element.shape.ref.meta()).toBeUndefined();
  });

  it.each([
    [{ persons: [{ ref: 'a' }] }],
    [{ persons: [{ ref: 'a', age: 1 }] }],
    [{ persons: [] }],
    [{ persons: [{ ref: 'a' }, { ref: 'b' }] }],
    [{ persons: [{ ref: 'long' }] }],
    [{ persons: [{ ref: 'no' }] }],
    [{ persons: [{ ref: 'a', age: 1.5 }] }],
    [{ persons: [{ ref: 'a', other: 1 }] }],
    [{ persons: [{ ref: 'a' }], other: 1 }],
  ])('takes and refuses what the schema itself does: %j', (value) => {
    const [one, other] = [schema.safeParse(value), same.safeParse(value)];
    expect(other.data).toEqual(one.data);
    expect(other.error && fieldErrors(other.error)).toEqual(one.error && fieldErrors(one.error));
  });
});
