import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NameInput } from '@hitmachine/protocol';
import { normaliseName } from '@hitmachine/protocol';
import { acceptsOrRefuses, errorOf, expectCode } from './support.ts';

/** Spellings of one surname: all of a group must come out alike, and as the first word says. */
const SAME_SURNAME: readonly (readonly [canonical: string, spellings: readonly (string | NameInput)[]])[] = [
  [
    'ven',
    [
      'Ven',
      'VEN',
      'van der Ven',
      'Van Der Ven',
      'v.d. Ven',
      'v d Ven',
      'vd Ven',
      'v/d Ven',
      'vander Ven',
      'Ven, van der',
      'Ven , Van der ',
      'Ven, v.d.',
      { surname: 'Ven', prefix: 'van der' },
      { surname: 'der Ven', prefix: 'van' },
      { surname: 'van der Ven', prefix: 'van der' },
      { surname: 'Ven, van der', prefix: '' },
    ],
  ],
  [
    'gravesande',
    ["'s-Gravesande", '’s Gravesande', "s'Gravesande", "'s  gravesande", '`s-Gravesande', '´s-Gravesande'],
  ],
  ['hooft', ["'t Hooft", '’t Hooft', 't Hooft', "Hooft, 't", { surname: 'Hooft', prefix: "'t" }]],
  ['veld', ["in 't Veld", 'in t Veld', 'in het Veld', { surname: 'Veld', prefix: "in 't" }]],
  ['bruyn', ['de Bruijn', 'de Bruyn', 'De Bru\u0133n', 'BRUIJN', 'Bru\u0132n', 'de Bruÿn']],
  ['dyksma', ['Dijksma', 'Dyksma', 'D\u0133ksma', 'DIJKSMA']],
  [
    'jansendegroot',
    ['Jansen-de Groot', 'Jansen - De Groot', 'Jansen de Groot', 'JANSEN–DE GROOT', 'Jansen‑de Groot'],
  ],
  ['mullergross', ['Müller-Groß', 'Muller-Gross', 'Mu\u0308ller Groß', 'MÜLLER-GROSS', 'Müller-Groẞ']],
  ['sorensen', ['Sørensen', 'Sorensen', 'SØRENSEN', 'Sörensen']],
  ['walesa', ['Wałęsa', 'Walesa', 'WAŁĘSA']],
  ['isik', ['Işık', 'Isik', 'IŞIK', 'Isık', 'İşik']],
  ['dokic', ['Đokić', 'Dokic', 'ÐOKIĆ']],
  ['aeroe', ['Ærœ', 'Aeroe', 'ÆRŒ']],
  ['thorsson', ['Þórsson', 'Thorsson']],
  [
    'khattabi',
    ['El Khattabi', 'el-Khattabi', 'Al-Khattabi', 'al Khattabi', 'Ben el Khattabi', 'ibn al-Khattabi'],
  ],
  ['oconnor', ["O'Connor", 'O’Connor', 'OConnor', 'OʼConnor', 'O‘Connor', 'O Connor']],
  ['remy', ['Rémy', 'Re\u0301my', 'Remy', 'Ré\u00admy', 'Ré\u200bmy']],
  ['collada', ['Col·lada', 'Collada']],
];

/** Names that must stay apart. */
const DIFFERENT: readonly (readonly [string, string])[] = [
  ['Jansen', 'Janssen'],
  ['Jansen-de Groot', 'Jansen'],
  ['de Groot-Jansen', 'Jansen-de Groot'],
  ['Müller', 'Mueller'],
  ['Visser', 'Fisser'],
  ['Bakker', 'Bekker'],
];

const nameOf = (spelling: string | NameInput): NameInput =>
  typeof spelling === 'string' ? { surname: spelling } : spelling;

describe('surnames', () => {
  const table = SAME_SURNAME.flatMap(([canonical, spellings]) =>
    spellings.map((spelling) => [JSON.stringify(spelling), canonical, nameOf(spelling)] as const),
  );
  test.each(table)('%s is %s', (_, canonical, name) => {
    expect(normaliseName(name).surname).toBe(canonical);
  });

  test.each(DIFFERENT)('%s is not %s', (a, b) => {
    expect(normaliseName({ surname: a })).not.toEqual(normaliseName({ surname: b }));
  });

  test.each([
    ['Van', 'van'],
    ['Le', 'le'],
    ['de', 'de'],
    ['van den', 'den'],
    ['Thi Van', 'thivan'],
    ['Vries, Ridder van Ooit', 'vriesriddervanooit'],
    ['17 Mai', '17mai'],
  ])('%s, a hard case, is %s', (surname, canonical) => {
    expect(normaliseName({ surname }).surname).toBe(canonical);
  });
});

