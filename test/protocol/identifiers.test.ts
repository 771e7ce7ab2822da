import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AddressInput } from '@hitmachine/protocol';
import { isValidBsn, parseAddress, parseBirthDate, parseBsn, parseIdentifier } from '@hitmachine/protocol';
import { acceptsOrRefuses, errorOf, expectCode } from './support.ts';

/** Everything that an error can show of itself. */
const shownBy = (run: () => unknown): string => {
  const { message, detail, fields, code } = errorOf(run);
  return JSON.stringify({ message, detail, fields, code });
};

describe('citizen service numbers', () => {
  /** The 11-test the other way round: the last digit is what the first eight leave over. */
  const isRight = (number: number): boolean => {
    const front = Math.floor(number / 10);
    let rest = 0;
    for (let weight = 2, left = front; weight <= 9; weight++, left = Math.floor(left / 10))
      rest += weight * (left % 10);
    return number > 0 && rest % 11 === number % 10;
  };
  const nineDigits = (number: number): string => String(number).padStart(9, '0');

  test('agree with another formula', () => {
    for (let i = 0; i < 20_000; i++) {
      const number = (i * 49_999) % 1_000_000_000;
      expect(isValidBsn(nineDigits(number))).toBe(isRight(number));
    }
    fc.assert(
      fc.property(fc.nat(999_999_999), (number) => {
        expect(isValidBsn(nineDigits(number))).toBe(isRight(number));
      }),
      { numRuns: 2_000 },
    );
  });

  test('there are 90,909 or so in each million', () => {
    let right = 0;
    for (let number = 123_000_000; number < 123_100_000; number++) if (isValidBsn(String(number))) right++;
    expect(Math.abs(right - 9_090.9)).toBeLessThan(5);
  });

  test('nine zeros pass the test and are refused', () =>
    expectCode(() => parseBsn('000000000'), 'bsn-invalid'));

  test.each([
    ['123456782', '123456782'],
    ['1234.56.782', '123456782'],
    [' 123 456 782\n', '123456782'],
    ['000009830', '000009830'],
  ])('"%s" is %s', (text, expected) => expect(parseBsn(text)).toBe(expected));

  test.each([
    '',
    '12345678',
    '1234567820',
    '12345678a',
    '-12345678',
    '1.23e8',
    '１２３４５６７８２',
    '123456782;',
  ])('"%s" is refused', (text) => expectCode(() => parseBsn(text), 'bsn-invalid'));

  test('two digits changed places, or one wrong, is always seen', () => {
    fc.assert(
      fc.property(
        fc.nat(999_999_999).filter(isRight),
        fc.nat(7),
        fc.nat(8),
        fc.integer({ min: 1, max: 9 }),
        (n, i, at, by) => {
          const digits = nineDigits(n);
          const swapped =
            digits.slice(0, i) + (digits[i + 1] ?? '') + (digits[i] ?? '') + digits.slice(i + 2);
          if (swapped !== digits) expect(isValidBsn(swapped)).toBe(false);
          const other = (Number(digits[at]) + by) % 10;
          expect(isValidBsn(digits.slice(0, at) + String(other) + digits.slice(at + 1))).toBe(false);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('no error repeats the number', () => {
    const wrong = fc
      .stringMatching(/^[0-9. ]{4,14}$/)
      .filter((text) => /\d{4}/.test(text.replace(/[. ]/g, '')) && !isValidBsn(text));
    fc.assert(
      fc.property(wrong, (text) => {
        const digits = text.replace(/[. ]/g, '');
        const shown = shownBy(() => parseBsn(text));
        expect(shown).not.toContain(text.trim());
        for (let at = 0; at + 4 <= digits.length; at++) expect(shown).not.toContain(digits.slice(at, at + 4));
      }),
      { numRuns: 500 },
    );
  });
});

describe('birth dates', () => {
  test.each([
    ['19750707', '19750707'],
    ['1975-07-07', '19750707'],
    ['07-07-1975', '19750707'],
    ['07/07/1975', '19750707'],
    ['07.07.1975', '19750707'],
    ['7-7-1975', '19750707'],
    ['7/7/1975', '19750707'],
    ['7.7.1975', '19750707'],
    ['17-7-1975', '19750717'],
    ['7-12-1975', '19751207'],
    ['0-0-1975', '19750000'],
    [' 19750707 ', '19750707'],
    ['19750700', '19750700'],
    ['1975-00-00', '19750000'],
    ['00-00-1975', '19750000'],
    ['19750007', '19750007'],
    ['00000000', '00000000'],
    ['0000-00-00', '00000000'],
    ['20000229', '20000229'],
    ['18500101', '18500101'],
  ])('"%s" is %s', (text, expected) => expect(parseBirthDate(text)).toBe(expected));

  test.each([
    '',
    ' ',
    '0',
    '1975',
    '197507',
    '19750732',
    '19751301',
    '19750032',
    '00000101',
    '00000001',
    '19000229',
    '20230229',
    '18491231',
    '22000101',
    '1975-0707',
    '1975-7-7',
    '7-7-75',
    '007-7-1975',
    '7-13-1975',
    '30-2-1975',
    '7 7 1975',
    '7.7/1975',
    '07-07/1975',
    '07071975x',
    '75-07-07',
    '1975/07/07',
    '１９７５０７０７',
  ])('"%s" is refused', (text) => expectCode(() => parseBirthDate(text), 'birth-date-invalid'));

  test('every day there ever was, and no other', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1850, max: 2199 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 31 }),
        (y, m, d) => {
          const date = new Date(Date.UTC(y, m - 1, d));
          const exists = date.getUTCMonth() === m - 1;
          const [yyyy, mm, dd] = [String(y), String(m).padStart(2, '0'), String(d).padStart(2, '0')];
          for (const text of [
            `${yyyy}${mm}${dd}`,
            `${yyyy}-${mm}-${dd}`,
            `${dd}-${mm}-${yyyy}`,
            `${dd}/${mm}/${yyyy}`,
            `${d}-${m}-${yyyy}`,
            `${d}.${mm}.${yyyy}`,
          ]) {
            const parsed = acceptsOrRefuses(() => parseBirthDate(text));
            expect(parsed?.value).toBe(exists ? yyyy + mm + dd : undefined);
            if (parsed !== undefined) expect(parseBirthDate(parsed.value)).toBe(parsed.value);
            else expect(shownBy(() => parseBirthDate(text))).not.toContain(text);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('addresses', () => {
  const address = (change: Partial<AddressInput>): AddressInput => ({
    postcode: '6511 AA',
    number: 12,
    ...change,
  });

  test.each([
    [{}, '12', ''],
    [{ number: '12' }, '12', ''],
    [{ number: '0012' }, '12', ''],
    [{ number: ' 12A' }, '12', 'A'],
    [{ letter: 'a' }, '12', 'A'],
    [{ addition: 'A' }, '12', 'A'],
    [{ number: '12-a' }, '12', 'A'],
    [{ number: '12 bis' }, '12', 'BIS'],
    [{ letter: 'A', addition: '2' }, '12', 'A2'],
    [{ number: '12A', addition: '2' }, '12', 'A2'],
    [{ addition: 'III-hoog' }, '12', 'IIIHOOG'],
    [{ number: '99999' }, '99999', ''],
  ] as const)('%j', (change, number, suffix) => {
    expect(parseAddress(address(change))).toEqual({ postcode: '6511AA', number, suffix });
  });

  test.each(['6511AA', '6511 aa', ' 6511Aa ', '6511  AA'])('the postcode "%s"', (postcode) => {
    expect(parseAddress(address({ postcode })).postcode).toBe('6511AA');
  });

  test.each([
    [{ postcode: '' }, ['postcode']],
    [{ postcode: '0511AA' }, ['postcode']],
    [{ postcode: '6511A' }, ['postcode']],
    [{ postcode: '6511ÅA' }, ['postcode']],
    [{ number: '' }, ['number']],
    [{ number: '0' }, ['number']],
    [{ number: 0 }, ['number']],
    [{ number: -1 }, ['number']],
    [{ number: 1.5 }, ['number']],
    [{ number: Number.NaN }, ['number']],
    [{ number: '123456' }, ['number']],
    [{ number: 'bis' }, ['number']],
    [{ number: '12é' }, ['number']],
    [{ letter: 'ß' }, ['letter']],
    [{ addition: 'x'.repeat(17) }, ['addition']],
    [{ letter: 'x'.repeat(9), addition: 'x'.repeat(9) }, ['addition']],
    [
      { postcode: '1', number: 'x', letter: 'é', addition: 'é' },
      ['postcode', 'number', 'letter', 'addition'],
    ],
  ] as const)('%j is refused, and the fields are named', (change, fields) => {
    const error = errorOf(() => parseAddress(address(change)));
    expect(error.code).toBe('address-invalid');
    expect(error.fields.map(({ field }) => field)).toEqual(fields);
  });

  test('is idempotent, and never repeats what it refuses', () => {
    const part = fc.string({ unit: fc.constantFrom(...'0129aBzé- ./'), maxLength: 9 });
    fc.assert(
      fc.property(part, part, part, part, (postcode, number, letter, addition) => {
        const given = { postcode: `6511${postcode}`, number, letter, addition };
        const parsed = acceptsOrRefuses(() => parseAddress(given))?.value;
        if (parsed !== undefined)
          expect(
            parseAddress({ postcode: parsed.postcode, number: parsed.number, addition: parsed.suffix }),
          ).toEqual(parsed);
        else expect(shownBy(() => parseAddress({ ...given, letter: 'geheimé' }))).not.toContain('geheim');
      }),
      { numRuns: 500 },
    );
  });
});

describe('identifiers of a federation', () => {
  test.each([
    ['0012.345/a', '0012345A'],
    [' skn-1 ', 'SKN1'],
    ['x'.repeat(64), 'X'.repeat(64)],
  ])('"%s" is %s', (text, expected) => expect(parseIdentifier(text)).toBe(expected));

  test.each(['', ' ', '-', 'é', 'ſ', 'ı', '1_2', '1,2', 'x'.repeat(65)])('"%s" is refused', (text) =>
    expectCode(() => parseIdentifier(text), 'identifier-invalid'),
  );

  test('is idempotent', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const parsed = acceptsOrRefuses(() => parseIdentifier(text));
        if (parsed !== undefined) expect(parseIdentifier(parsed.value)).toBe(parsed.value);
      }),
    );
  });
});
