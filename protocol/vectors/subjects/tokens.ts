import { z } from 'zod';
import type { PersonDescription } from '../../src/index.ts';
import { encodeToken, normaliseName, tokensOf } from '../../src/index.ts';
import type { Case, NegativeCase, Subject } from '../format.ts';
import { operation } from '../format.ts';

const TYPES = ['bsn', 'name+birthdate', 'address', 'skn'];

const nameSchema = z.strictObject({
  surname: z.string(),
  prefix: z.string().optional(),
  givenNames: z.string().optional(),
});

/** Names in the spellings that registers have, several of them for one person. */
const NAMES: readonly (readonly [name: string, input: z.infer<typeof nameSchema>])[] = [
  ['prefix in a field of its own', { surname: 'Ven', prefix: 'van der', givenNames: 'Theodoor R.' }],
  ['prefix in front of the surname', { surname: 'van der Ven', givenNames: 'THEODOOR' }],
  ['prefix behind a comma', { surname: 'Ven, van der', givenNames: 'Théodoor' }],
  ['prefix cut in two', { surname: 'der Ven', prefix: 'van', givenNames: 'theodoor' }],
  ['abbreviated prefix', { surname: 'v.d. Ven', givenNames: 'Theodoor' }],
  ['apostrophe in front', { surname: "'s-Gravesande", givenNames: 'Anna' }],
  ['typographic apostrophe', { surname: '’t Hooft', givenNames: 'Gerard' }],
  ['double surname', { surname: 'Jansen-de Groot', givenNames: 'Marie-Louise' }],
  ['ij', { surname: 'Bruijn', prefix: 'de', givenNames: 'Thijs' }],
  ['y for ij', { surname: 'Bruyn', prefix: 'de', givenNames: 'Thys' }],
  ['the ligature for ij', { surname: 'Bru\u0133n', prefix: 'de', givenNames: 'Th\u0133s' }],
  ['German', { surname: 'Müller-Groß', prefix: 'von', givenNames: 'Jürgen' }],
  ['Scandinavian', { surname: 'Sørensen Ærø', givenNames: 'Bjørn' }],
  ['Polish', { surname: 'Wałęsa', givenNames: 'Łukasz' }],
  ['Turkish', { surname: 'Işık', givenNames: 'İbrahim' }],
  ['Arabic origin with article', { surname: 'El-Khattabi', prefix: 'ben', givenNames: 'Mohammed' }],
  ['combining marks', { surname: 'Re\u0301my', givenNames: 'Zoe\u0308' }],
  ['a surname that is a prefix word', { surname: 'Van', givenNames: 'Thi' }],
  ['no given name', { surname: 'Pocornie' }],
  ['no surname', { surname: '', givenNames: 'Sukarno' }],
];

const PERSONS: readonly (readonly [name: string, person: PersonDescription])[] = [
  [
    'every type',
    {
      bsn: '123456782',
      name: { surname: 'Ven', prefix: 'van der', givenNames: 'Theodoor' },
      birthDate: '1975-07-07',
      address: { postcode: '6511 aa', number: '12-bis', letter: '', addition: '2' },
      identifiers: { skn: '0012.345/a' },
    },
  ],
  ['number with dots and spaces', { bsn: ' 1234.56.782 ' }],
  ['birth date day first', { name: { surname: 'Ven' }, birthDate: '07/07/1975' }],
  ['day of birth unknown', { name: { surname: 'Ven' }, birthDate: '19750700' }],
  ['month and day of birth unknown', { name: { surname: 'Ven' }, birthDate: '1975-00-00' }],
  ['month of birth unknown', { name: { surname: 'Ven' }, birthDate: '1975-00-07' }],
  ['birth date unknown', { name: { surname: 'Ven' }, birthDate: '00000000' }],
  ['leap day', { name: { surname: 'Ven' }, birthDate: '29-02-2000' }],
  ['letter in its own field', { address: { postcode: '1234AB', number: 12, letter: 'a' } }],
  ['letter in the number', { address: { postcode: '1234AB', number: '12A' } }],
  ['zeros in front of the house number', { address: { postcode: '1234AB', number: '00012' } }],
  ['a name alone beside a number', { bsn: '123456782', name: { surname: 'Ven' } }],
];

