import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { HitError } from '@hitmachine/protocol';
import { configSchema } from '../../node-agent/src/config.ts';
import { openSource } from '../../node-agent/src/open-source.ts';
import type { ClientRow, SourceClient } from '../../node-agent/src/ports/client-source.ts';
import { numbers, registerOf } from './support/node.ts';

const folder = mkdtempSync(join(tmpdir(), 'hitmachine-source-'));
const [one, two, three] = numbers(3) as [string, string, string];

afterAll(() => rmSync(folder, { recursive: true }));

/** A register with a source as agent.yaml has one. */
const withSource = (source: object, tokenTypes = ['bsn']) =>
  configSchema.parse({ registers: [{ ...registerOf('zaken', tokenTypes), source }] }).registers[0]!;

async function rowsOf(source: object, tokenTypes?: string[]): Promise<ClientRow[]> {
  const rows: ClientRow[] = [];
  for await (const row of openSource(folder, withSource(source, tokenTypes)).rows()) rows.push(row);
  return rows;
}
const clientsOf = async (source: object, tokenTypes?: string[]): Promise<SourceClient[]> =>
  (await rowsOf(source, tokenTypes)) as SourceClient[];

async function complaintOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof HitError)) throw new Error(`not refused: ${String(error)}`);
  return error.detail.replace(folder, 'FOLDER');
}

function write(name: string, content: string | Uint8Array): void {
  writeFileSync(join(folder, name), content);
}

const NAMED = `bsn;surname\n${one};Vries\n${two};Boëll\n`;
const namesOf = (rows: SourceClient[]) => rows.map(({ client }) => client.name?.surname);
const utf16be = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();

