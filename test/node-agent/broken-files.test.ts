import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { HitError } from '@hitmachine/protocol';
import { csvClients } from '../../node-agent/src/adapters/sources/csv-source.ts';
import { fileBytes } from '../../node-agent/src/adapters/sources/file-bytes.ts';
import { admitClients } from '../../node-agent/src/domain/importing/admit-clients.ts';
import { prepareImport } from '../../node-agent/src/domain/importing/import-clients.ts';
import { T0 } from './support/gateway.ts';
import { registerOf } from './support/node.ts';
import { numbers } from './support/words.ts';

const folder = mkdtempSync(join(tmpdir(), 'hitmachine-broken-'));
const FILE = join(folder, 'clients.csv');
const [one = '', two = ''] = numbers(2, 330_000_000);
/** What stands in the files about persons, and in no message. */
const PERSONAL = [one, two, 'Zwaanenburg', 'Wilhelmina', '1990-12-24', '6543 ZX', 'K-7788'];
const HEADING = 'reference;bsn;surname;givenNames;birthDate;postcode;houseNumber;until;protected';
const row = (changes: Partial<Record<string, string>> = {}): string =>
  Object.values({
    ...{ reference: 'K-7788', bsn: one, surname: 'Zwaanenburg', givenNames: 'Wilhelmina' },
    ...{ birthDate: '1990-12-24', postcode: '6543 ZX', houseNumber: '12', until: '', protected: '' },
    ...changes,
  }).join(';');
const fileOf = (...rows: readonly string[]): string => [HEADING, ...rows, ''].join('\n');
const REGISTER = registerOf('zaken', ['bsn', 'name+birthdate', 'address']);

/** All that an import of a file says, a line each; throws what is no refusal. */
async function report(content: string | Uint8Array): Promise<readonly string[]> {
  writeFileSync(FILE, content);
  const options = { tokenTypes: REGISTER.tokenTypes, delimiter: 'auto', encoding: 'auto' as const };
  const left = { ended: 0, protected: 0, missing: 0 };
  try {
    const rows = admitClients(REGISTER, csvClients(fileBytes(FILE), options), new Set(), T0, left);
    const { bad } = await prepareImport(REGISTER, rows, T0);
    return bad.map(({ line, reason }) => `FILE:${line}: ${reason}`);
  } catch (error) {
    if (error instanceof HitError && error.code === 'import-invalid')
      return [error.detail.replaceAll(FILE, 'FILE')];
    throw error;
  }
}

afterAll(() => rmSync(folder, { recursive: true }));

describe('a broken file', () => {
  const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');
  it.each<[string, string | Uint8Array, RegExp]>([
    ['nothing in it', '', /^FILE:1: .*empty/],
    ['zeros, as after a crash', new Uint8Array(4_096), /^FILE:1: .*zeros.*export it again/],
    [
      'a spreadsheet itself',
      Buffer.from('PK\u0003\u0004 xl/workbook', 'latin1'),
      /^FILE:1: this is a spreadsheet.*export it as CSV/,
    ],
    ['no heading line', row(), /^FILE:1: none of the columns is known.*heading line/],
    ['a heading of another register', 'schoenmaat;kleur\n42;rood\n', /^FILE:1: .*(known|heading)/],
    ['a column that nobody knows', `${HEADING};kleur\n${row()};rood\n`, /^FILE:1: .*kleur.*Known are/],
    ['a column twice', `${HEADING};bsn\n${row()};${two}\n`, /^FILE:1: the column bsn stands twice/],
    ['a column too few', 'bsn;surname\n', /^FILE:1: .*needs birthDate/],
    ['a field too few', fileOf(row(), 'K-1;x'), /^FILE:3: the row has 2 fields, the heading line 9/],
    ['a field too many', fileOf(`${row()};x`), /^FILE:2: the row has 10 fields, the heading line 9/],
    ['a row cut off', fileOf(row()).slice(0, -30), /^FILE:2: .*field/],
    ['a quotation mark too many', fileOf(row({ surname: 'Zwaanen"burg' })), /^FILE:2: .*quotation mark/],
    ['a quotation mark too few', fileOf(row({ surname: '"Zwaanenburg' })), /^FILE:2: .*quotation mark/],
    ['a number with digits too few', fileOf(row({ bsn: one.slice(1) })), /^FILE:2: bsn: .*digits.*nine/],
    ['a number with a mistake', fileOf(row({ bsn: String(Number(one) + 1) })), /^FILE:2: bsn: .*11-test/],
    ['letters in a number', fileOf(row({ bsn: `A${one.slice(1)}` })), /^FILE:2: bsn: .*digit/],
    ['a number as a spreadsheet shortens it', fileOf(row({ bsn: '3,3E+08' })), /^FILE:2: bsn: /],
    ['a day that is none', fileOf(row({ birthDate: '1990-02-30' })), /^FILE:2: birthDate: /],
    [
      'a day in words',
      fileOf(row({ birthDate: '24 december' })),
      /^FILE:2: birthDate: .*(yyyy|jjjj|1990|19)/,
    ],
    ['a birth in the future', fileOf(row({ birthDate: '2190-12-24' })), /^FILE:2: birthDate: /],
    ['a postcode that is none', fileOf(row({ postcode: '65ZX' })), /^FILE:2: postcode: .*four digits/],
    [
      'a house number in words',
      fileOf(row({ houseNumber: 'twaalf' })),
      /^FILE:2: houseNumber: .*(number|digit)/,
    ],
    ['a reference twice', fileOf(row(), row({ bsn: two })), /^FILE:3: reference: the same as in line 2/],
    ['an end that is no day', fileOf(row({ until: 'ooit' })), /^FILE:2: until: /],
    [
      'a protection that is neither',
      fileOf(row({ protected: 'misschien' })),
      /^FILE:2: protected: .*(yes|ja|true)/,
    ],
    [
      'two encodings',
      Buffer.concat([Buffer.from(fileOf(row({ surname: 'Müller' }))), Buffer.from('Möller', 'latin1')]),
      /^FILE:3: not UTF-8; save the file as UTF-8/,
    ],
    ['half a character', utf16(`\ufeff${fileOf(row())}`).subarray(0, -3), /^FILE:\d+: /],
  ])('with %s is told with line, column and what would do', async (_, content, told) => {
    const said = await report(content);
    expect(said.join('\n')).toMatch(told);
    for (const value of PERSONAL) expect(said.join('\n')).not.toContain(value);
  });

  it('however it is broken gets a place and words, and nothing of a person', async () => {
    const whole = Buffer.from(fileOf(row(), row({ bsn: two, reference: 'K-9' })));
    const bytes = fc.uint8Array({ minLength: 0, maxLength: 6 });
    const edit = fc.record({
      at: fc.nat(whole.length),
      remove: fc.nat(40),
      put: fc.oneof(
        bytes,
        fc.constantFrom(...['"', ';', '\n', '\r', '\u0000', '""', ';;;'].map((text) => Buffer.from(text))),
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
        let content: Buffer = whole;
        for (const { at, remove, put } of edits)
          content = Buffer.concat([content.subarray(0, at), put, content.subarray(at + remove)]);
        for (const line of await report(content)) {
          expect(line).toMatch(/^FILE:\d+: .{10}/);
          for (const value of PERSONAL) expect(line).not.toContain(value);
        }
      }),
      // The same edits each time: what is cut down to a name alone cannot be told from a heading.
      { numRuns: 400, seed: 2026 },
    );
  });
});
