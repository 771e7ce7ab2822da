import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'csv-parse/sync';
import type { PersonDescription } from '@hitmachine/protocol';
import { bytesToHex, normaliseName, tokensOf } from '@hitmachine/protocol';
import { acceptsOrRefuses, errorOf } from './support.ts';

const FILE = new URL('../../../shared/data/brp-test-persons.csv', import.meta.url);
const absent = !existsSync(FILE);

interface Row extends Readonly<Record<string, string>> {
  readonly bsn: string;
  readonly voornamen: string;
  readonly voorvoegsel: string;
  readonly geslachtsnaam: string;
  readonly geboortedatum: string;
  readonly postcode: string;
  readonly huisnummer: string;
  readonly huisletter: string;
  readonly huisnummertoevoeging: string;
}

/** Rows with the line of the file that they stand on. */
const ROWS: readonly (readonly [line: number, row: Row])[] = absent
  ? []
  : parse<Row>(readFileSync(FILE), { columns: true, bom: true }).map((row, i) => [i + 2, row] as const);

const nameOf = (row: Row): NonNullable<PersonDescription['name']> => ({
  surname: row.geslachtsnaam,
  prefix: row.voorvoegsel,
  givenNames: row.voornamen,
});
const addressOf = (row: Row): NonNullable<PersonDescription['address']> => ({
  postcode: row.postcode,
  number: row.huisnummer,
  letter: row.huisletter,
  addition: row.huisnummertoevoeging,
});
const nameTokenOf = (row: Row): string | undefined => {
  const tokens = acceptsOrRefuses(() =>
    tokensOf({ name: nameOf(row), birthDate: row.geboortedatum }, ['name+birthdate']),
  );
  const token = tokens?.value.get('name+birthdate');
  return token === undefined ? undefined : bytesToHex(token);
};

describe.skipIf(absent)('the 680 official test persons', () => {
  test('are all there, and each has a number of its own', () => {
    expect(ROWS.length).toBe(680);
    const tokens = ROWS.map(([, { bsn }]) =>
      bytesToHex(tokensOf({ bsn }, ['bsn']).get('bsn') ?? new Uint8Array()),
    );
    expect(new Set(tokens).size).toBe(680);
  });

  test('have a token by name and birth date, but for two', () => {
    const without = ROWS.filter(([, row]) => nameTokenOf(row) === undefined).map(([line, row]) => {
      const { fields } = errorOf(() =>
        tokensOf({ name: nameOf(row), birthDate: row.geboortedatum }, ['name+birthdate']),
      );
      return [line, fields.map(({ field }) => field)];
    });
    expect(without).toEqual([
      // The field is empty, which is not the same as unknown.
      [97, ['birthDate']],
      // The name is a full stop.
      [291, ['name.surname']],
    ]);
  });

  test('share that token with somebody only where the base registry has one person twice', () => {
    const byToken = Map.groupBy(ROWS, ([, row]) => nameTokenOf(row));
    const shared = [...byToken]
      .filter(([token, rows]) => token !== undefined && rows.length > 1)
      .map(([, rows]) => rows);
    expect(shared.map((rows) => rows.map(([line]) => line))).toEqual(SHARED_LINES);
    for (const rows of shared)
      expect(new Set(rows.map(([, { geboortedatum }]) => geboortedatum)).size).toBe(1);
  });

  test('have an address token whenever they have a postcode', () => {
    const without = ROWS.filter(([, row]) => {
      const { address } = { address: addressOf(row) };
      return acceptsOrRefuses(() => tokensOf({ address }, ['address'])) === undefined;
    });
    expect(without.length).toBe(85);
    for (const [, row] of without) expect(row.postcode).toBe('');
  });

  test('keep their names whatever register wrote them down', () => {
    for (const [, row] of ROWS) {
      const name = nameOf(row);
      const plain = acceptsOrRefuses(() => normaliseName(name))?.value;
      if (plain === undefined) continue;
      const spellings = [
        { ...name, surname: `${name.prefix} ${name.surname}`, prefix: '' },
        { ...name, surname: name.surname.normalize('NFD'), givenNames: name.givenNames?.normalize('NFD') },
        {
          surname: name.surname.toUpperCase(),
          prefix: name.prefix?.toUpperCase(),
          givenNames: name.givenNames?.toUpperCase(),
        },
        { ...name, surname: name.surname.replaceAll("'", '’') },
        { surname: plain.surname, givenNames: plain.givenName },
      ];
      for (const spelling of spellings) expect(normaliseName(spelling)).toEqual(plain);
      expect(plain.surname + plain.givenName).toMatch(/^[a-z0-9]+$/);
    }
  });
});

/** Lines that describe one person a second time, under another number. */
const SHARED_LINES: readonly (readonly number[])[] = [
  [6, 115],
  [11, 80],
  [44, 400],
  [121, 387],
  [193, 385],
  [620, 665],
];
