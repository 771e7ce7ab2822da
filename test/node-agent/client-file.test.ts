import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { HitError } from '@hitmachine/protocol';
import { csvClients } from '../../node-agent/src/adapters/sources/csv-source.ts';
import { fileBytes } from '../../node-agent/src/adapters/sources/file-bytes.ts';
import { prepareImport } from '../../node-agent/src/domain/importing/import-clients.ts';
import type { ClientRow } from '../../node-agent/src/ports/client-source.ts';
import { T0 } from './support/gateway.ts';
import { numbers, registerOf } from './support/node.ts';

const folder = mkdtempSync(join(tmpdir(), 'hitmachine-csv-'));
const FILE = join(folder, 'clients.csv');
const [one, two, three] = numbers(3) as [string, string, string];

afterAll(() => rmSync(folder, { recursive: true }));

type Options = Partial<Parameters<typeof csvClients>[1]>;

async function readFile(file: string, options: Options = {}): Promise<ClientRow[]> {
  const rows: ClientRow[] = [];
  const form = { tokenTypes: ['bsn'], delimiter: 'auto', encoding: 'auto' as const, ...options };
  for await (const row of csvClients(fileBytes(file), form)) rows.push(row);
  return rows;
}

function read(content: string | Uint8Array, options: Options = {}) {
  writeFileSync(FILE, content);
  return readFile(FILE, options);
}

async function complaintOf(content: string | Uint8Array, options: Options = {}): Promise<string> {
  try {
    await read(content, options);
  } catch (error) {
    if (error instanceof HitError && error.code === 'import-invalid')
      return error.detail.replace(FILE, 'FILE');
    throw error;
  }
  throw new Error('the file was accepted');
}

type Rows = Awaited<ReturnType<typeof read>>;
const linesOf = (rows: Rows) => rows.map(({ line }) => line);
const numbersOf = (rows: Rows) => rows.map((row) => ('client' in row ? row.client.bsn : undefined));

