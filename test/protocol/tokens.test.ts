import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PersonDescription } from '@hitmachine/protocol';
import { BUILT_IN_TOKEN_TYPES, bytesToHex, encodeToken, isTokenType, tokensOf } from '@hitmachine/protocol';
import { errorOf, expectCode } from './support.ts';

const PERSON: PersonDescription = {
  bsn: '123456782',
  name: { surname: 'Ven', prefix: 'van der', givenNames: 'Theodoor' },
  birthDate: '19750707',
  address: { postcode: '6511AA', number: 12 },
  identifiers: { skn: '42', client: 'a-1' },
};
const TYPES = [...BUILT_IN_TOKEN_TYPES, 'skn', 'client'];

describe('tokens of a person', () => {
  test('one for each wanted type, in that order, whatever the order of the data', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(TYPES, { minLength: 1 }),
        fc.shuffledSubarray(Object.keys(PERSON), { minLength: 5, maxLength: 5 }),
        (wanted, order) => {
          const shuffled = Object.fromEntries(
            order.map((key) => [key, PERSON[key as keyof PersonDescription]]),
          );
          const tokens = tokensOf(shuffled, wanted);
          expect([...tokens.keys()]).toEqual(wanted);
          for (const [type, token] of tokens) expect(token).toEqual(tokensOf(PERSON, TYPES).get(type));
        },
      ),
    );
  });

  test('data of types that are not wanted is not looked at', () => {
    expect([...tokensOf({ ...PERSON, bsn: 'wrong' }, ['address']).keys()]).toEqual(['address']);
  });

  test('a type that stands twice makes one token', () => {
    expect(tokensOf(PERSON, ['bsn', 'bsn']).size).toBe(1);
  });

  test('inherited properties are no identifiers', () => {
    expectCode(() => tokensOf({ identifiers: {} }, ['constructor', 'tostring']), 'person-without-token');
  });

  test('half a name says which half is missing', () => {
    const missing = (person: PersonDescription): readonly string[] =>
      errorOf(() => tokensOf(person, TYPES)).fields.map(({ field }) => field);
    expect(missing({ name: { surname: 'Ven' } })).toEqual(['birthDate']);
    expect(missing({ birthDate: '19750707' })).toEqual(['name']);
    expectCode(() => tokensOf({}, TYPES), 'person-without-token');
    expectCode(() => tokensOf(PERSON, []), 'person-without-token');
  });

  test('all that is wrong is told at once, by path, without a value', () => {
    const error = errorOf(() =>
      tokensOf(
        {
          bsn: '987654321',
          name: { surname: '!!', givenNames: '77' },
          birthDate: '19751332',
          address: { postcode: 'GEHEIM', number: 'GEHEIM' },
          identifiers: { skn: 'GEHEIMé' },
        },
        TYPES,
      ),
    );
    expect(error.code).toBe('field-invalid');
    expect(error.fields.map(({ field }) => field)).toEqual([
      'bsn',
      'name.surname',
      'birthDate',
      'address.postcode',
      'address.number',
      'identifiers.skn',
    ]);
    const shown = JSON.stringify([error.message, error.detail, error.fields]);
    for (const value of ['987654321', '!!', '77', '19751332', 'GEHEIM']) expect(shown).not.toContain(value);
  });
});

describe('the encoding of a token', () => {
  const kinds = ['person', 'canary', 'padding'] as const;
  const types = fc.stringMatching(/^[a-z][a-z0-9+-]{1,31}$/);
  const fields = fc.array(fc.string({ unit: 'grapheme', maxLength: 12 }), { maxLength: 4 });
  const parts = fc.tuple(fc.constantFrom(...kinds), types, fields);

  test('two tokens have the same bytes only if they are the same', () => {
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        const same = JSON.stringify(a) === JSON.stringify(b);
        expect(bytesToHex(encodeToken(...a)) === bytesToHex(encodeToken(...b))).toBe(same);
      }),
    );
  });

  test('text cannot be moved from one field to the next', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{2,10}$/), fc.nat(), fc.nat(), (text, i, j) => {
        const cut = (at: number): string[] => [text.slice(0, at % text.length), text.slice(at % text.length)];
        const [a, b] = [cut(i), cut(j)];
        expect(
          bytesToHex(encodeToken('person', 'bsn', a)) === bytesToHex(encodeToken('person', 'bsn', b)),
        ).toBe(i % text.length === j % text.length);
      }),
    );
  });

  test('canaries and padding are nobody, whatever their fields are', () => {
    fc.assert(
      fc.property(types, fields, (type, values) => {
        expect(new Set(kinds.map((kind) => bytesToHex(encodeToken(kind, type, values)))).size).toBe(3);
      }),
    );
  });

  test.each(['bsn', 'name+birthdate', 'a0', 'x'.repeat(32)])('"%s" is a type', (type) =>
    expect(isTokenType(type)).toBe(true),
  );
  test.each(['', 'a', 'A1', '1a', '+a', 'a b', 'é1', 'bsn\n', 'x'.repeat(33)])('"%s" is no type', (type) => {
    expect(isTokenType(type)).toBe(false);
    expectCode(() => encodeToken('person', type, []), 'identifier-invalid');
  });

  test('what does not fit is refused', () => {
    expectCode(() => encodeToken('person', 'bsn', ['x'.repeat(65_536)]), 'field-invalid');
    expectCode(
      () =>
        encodeToken(
          'person',
          'bsn',
          Array.from({ length: 256 }, () => ''),
        ),
      'field-invalid',
    );
    expectCode(() => encodeToken('person', 'bsn', ['\udc00']), 'field-invalid');
    expect(() => encodeToken('constructor' as 'person', 'bsn', [])).toThrow(TypeError);
  });
});