describe('given names', () => {
  test.each([
    ['Theodoor-Christiaan R. Philip', 'theodoorchristiaan'],
    ['Marie Louise', 'marie'],
    ['J.P.', 'j'],
    ['J P', 'j'],
    ['  Anna  ', 'anna'],
    ['D’Arcy', 'darcy'],
    ['Thijs', 'thys'],
    ['\u0133sbrand', 'ysbrand'],
    ['İbrahim', 'ibrahim'],
    ['Zoë', 'zoe'],
    ['Mohammed', 'mohammed'],
    ['. Dian', 'dian'],
    ['-', ''],
    ['', ''],
  ])('"%s" is "%s"', (givenNames, expected) => {
    expect(normaliseName({ surname: 'x', givenNames }).givenName).toBe(expected);
  });

  test('missing and empty are one', () => {
    expect(normaliseName({ surname: 'Ven' })).toEqual(
      normaliseName({ surname: 'Ven', givenNames: '', prefix: '' }),
    );
  });
});

describe('names that are refused', () => {
  test.each(['', ' ', '-', '.', "'", '12', '???', '\u0301'])('"%s" has no letters', (surname) => {
    expectCode(() => normaliseName({ surname }), 'name-invalid');
  });

  test('a part that is too long is named, not repeated', () => {
    for (const field of ['surname', 'prefix', 'givenNames'] as const) {
      const error = errorOf(() => normaliseName({ surname: 'Ven', [field]: 'geheim'.repeat(100) }));
      expect(error.code).toBe('name-invalid');
      expect(error.fields.map((entry) => entry.field)).toEqual([field]);
      expect(JSON.stringify([error.fields, error.message])).not.toContain('geheim');
    }
  });

  test('what is not text is a fault of the caller, and not shown', () => {
    expect(() => normaliseName({ surname: 987_654_321 as never })).toThrow(TypeError);
    expect(() => normaliseName({ surname: 987_654_321 as never })).not.toThrow(/987/);
  });
});

/** Text of the kinds that registers hold, weighted towards what is hard. */
const awkward = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      ..."abijyIJŸ '’-,.ñßøłıİőŵ\u0133\u0132·\u0301\u00ad",
      'van ',
      'der ',
      'de ',
      'ij',
      'i-j',
      "'t ",
    ),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 30,
});

describe('properties', () => {
  test('normalising is idempotent', () => {
    fc.assert(
      fc.property(awkward, awkward, awkward, (surname, prefix, givenNames) => {
        const once = acceptsOrRefuses(() => normaliseName({ surname, prefix, givenNames }))?.value;
        if (once === undefined) return;
        expect(normaliseName({ surname: once.surname, givenNames: once.givenName })).toEqual(once);
      }),
      { numRuns: 2_000 },
    );
  });

  test('neither case nor the form of Unicode matters', () => {
    fc.assert(
      fc.property(awkward, awkward, (surname, givenNames) => {
        const plain = acceptsOrRefuses(() => normaliseName({ surname, givenNames }))?.value;
        for (const form of ['NFC', 'NFD'] as const) {
          const other = { surname: surname.normalize(form), givenNames: givenNames.normalize(form) };
          expect(acceptsOrRefuses(() => normaliseName(other))?.value).toEqual(plain);
        }
      }),
      { numRuns: 500 },
    );
    const latin = fc.stringMatching(/^[a-zéïñ '-]{1,20}$/);
    fc.assert(
      fc.property(latin, latin, (surname, givenNames) => {
        const upper = { surname: surname.toUpperCase(), givenNames: givenNames.toUpperCase() };
        expect(acceptsOrRefuses(() => normaliseName(upper))).toEqual(
          acceptsOrRefuses(() => normaliseName({ surname, givenNames })),
        );
      }),
    );
  });

  test('a prefix may stand in its field, in front, or behind a comma', () => {
    const prefixes = fc.array(
      fc.constantFrom('van', 'de', 'der', 'den', 'ter', "'t", 'in', 'op', 'el', 'la'),
      {
        minLength: 1,
        maxLength: 3,
      },
    );
    const surnames = fc.stringMatching(/^[b-z]{4,8}sma( [b-z]{3,6}stra)?$/);
    fc.assert(
      fc.property(prefixes, surnames, fc.nat(), (words, surname, at) => {
        const prefix = words.join(' ');
        const cut = at % (words.length + 1);
        const expected = normaliseName({ surname });
        expect(normaliseName({ surname, prefix })).toEqual(expected);
        expect(normaliseName({ surname: `${prefix} ${surname}` })).toEqual(expected);
        expect(normaliseName({ surname: `${surname}, ${prefix}` })).toEqual(expected);
        const rest = [...words.slice(cut), surname].join(' ');
        expect(normaliseName({ surname: rest, prefix: words.slice(0, cut).join(' ') })).toEqual(expected);
      }),
    );
  });
});
