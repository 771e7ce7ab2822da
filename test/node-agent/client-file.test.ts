import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { HitError } from '@hitmachine/protocol';
import { readClientFile } from '../../node-agent/src/adapters/csv/client-file.ts';
import { prepareImport } from '../../node-agent/src/domain/import-clients.ts';
import { T0 } from './support/gateway.ts';
import { numbers, registerOf } from './support/node.ts';

const folder = mkdtempSync(join(tmpdir(), 'hitmachine-csv-'));
const FILE = join(folder, 'clients.csv');
const [one, two, three] = numbers(3) as [string, string, string];

afterAll(() => rmSync(folder, { recursive: true }));

type Options = Partial<Parameters<typeof readClientFile>[1]>;

function read(content: string | Uint8Array, options: Options = {}) {
  writeFileSync(FILE, content);
  return readClientFile(FILE, { tokenTypes: ['bsn'], ignoreUnknownColumns: false, ...options });
}

function complaintOf(content: string | Uint8Array, options: Options = {}): string {
  try {
    read(content, options);
  } catch (error) {
    if (error instanceof HitError && error.code === 'import-invalid')
      return error.detail.replace(FILE, 'FILE');
    throw error;
  }
  throw new Error('the file was accepted');
}

const linesOf = (rows: ReturnType<typeof read>) => rows.map(({ line }) => line);
const numbersOf = (rows: ReturnType<typeof read>) =>
  rows.map((row) => ('client' in row ? row.client.bsn : undefined));