describe('the encoding of a client file', () => {
  it.each<[string, Buffer, string | undefined]>([
    ['UTF-8', Buffer.from(NAMED), undefined],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${NAMED}`), undefined],
    ['UTF-16 with a mark, little end first', Buffer.from(`\ufeff${NAMED}`, 'utf16le'), undefined],
    ['UTF-16 with a mark, big end first', utf16be(`\ufeff${NAMED}`), undefined],
    ['UTF-16 without one', Buffer.from(NAMED, 'utf16le'), undefined],
    ['windows-1252', Buffer.from(NAMED, 'latin1'), undefined],
    ['windows-1252, as told', Buffer.from(NAMED, 'latin1'), 'latin-1'],
    ['UTF-16, as told', utf16be(NAMED), 'utf-16be'],
  ])('is known: %s', async (_, bytes, encoding) => {
    write('a.csv', bytes);
    const rows = await clientsOf({ csv: { file: 'a.csv', ...(encoding !== undefined && { encoding }) } });
    expect(namesOf(rows)).toEqual(['Vries', 'Boëll']);
  });

  it.each<[string, Buffer, string, RegExp]>([
    ['Latin-1 said to be UTF-8', Buffer.from(NAMED, 'latin1'), 'utf-8', /a\.csv:3: not UTF-8; save/],
    [
      'UTF-8 said to be Latin-1',
      Buffer.from(NAMED),
      'latin-1',
      /a\.csv:3: the file is UTF-8, and encoding says/,
    ],
    ['UTF-16 said to be UTF-8', Buffer.from(NAMED, 'utf16le'), 'utf-8', /a\.csv:1: the file is UTF-16LE/],
    [
      'UTF-8 with a letter that is none',
      Buffer.concat([Buffer.from(NAMED), Buffer.from([0xff])]),
      'auto',
      /a\.csv:4: not UTF-8/,
    ],
    [
      'a letter that is cut off',
      Buffer.from(NAMED).subarray(0, -4),
      'auto',
      /a\.csv:3: the text ends in the middle/,
    ],
    [
      'bytes that windows-1252 has not',
      Buffer.from([0x62, 0x73, 0x6e, 10, 0x81]),
      'windows-1252',
      /a\.csv:2: not windows-1252/,
    ],
    [
      'the zeros of a file that is being written',
      Buffer.concat([Buffer.from(NAMED), Buffer.alloc(9)]),
      'auto',
      /a\.csv:4: there is a zero byte/,
    ],
  ])('that is wrong is named with its line: %s', async (_, bytes, encoding, message) => {
    write('a.csv', bytes);
    expect(await complaintOf(rowsOf({ csv: { file: 'a.csv', encoding } }))).toMatch(message);
  });

  it('is known across the pieces in which a file is read', async () => {
    const many = Array.from({ length: 40_000 }, (__, i) => `${one};Boëll${i}`);
    for (const encoding of ['utf8', 'utf16le', 'latin1'] as const) {
      write('a.csv', Buffer.from(['bsn;surname', ...many].join('\r\n'), encoding));
      const rows = await clientsOf({ csv: { file: 'a.csv' } });
      expect(rows).toHaveLength(40_000);
      expect(rows.at(-1)).toMatchObject({ line: 40_001, client: { name: { surname: 'Boëll39999' } } });
    }
  });
});

describe('a source in agent.yaml', () => {
  it('gives columns, fixed values and dates their names', async () => {
    write(
      'b.csv',
      `Nr|Naam|Geb.datum|Tot|Geheim|Bijzonderheden\nK-1|Vries|07/24/1975|12/31/2026|0|x\nK-2|Dam|02/30/1975||7|y\n`,
    );
    const source = {
      csv: { file: 'b.csv', delimiter: '|' },
      columns: {
        reference: 'nr',
        surname: 'Naam',
        birthDate: 'Geb.datum',
        until: 'Tot',
        protected: 'Geheim',
      },
      fixed: { postcode: '6511 PP', houseNumber: 12 },
      dateFormats: ['mm/dd/yyyy'],
      ignoreUnknownColumns: true,
    };
    expect(await rowsOf(source, ['name+birthdate', 'address'])).toEqual([
      {
        line: 2,
        reference: 'K-1',
        until: Date.UTC(2026, 11, 31) / 86_400_000,
        isProtected: false,
        client: expect.objectContaining({
          name: { surname: 'Vries', prefix: undefined, givenNames: undefined },
          birthDate: '19750724',
          address: { postcode: '6511 PP', number: '12', letter: undefined, addition: undefined },
        }) as object,
      },
      expect.objectContaining({ line: 3, isProtected: true }) as object,
    ]);
  });

  it.each<[string, object, RegExp]>([
    ['no kind', {}, /exactly one of csv, jsonLines, sql, stdin, push/],
    ['two kinds', { csv: { file: 'a' }, stdin: {} }, /exactly one of/],
    ['a date format without a year', { csv: { file: 'a' }, dateFormats: ['dd-mm'] }, /yyyy, mm \(or m\)/],
    ['a wrong encoding', { csv: { file: 'a', encoding: 'ebcdic' } }, /encoding/],
    ['a misspelt setting', { csv: { file: 'a', delimeter: ';' } }, /delimeter/],
  ])('is refused with %s', (_, source, message) => {
    expect(() => withSource(source)).toThrow(message);
  });

  it.each<[string, object, RegExp]>([
    [
      'a column that does not exist',
      { columns: { bsm: 'x' } },
      /source\.columns\.bsm: there is no such column; known are bsn,/,
    ],
    [
      'a heading that the file has not',
      { columns: { bsn: 'Nummer' } },
      /b\.csv:1: Nummer \(columns\.bsn in agent\.yaml\): there is no such column/,
    ],
    [
      'dates of another form',
      { dateFormats: ['yyyymmdd'], columns: { until: 'einde' } },
      /ROW 2: until: a day that exists, written as yyyymmdd/,
    ],
  ])('names %s', async (_, settings, message) => {
    write('b.csv', `bsn;einde\n${one};31-12-2026\n`);
    const run = rowsOf({ csv: { file: 'b.csv' }, ignoreUnknownColumns: true, ...settings }).then((rows) => {
      const [row] = rows;
      throw new HitError('import-invalid', `ROW ${row?.line ?? ''}: ${(row as { problem: string }).problem}`);
    });
    expect(await complaintOf(run)).toMatch(message);
  });

  it('takes yes and no for protected, and nothing that could be either', async () => {
    const values = ['ja', 'Nee', '1', '0', '', 'x', 'FALSE', 'misschien', '-1'];
    write('b.csv', ['bsn;protected', ...values.map((value) => `${one};${value}`)].join('\n'));
    const found = (await rowsOf({ csv: { file: 'b.csv' } })).map((row) =>
      'problem' in row ? 'bad' : row.isProtected,
    );
    expect(found).toEqual([true, false, true, false, false, true, false, 'bad', 'bad']);
  });

  it('does not take what changes while it is read', async () => {
    write('b.csv', ['bsn', ...Array.from({ length: 60_000 }, () => one)].join('\n'));
    const run = async () => {
      let rows = 0;
      for await (const row of openSource(folder, withSource({ csv: { file: 'b.csv' } })).rows())
        if (rows++ === 0) appendFileSync(join(folder, 'b.csv'), `\n${'line' in row ? two : ''}`);
    };
    expect(await complaintOf(run())).toMatch(
      /b\.csv: the file changed while it was read, so nothing was changed/,
    );
  });
});

describe('JSON Lines', () => {
  const source = { jsonLines: { file: 'c.jsonl' } };
  const lines = (...rows: unknown[]) => rows.map((row) => JSON.stringify(row)).join('\n');

  it('has lines that may be of somebody protected when another tells who is', async () => {
    const open = { bsn: one };
    for (const [other, mayBe] of [
      [{ ...open, protected: false }, true],
      [open, undefined],
    ] as const) {
      write('c.jsonl', `{"bsn\n${lines(other)}`);
      const rows = await rowsOf(source);
      expect(rows.map(({ line }) => line)).toEqual([2, 1]);
      expect(rows[1]).toMatchObject({ problem: expect.stringMatching(/no JSON object/) as string });
      expect(rows.flatMap((row) => ('problem' in row ? [row.mayBeProtected] : []))).toEqual([mayBe]);
    }
  });

  it('may be flat, or persons as the API has them', async () => {
    write(
      'c.jsonl',
      lines(
        {
          bsn: one,
          surname: 'Vries',
          birthDate: '1990-01-02',
          until: '2026-12-31T00:00:00',
          protected: true,
        },
        {
          reference: 'K-2',
          bsn: two,
          name: { surname: 'Dam', prefix: 'van' },
          address: { postcode: '1234AB', number: 7 },
        },
        { bsn: three, surname: null, protected: false },
      ),
    );
    expect(await rowsOf(source)).toMatchObject([
      { line: 1, client: { bsn: one, name: { surname: 'Vries' } }, until: 20_818, isProtected: true },
      {
        line: 2,
        reference: 'K-2',
        client: { name: { surname: 'Dam', prefix: 'van' }, address: { number: '7' } },
      },
      { line: 3, client: { bsn: three }, isProtected: false },
    ]);
  });

  it('tells of every line that is no client, and repeats nothing', async () => {
    write(
      'c.jsonl',
      `{"bsn":"${one}"}\n{"bsn":"Merkteken\n["Merkteken"]\n{"bsn":["Merkteken"]}\n\n{"bsn":"1","sofinummer":"2"}`,
    );
    // In any order: one waits for what the others tell.
    const rows = (await rowsOf(source)).sort((a, b) => a.line - b.line);
    expect(rows.map(({ line }) => line)).toEqual([1, 2, 3, 4, 6]);
    expect(rows.map((row) => ('problem' in row ? row.problem : ''))).toEqual([
      '',
      expect.stringMatching(/no JSON object/),
      expect.stringMatching(/no JSON object/),
      expect.stringMatching(/neither a text/),
      expect.stringMatching(/^bsn: it stands here under two names/),
    ]);
    expect(JSON.stringify(rows)).not.toContain('Merkteken');
  });

  it('names a member that is not known, and one that never came', async () => {
    write('c.jsonl', lines({ bsn: one }, { bsn: two, shoesize: 42 }));
    expect(await complaintOf(rowsOf(source))).toMatch(
      /c\.jsonl:2: columns that are not known: shoesize\. Known/,
    );
    write('c.jsonl', lines({ surname: 'x', birthDate: '1990-01-02' }));
    expect(await complaintOf(rowsOf(source))).toMatch(/c\.jsonl:1: columns are missing: bsn needs bsn/);
  });
});
