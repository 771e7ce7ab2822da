import { describe, expect, it } from 'vitest';
import { HitError } from '@hitmachine/protocol';
import { admitClients } from '../../node-agent/src/domain/importing/admit-clients.ts';
import { prepareImport } from '../../node-agent/src/domain/importing/import-clients.ts';
import { RowSet } from '../../node-agent/src/domain/importing/row-set.ts';
import { referenceComplaint } from '../../node-agent/src/domain/importing/references.ts';
import type { ClientRow } from '../../node-agent/src/ports/client-source.ts';
import { numbers, registerOf } from './support/node.ts';

const [one, two, three] = numbers(3) as [string, string, string];
const NOW = Date.UTC(2026, 2, 2, 12);
const TODAY = Date.UTC(2026, 2, 2) / 86_400_000;
const ADDRESS = { postcode: '6511PP', number: '1' };

async function admit(rows: readonly ClientRow[], list: readonly string[] = [], now = NOW) {
  const left = { ended: 0, protected: 0, missing: 0 };
  const admitted: ClientRow[] = [];
  const register = { tokenTypes: ['bsn', 'name+birthdate', 'address'] };
  for await (const row of admitClients(register, rows, new Set(list), now, left)) admitted.push(row);
  return {
    left,
    lines: admitted.map((row) => ('problem' in row ? `${row.line}: ${row.problem}` : row.line)),
  };
}

describe('of a source', () => {
  it('nobody is let through who is protected, in a column or in a list', async () => {
    const rows: ClientRow[] = [
      { line: 2, client: { bsn: one }, reference: 'K-1', isProtected: true },
      { line: 3, client: { bsn: two }, reference: 'K-2', isProtected: false },
      { line: 4, client: { bsn: three }, reference: 'K-3', isProtected: false },
    ];
    expect(await admit(rows, ['K-3', 'K-9'])).toEqual({
      left: { ended: 0, protected: 2, missing: 1 },
      lines: [3],
    });
  });

  it('a housemate of somebody who is protected is known as if that one were not there', async () => {
    const rows: ClientRow[] = [
      { line: 2, client: { bsn: one, address: ADDRESS }, isProtected: true },
      { line: 3, client: { bsn: two, address: ADDRESS }, isProtected: false },
    ];
    expect((await admit(rows)).lines).toEqual([3]);
  });

  it.each([
    ['number', { bsn: one }, { bsn: one, address: ADDRESS }],
    [
      'name and birth date',
      { bsn: two, name: { surname: 'Vries', givenNames: 'Jan' }, birthDate: '1990-01-02' },
      { name: { surname: 'VRIES', givenNames: 'jan' }, birthDate: '2-1-1990' },
    ],
  ])('nobody stands there as protected and as not: the same %s', async (_, client, again) => {
    const rows = (flags: readonly [boolean, boolean]): ClientRow[] => [
      { line: 2, client, isProtected: flags[0] },
      { line: 7, client: again, isProtected: flags[1] },
    ];
    for (const flags of [
      [true, false],
      [false, true],
    ] as const)
      await expect(admit(rows(flags))).rejects.toThrow(
        /lines 2 and 7 are of the same person or reference, and only one of them is protected/,
      );
    expect((await admit(rows([true, true]))).lines).toEqual([]);
  });

  it('whoever has ended is left out from the day after on, Dutch time', async () => {
    const rows: ClientRow[] = [
      { line: 2, client: { bsn: one }, until: TODAY - 1 },
      { line: 3, client: { bsn: two }, until: TODAY },
    ];
    expect(await admit(rows)).toMatchObject({ lines: [3], left: { ended: 1 } });
    expect((await admit(rows, [], Date.UTC(2026, 2, 2, 22, 59))).lines).toEqual([3]);
    expect((await admit(rows, [], Date.UTC(2026, 2, 2, 23, 1))).lines).toEqual([]);
  });

  it('each reference comes once, and none could be a number of a person', async () => {
    const rows: ClientRow[] = [
      { line: 2, client: { bsn: one }, reference: 'K-1' },
      { line: 3, client: { bsn: two }, reference: 'K-1' },
      { line: 4, client: { bsn: three }, reference: two },
      { line: 5, client: { bsn: three }, reference: 'with space' },
    ];
    const { lines } = await admit(rows);
    expect(lines[1]).toBe('3: reference: the same as in line 2; each client has one of its own');
    expect(lines[2]).toMatch(/^4: reference: it could be a citizen service number/);
    expect(lines[3]).toMatch(/^5: reference: letters, digits/);
    expect(lines.join()).not.toContain(two);
  });

  it('a bad row may be of somebody on the list: by its reference, or when it has none', async () => {
    const rows: ClientRow[] = [
      { line: 2, problem: 'until: no day', reference: 'K-1' },
      { line: 3, problem: 'until: no day', reference: 'K-2' },
      { line: 4, problem: 'no CSV' },
      { line: 5, client: { bsn: one }, reference: 'K-5' },
    ];
    const prepare = async (from: readonly ClientRow[], list: readonly string[]) => {
      const left = { ended: 0, protected: 0, missing: 0 };
      const register = registerOf('zaken', ['bsn']);
      return prepareImport(register, admitClients(register, from, new Set(list), NOW, left), NOW);
    };
    expect((await prepare(rows, ['K-1'])).badProtected).toBe(2);
    expect((await prepare(rows, ['K-9'])).badProtected).toBe(4);
    expect((await prepare(rows, [])).badProtected).toBeUndefined();
    expect(await prepare(rows.slice(1, 2), ['K-9'])).toMatchObject({ badRows: 1, badProtected: undefined });
  });

  it('each client has a reference where a list goes by it', async () => {
    const { lines } = await admit([{ line: 2, client: { bsn: one } }], ['K-1']);
    expect(lines).toEqual([expect.stringMatching(/^2: reference: it is needed/)]);
  });
});

describe('a set of digests', () => {
  it('tells in which row a text came before, however many there are', () => {
    const set = new RowSet();
    for (let i = 1; i <= 20_000; i++) expect(set.add(`K-${i}`, i)).toBeUndefined();
    for (let i = 1; i <= 20_000; i += 97) expect(set.add(`K-${i}`, 50_000)).toBe(i);
    expect(set.find('K-20001')).toBeUndefined();
  });
});

describe('a reference', () => {
  it.each(['K-1', '123456789', '1234567', 'a.b_c~d:e@f+g', 'Ünïcode'])('may be %s', (reference) => {
    expect(referenceComplaint(reference)).toBeUndefined();
  });
  it.each(['', 'a/b', 'a b', '?', '000009830', '0000.09.830', 'x'.repeat(129)])(
    'may not be %j',
    (reference) => {
      expect(referenceComplaint(reference)).toBeDefined();
      expect(() => {
        throw new HitError('field-invalid', referenceComplaint(reference));
      }).not.toThrow(new RegExp(reference === '000009830' ? reference : '^$'));
    },
  );
});