describe('a client file', () => {
  it.each([
    ['comma', ','],
    ['semicolon', ';'],
    ['tab', '\t'],
  ])('may be separated by %s', (_, mark) => {
    const rows = read(
      [
        `bsn${mark}surname${mark}birthDate`,
        `${one}${mark}Vries${mark}1990-01-02`,
        `${two}${mark}${mark}`,
      ].join('\n'),
    );
    expect(rows).toMatchObject([
      { line: 2, client: { bsn: one, name: { surname: 'Vries' }, birthDate: '1990-01-02' } },
      { line: 3, client: { bsn: two, birthDate: undefined } },
    ]);
  });

  it.each([
    ['line feeds', '\n', ''],
    ['carriage returns and line feeds', '\r\n', ''],
    ['a byte order mark, as Excel writes it', '\r\n', '\ufeff'],
  ])('may have %s', (_, end, mark) => {
    const rows = read(`${mark}BSN;Achternaam${end}${one};Vries${end}${end}${two};Jansen${end}`, {
      tokenTypes: ['bsn'],
    });
    expect(linesOf(rows)).toEqual([2, 4]);
    expect(numbersOf(rows)).toEqual([one, two]);
  });

  it.each(['\n', '\r\n'])(
    'names the line on which a row begins, with quoted fields over several lines (%j)',
    (end) => {
      const content = [
        'bsn,surname',
        `${one},"Vries${end}van${end}der"`,
        `${two},"a ""quoted"" word"`,
        '',
        `"${three}","${end}${end}"`,
        `${one},last`,
      ].join(end);
      expect(linesOf(read(content))).toEqual([2, 5, 7, 10]);
      expect(linesOf(read(content + end))).toEqual([2, 5, 7, 10]);
      expect(linesOf(read(end + end + content))).toEqual([4, 7, 9, 12]);
    },
  );

  it('knows the Dutch headings, in any case and with spaces, hyphens or underscores', () => {
    const headings =
      'Burgerservicenummer;VOORVOEGSEL;geslachtsnaam;Voor_namen;Geboorte-datum;Postcode;Huis nummer;Huisletter;Huisnummer_toevoeging';
    const [row] = read(`${headings}\n${one};van;Dam;Jan;01-02-1990;1234 AB;12;A;bis`);
    expect(row).toEqual({
      line: 2,
      client: {
        bsn: one,
        name: { surname: 'Dam', prefix: 'van', givenNames: 'Jan' },
        birthDate: '01-02-1990',
        address: { postcode: '1234 AB', number: '12', letter: 'A', addition: 'bis' },
        identifiers: {},
      },
    });
  });

  it('takes the identifiers of a federation as columns of a register that holds them', () => {
    const [row] = read(`skn;bsn\nA-12;${one}`, { tokenTypes: ['bsn', 'skn'] });
    expect(row).toMatchObject({ client: { identifiers: { skn: 'A-12' } } });
    expect(complaintOf(`skn;bsn\nA-12;${one}`)).toMatch(/^FILE:1: columns that are not known: skn/);
  });

  it.each([
    ['an empty file', '', /^FILE:1: the file is empty/],
    ['empty lines alone', '\n\r\n\n', /^FILE:1: the file is empty/],
    [
      'an unknown column',
      `bsn;shoesize\n${one};42`,
      /^FILE:1: columns that are not known: shoesize\. Known are bsn,/,
    ],
    ['a column twice', `bsn;sofinummer\n${one};${one}`, /^FILE:1: the column bsn stands twice/],
    [
      'no heading line',
      `${one};Vries\n${two};Jansen`,
      /^FILE:1: none of the columns is known; is the heading line missing\?/,
    ],
    [
      'a quotation mark in the heading',
      `bsn,sur"name\n${one},x\n`,
      /^FILE:1: the row is not well-formed CSV/,
    ],
  ])('is refused with %s', (_, content, message) => {
    expect(complaintOf(content)).toMatch(message);
  });

  it('says which columns a token type lacks, because nobody could be found by it', () => {
    const tokenTypes = ['bsn', 'name+birthdate', 'address', 'skn'];
    expect(complaintOf(`bsn;surname;postcode\n${one};a;b`, { tokenTypes })).toMatch(
      /^FILE:1: columns are missing: name\+birthdate needs birthDate; address needs houseNumber; skn needs skn\./,
    );
  });

  it('leaves unknown columns out when told to', () => {
    const rows = read(`shoesize;bsn;hobby\n42;${one};chess`, { ignoreUnknownColumns: true });
    expect(numbersOf(rows)).toEqual([one]);
  });

  it('is named with its line when it is not UTF-8', () => {
    const latin1 = Buffer.from(`bsn;surname\n${one};Vries\n${two};Bo\u00e9ll\n`, 'latin1');
    expect(complaintOf(latin1)).toMatch(/^FILE:3: not UTF-8/);
    expect(complaintOf(Buffer.from(`bsn\n${one}\n`, 'utf16le'))).toMatch(/^FILE:1: /);
  });

  it('may begin with empty lines, whatever the separator', () => {
    expect(linesOf(read(`\n\n\nbsn;surname\n${one};x`))).toEqual([5]);
  });

  it('may have no rows, and may end without a line end', () => {
    expect(read('bsn;surname')).toEqual([]);
    expect(read('bsn;surname\r\n')).toEqual([]);
  });

  it('that is not there says so', () => {
    expect(() =>
      readClientFile(join(folder, 'nothing.csv'), { tokenTypes: ['bsn'], ignoreUnknownColumns: false }),
    ).toThrow(/nothing\.csv: there is no such file/);
    expect(() => readClientFile(folder, { tokenTypes: ['bsn'], ignoreUnknownColumns: false })).toThrow(
      /this is a directory, and a file is wanted/,
    );
  });

  it('tells of every row with more or fewer fields, and reads on', () => {
    const rows = read(`bsn;surname\n${one}\n${two};Vries\n${three};a;b\n`);
    expect(rows).toEqual([
      { line: 2, problem: 'the row has 1 field, the heading line 2' },
      expect.objectContaining({ line: 3 }),
      { line: 4, problem: 'the row has 3 fields, the heading line 2' },
    ]);
  });

  it.each([
    ['too many', `${one};Vr"ies`],
    ['after a quoted field', `${one};"Vries" x`],
    ['too few', `${one};"Vries`],
    ['too few, in a row with another', `"${one}";"Vries`],
  ])('loses one line to a quotation mark %s, and reads on', (_, broken) => {
    const content = [
      'bsn;surname',
      `${two};a`,
      '',
      broken,
      `${three};"b"`,
      `${one};c;d`,
      `${two};"e`,
      '',
      `${three};f`,
    ];
    for (const end of ['\n', '\r\n'])
      for (const tail of ['', end]) {
        const rows = read(content.join(end) + tail);
        expect(linesOf(rows)).toEqual([2, 4, 5, 6, 7, 9]);
        expect(numbersOf(rows)).toEqual([two, undefined, three, undefined, undefined, three]);
        expect(rows[1]).toEqual({
          line: 4,
          problem: expect.stringContaining('a quotation mark too many or too few') as string,
        });
      }
  });

  it('is given up when it is full of them', () => {
    const rows = Array.from({ length: 101 }, () => `${one};Vr"ies`);
    expect(complaintOf(['bsn;surname', ...rows].join('\n'))).toMatch(
      /^FILE:102: here and before, more than 100 rows have a quotation mark too many or too few/,
    );
    expect(read(['bsn;surname', ...rows.slice(1)].join('\n'))).toHaveLength(100);
  });

  it('may hold the same client twice, who counts once', async () => {
    const rows = read(
      `bsn;surname;birthDate\n${one};Vries;1990-01-02\n"${one}";vries;2-1-1990\n${one};;\n${two};;\n`,
      { tokenTypes: ['bsn', 'name+birthdate'] },
    );
    const register = registerOf('r', ['bsn', 'name+birthdate']);
    const { clients, repeated, tokens } = await prepareImport(register, rows, T0);
    expect([clients, repeated]).toEqual([3, 1]);
    expect(tokens.countOf('bsn')).toBe(3);
    expect(tokens.countOf('name+birthdate')).toBe(1);
  });

  it('may hold the birth dates of today, not those of later years', async () => {
    const day = (days: number) => new Date(T0 + days * 86_400_000).toISOString().slice(0, 10);
    const rows = read(
      [
        'surname;birthDate',
        ...[day(0), day(2), '1-1-2027', '00-00-2026', '2027-00-00', '31-12-2199'].map((date) => `x;${date}`),
      ].join('\n'),
      { tokenTypes: ['name+birthdate'] },
    );
    const { bad } = await prepareImport(registerOf('r', ['name+birthdate']), rows, T0);
    expect(bad).toEqual(
      [3, 4, 6, 7].map((line) => ({
        line,
        reason: 'birthDate: the date lies in the future; look at its year',
      })),
    );
    // A register that does not use it does not look at it.
    const other = read(`bsn;birthDate\n${one};2199-01-01`);
    expect((await prepareImport(registerOf('r', ['bsn']), other, T0)).bad).toEqual([]);
  });

  it('says what a row without anything could have', async () => {
    const { bad } = await prepareImport(
      registerOf('r', ['bsn', 'name+birthdate', 'skn']),
      read(`bsn;surname;birthDate;skn\n;;;\n;x;;\n`, { tokenTypes: ['bsn', 'name+birthdate', 'skn'] }),
      T0,
    );
    expect(bad.map(({ reason }) => reason)).toEqual([
      'nothing to find this person by; give bsn; or name (or surname) and birthDate; or skn',
      'a name can be used only together with a birth date',
    ]);
  });

  it('bears huge fields, in good time', async () => {
    const huge = 'x '.repeat(1_000_000);
    const rows = read(
      `bsn;surname;birthDate;postcode;houseNumber\n${one};"${huge}";${huge};${huge};${huge}\n${huge};;;;\n`,
      {
        tokenTypes: ['bsn', 'name+birthdate', 'address'],
      },
    );
    const { bad, clients } = await prepareImport(
      registerOf('r', ['bsn', 'name+birthdate', 'address']),
      rows,
      T0,
    );
    expect(clients).toBe(0);
    expect(bad.map(({ line }) => line)).toEqual([2, 3]);
    expect(JSON.stringify(bad).length).toBeLessThan(2_000);
  });

  it('tells of every bad row in words that repeat nothing of it', async () => {
    const register = registerOf('r', ['bsn', 'name+birthdate', 'address']);
    const mark = 'Merkteken';
    const value = fc.oneof(
      fc.constantFrom(
        mark,
        `12345${mark}`,
        `${mark}-99`,
        '123456789',
        '999999999',
        '31-02-1990',
        '1234567',
        '0000 XX',
        '99999999',
      ),
      fc.constant(''),
    );
    const columns = 'bsn;surname;prefix;givenNames;birthDate;postcode;houseNumber;houseLetter';
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(value, { minLength: 1, maxLength: 10 }), { minLength: 1, maxLength: 5 }),
        async (rows) => {
          const parsed = read([columns, ...rows.map((row) => row.join(';') || ';')].join('\n'), {
            tokenTypes: register.tokenTypes,
          });
          const { bad } = await prepareImport(register, parsed, T0);
          for (const { reason } of bad)
            for (const field of rows.flat().filter((text) => text.length > 2))
              expect(reason).not.toContain(field);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('without a heading line does not repeat the first row', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('Merkteken', 'Merk teken', '123456782', '1990-01-01', 'M\u00e9rk'), {
          minLength: 1,
          maxLength: 6,
        }),
        (values) => {
          const complaint = complaintOf(`${values.join(';')}\n${values.join(';')}\n`);
          for (const value of values) expect(complaint).not.toContain(value);
        },
      ),
      { numRuns: 50 },
    );
    expect(complaintOf(`bsn;123456782\n${one};x`)).not.toContain('123456782');
  });
});