const REFUSED: readonly (readonly [name: string, person: PersonDescription, error: NegativeCase['error']])[] =
  [
    ['number with a wrong digit', { bsn: '123456783' }, 'bsn-invalid'],
    ['nine zeros', { bsn: '000000000' }, 'bsn-invalid'],
    ['eight digits', { bsn: '12345678' }, 'bsn-invalid'],
    ['digits of another script', { bsn: '١٢٣٤٥٦٧٨٢' }, 'bsn-invalid'],
    ['name without letters', { name: { surname: '-' }, birthDate: '19750707' }, 'name-invalid'],
    ['name that is too long', { name: { surname: 'a'.repeat(501) }, birthDate: '19750707' }, 'name-invalid'],
    ['no such day', { name: { surname: 'Ven' }, birthDate: '19750231' }, 'birth-date-invalid'],
    ['no leap year', { name: { surname: 'Ven' }, birthDate: '19000229' }, 'birth-date-invalid'],
    ['month without year', { name: { surname: 'Ven' }, birthDate: '00000707' }, 'birth-date-invalid'],
    ['empty birth date', { name: { surname: 'Ven' }, birthDate: '' }, 'birth-date-invalid'],
    ['postcode with a zero in front', { address: { postcode: '0234AB', number: 1 } }, 'address-invalid'],
    ['house number 0', { address: { postcode: '1234AB', number: 0 } }, 'address-invalid'],
    ['identifier with a letter outside ASCII', { identifiers: { skn: '12é' } }, 'identifier-invalid'],
    ['two kinds of data wrong', { bsn: '1', address: { postcode: '', number: 1 } }, 'field-invalid'],
    ['name without birth date', { name: { surname: 'Ven' } }, 'person-without-token'],
    ['nothing', {}, 'person-without-token'],
  ];

/** Normalisation of what a person is described by, and the OPRF input that becomes of it. */
export const tokens: Subject = {
  description:
    'Identifiers. normalise-name: a name to its canonical surname and given name. tokens: a description of a person ' +
    'to the OPRF input for each wanted type that it has data for. encode-token: kind, type and canonical fields to ' +
    'the OPRF input: version 1, kind, length of type, type, number of fields, and each field with a two-byte length.',
  operations: {
    'normalise-name': operation(nameSchema, (_, name) => normaliseName(name)),
    tokens: operation(
      z.strictObject({ person: z.custom<PersonDescription>(), types: z.array(z.string()) }),
      (_, { person, types }) => tokensOf(person, types),
    ),
    'encode-token': operation(
      z.strictObject({
        kind: z.enum(['person', 'canary', 'padding']),
        type: z.string(),
        fields: z.array(z.string()),
      }),
      (_, { kind, type, fields }) => encodeToken(kind, type, fields),
    ),
  },
  cases: async () => ({
    vectors: [
      ...NAMES.map(([name, input]): Case => ({ name, operation: 'normalise-name', input })),
      ...PERSONS.map(([name, person]): Case => ({
        name,
        operation: 'tokens',
        input: { person, types: TYPES },
      })),
      ...(['person', 'canary', 'padding'] as const).map((kind): Case => ({
        name: `a field of a ${kind}`,
        operation: 'encode-token',
        input: { kind, type: 'bsn', fields: ['123456782'] },
      })),
      {
        name: 'fields that run together when they are joined, first way',
        operation: 'encode-token',
        input: { kind: 'person', type: 'address', fields: ['1234AB', '1', '1'] },
      },
      {
        name: 'fields that run together when they are joined, second way',
        operation: 'encode-token',
        input: { kind: 'person', type: 'address', fields: ['1234AB', '11', ''] },
      },
    ],
    negative: [
      ...REFUSED.map(([name, person, error]): NegativeCase => ({
        name,
        operation: 'tokens',
        input: { person, types: TYPES },
        error,
      })),
      ...['', 'B', 'BSN', '1bsn', 'bsn ', 'a'.repeat(33)].map((type): NegativeCase => ({
        name: `the type "${type}"`,
        operation: 'encode-token',
        input: { kind: 'person', type, fields: [] },
        error: 'identifier-invalid',
      })),
      {
        name: 'a lone surrogate',
        operation: 'encode-token',
        input: { kind: 'person', type: 'skn', fields: ['\ud800'] },
        error: 'field-invalid',
      },
    ],
  }),
};