describe('a client file', () => {
  it.each([
    ['comma', ','],
    ['semicolon', ';'],
    ['tab', '\t'],
  ])('may be separated by %s', async (_, mark) => {
    const rows = await read(
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
  ])('may have %s', async (_, end, mark) => {
    const rows = await read(`${mark}BSN;Achternaam${end}${one};Vries${end}${end}${two};Jansen${end}`, {
      tokenTypes: ['bsn'],
    });
    expect(linesOf(rows)).toEqual([2, 4]);
    expect(numbersOf(rows)).toEqual([one, two]);
  });

  it.each(['\n', '\r\n'])(
    'names the line on which a row begins, with quoted fields over several lines (%j)',
    async (end) => {
      const content = [
        'bsn,surname',
        `${one},"Vries${end}van${end}der"`,
        `${two},"a ""quoted"" word"`,
        '',
        `"${three}","${end}${end}"`,
        `${one},last`,
      ].join(end);
      expect(linesOf(await read(content))).toEqual([2, 5, 7, 10]);
      expect(linesOf(await read(content + end))).toEqual([2, 5, 7, 10]);
      expect(linesOf(await read(end + end + content))).toEqual([4, 7, 9, 12]);
    },
  );

  it.each([
    ['sep=;', ';'],
    ['sep=\t', '\t'],
    ['"SEP=^"', '^'],
  ])('may name its delimiter in a line before the heading, as spreadsheets do: %s', async (first, mark) => {
    const text = [first, `bsn${mark}surname`, `${one}${mark}Vries, de`].join('\r\n');
    const [row] = await read(text);
    expect(row).toMatchObject({ line: 3, client: { bsn: one, name: { surname: 'Vries, de' } } });
    expect(await read(text, { delimiter: mark })).toEqual([row]);
    // Only there: elsewhere it is a row.
    expect(await read(`bsn;surname\n${one};Vries\nsep=;\n`)).toMatchObject([{ line: 2 }, { line: 3 }]);
  });

  it('is told of a column without a heading, as a delimiter at the end of each line makes one', async () => {
    const text = `bsn;surname;\n${one};Vries;\n`;
    expect(await complaintOf(text)).toMatch(
      /^FILE:1: columns that are not known: one without a heading \(a delimiter at the end of the line\?\)/,
    );
    expect(numbersOf(await read(text, { ignoreUnknownColumns: true }))).toEqual([one]);
  });

  it('knows the Dutch headings, in any case and with spaces, hyphens or underscores', async () => {
    const headings =
      'Burgerservicenummer;VOORVOEGSEL;geslachtsnaam;Voor_namen;Geboorte-datum;Postcode;Huis nummer;Huisletter;Huisnummer_toevoeging';
    const [row] = await read(`${headings}\n${one};van;Dam;Jan;01-02-1990;1234 AB;12;A;bis`);
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

  it('takes the identifiers of a federation as columns of a register that holds them', async () => {
    const [row] = await read(`skn;bsn\nA-12;${one}`, { tokenTypes: ['bsn', 'skn'] });
    expect(row).toMatchObject({ client: { identifiers: { skn: 'A-12' } } });
    expect(await complaintOf(`skn;bsn\nA-12;${one}`)).toMatch(/^FILE:1: columns that are not known: skn/);
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
  ])('is refused with %s', async (_, content, message) => {
    expect(await complaintOf(content)).toMatch(message);
  });

  it('says which columns a token type lacks, because nobody could be found by it', async () => {
    const tokenTypes = ['bsn', 'name+birthdate', 'address', 'skn'];
    expect(await complaintOf(`bsn;surname;postcode\n${one};a;b`, { tokenTypes })).toMatch(
      /^FILE:1: columns are missing: name\+birthdate needs birthDate; address needs houseNumber; skn needs skn\./,
    );
  });

  it('leaves unknown columns out when told to', async () => {
    const rows = await read(`shoesize;bsn;hobby\n42;${one};chess`, { ignoreUnknownColumns: true });
    expect(numbersOf(rows)).toEqual([one]);
  });

  it('may begin with empty lines, whatever the separator', async () => {
    expect(linesOf(await read(`\n\n\nbsn;surname\n${one};x`))).toEqual([5]);
  });

  it('may have no rows, and may end without a line end', async () => {
    expect(await read('bsn;surname')).toEqual([]);
    expect(await read('bsn;surname\r\n')).toEqual([]);
  });

  it('that is not there says so', async () => {
    await expect(readFile(join(folder, 'nothing.csv'))).rejects.toThrow(
      /nothing\.csv: there is no such file/,
    );
    await expect(readFile(folder)).rejects.toThrow(/this is a directory, and a file is wanted/);
  });

  it('tells of every row with more or fewer fields, and reads on', async () => {
    const rows = await read(`bsn;surname\n${one}\n${two};Vries\n${three};a;b\n`);
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
  ])('loses one line to a quotation mark %s, and reads on', async (_, broken) => {
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
        const rows = await read(content.join(end) + tail);
        expect(linesOf(rows)).toEqual([2, 4, 5, 6, 7, 9]);
        expect(numbersOf(rows)).toEqual([two, undefined, three, undefined, undefined, three]);
        expect(rows[1]).toEqual({
          line: 4,
          problem: expect.stringContaining('a quotation mark too many or too few') as string,
        });
      }
  });

  it('is given up when it is full of them', async () => {
    const rows = Array.from({ length: 101 }, () => `${one};Vr"ies`);
    expect(await complaintOf(['bsn;surname', ...rows].join('\n'))).toMatch(
      /^FILE:102: here and before, more than 100 rows have a quotation mark too many or too few/,
    );
    expect(await read(['bsn;surname', ...rows.slice(1)].join('\n'))).toHaveLength(100);
  });

  it('may hold the same client twice, who counts once', async () => {
    const rows = await read(
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
    const rows = await read(
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
    const other = await read(`bsn;birthDate\n${one};2199-01-01`);
    expect((await prepareImport(registerOf('r', ['bsn']), other, T0)).bad).toEqual([]);
  });

  it('says what a row without anything could have', async () => {
    const { bad } = await prepareImport(
      registerOf('r', ['bsn', 'name+birthdate', 'skn']),
      await read(`bsn;surname;birthDate;skn\n;;;\n;x;;\n`, { tokenTypes: ['bsn', 'name+birthdate', 'skn'] }),
      T0,
    );
    expect(bad.map(({ reason }) => reason)).toEqual([
      'nothing to find this person by; give bsn; or name (or surname) and birthDate; or skn',
      'a name can be used only together with a birth date',
    ]);
  });

  it('bears huge fields, in good time', async () => {
    const huge = 'x '.repeat(1_000_000);
    const rows = await read(
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
          const parsed = await read([columns, ...rows.map((row) => row.join(';') || ';')].join('\n'), {
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

  it('without a heading line does not repeat the first row', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('Merkteken', 'Merk teken', '123456782', '1990-01-01', 'M\u00e9rk'), {
          minLength: 1,
          maxLength: 6,
        }),
        async (values) => {
          const complaint = await complaintOf(`${values.join(';')}\n${values.join(';')}\n`);
          for (const value of values) expect(complaint).not.toContain(value);
        },
      ),
      { numRuns: 50 },
    );
    expect(await complaintOf(`bsn;123456782\n${one};x`)).not.toContain('123456782');
  });
});
