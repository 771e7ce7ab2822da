import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestPerson } from '../harness/agency.ts';
import { knownAt } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';

const FILE = fileURLToPath(new URL('../../../shared/data/brp-test-persons.csv', import.meta.url));

const TOKEN_TYPES = ['bsn', 'name+birthdate'];
const REGISTERS: Readonly<Record<string, readonly string[]>> = {
  'gemeente-waalstad': ['leerplicht', 'schuldhulp', 'wijkteams'],
  politie: ['incidenten'],
  'openbaar-ministerie': ['zaken'],
  reclassering: ['toezicht'],
  'ggz-waalstad': ['behandeling'],
  'veilig-thuis': ['meldingen'],
  woningcorporatie: ['huurders'],
  jeugdbescherming: ['maatregelen'],
};
const NAMES = Object.entries(REGISTERS).flatMap(([agency, registers]) =>
  registers.map((id) => `${agency}/${id}`),
);
const BATCH = 32;

interface Row {
  readonly bsn: string;
  readonly voornamen: string;
  readonly voorvoegsel: string;
  readonly geslachtsnaam: string;
  readonly geboortedatum: string;
}

const byNumber = ({ bsn }: Row): TestPerson => ({ bsn });
const byName = ({ voornamen, voorvoegsel, geslachtsnaam, geboortedatum }: Row): TestPerson => ({
  surname: geslachtsnaam,
  ...(voorvoegsel === '' ? {} : { prefix: voorvoegsel }),
  ...(voornamen === '' ? {} : { givenNames: voornamen }),
  birthDate: geboortedatum,
});

/** The fixed rule by which persons are dealt: about three in ten go to each register, some to many, some to none. */
const holds = (register: number, person: number): boolean =>
  (person * 37 + register * 101 + person * person * (register + 1)) % 97 < 29;

/** Who cannot be told apart by name and birth date; written down independently of the code under test. */
function nameKey({ voornamen, geslachtsnaam, geboortedatum }: Row): string {
  const letters = (text: string): string =>
    text
      .normalize('NFD')
      .replace(/[^A-Za-z]/g, '')
      .toLowerCase();
  return [letters(geslachtsnaam), letters(voornamen.split(' ')[0] ?? ''), geboortedatum].join(' ');
}

/** Valid numbers that are nobody's: counted through the 11-test far from the block of the test persons. */
function numbersOfNobody(count: number, taken: ReadonlySet<string>): string[] {
  const numbers: string[] = [];
  for (let candidate = 123_000_000; numbers.length < count; candidate++) {
    const digits = String(candidate);
    const sum = [...digits].reduce((total, digit, i) => total + Number(digit) * (i === 8 ? -1 : 9 - i), 0);
    if (sum % 11 === 0 && !taken.has(digits)) numbers.push(digits);
  }
  return numbers;
}

function batches<T>(items: readonly T[]): (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / BATCH) }, (_, i) =>
    items.slice(i * BATCH, (i + 1) * BATCH),
  );
}

describe.skipIf(!existsSync(FILE))(
  'the 680 test persons of the base registry, dealt over eight agencies',
  () => {
    const rows = existsSync(FILE) ? parse<Row>(readFileSync(FILE), { columns: true }) : [];
    /** These cannot be found by name: no birth date, or a dot for a name. Everybody else must be. */
    const nameless = new Set(
      rows
        .filter(
          ({ geboortedatum, voornamen, geslachtsnaam }) =>
            geboortedatum === '' || !/[a-z]/i.test(voornamen + geslachtsnaam),
        )
        .map(({ bsn }) => bsn),
    );
    let federation: Federation;

    beforeAll(async () => {
      const agencies = Object.fromEntries(
        Object.entries(REGISTERS).map(([agency, ids]) => [
          agency,
          ids.map((id) => ({ id, tokenTypes: TOKEN_TYPES })),
        ]),
      );
      federation = await Federation.start({ agencies });
      for (const [j, name] of NAMES.entries()) {
        const [agency, register] = name.split('/') as [string, string];
        const clients = rows.filter((_, i) => holds(j, i));
        await federation.agency(agency).import(
          register,
          clients.map((row) => ({ ...byNumber(row), ...(nameless.has(row.bsn) ? {} : byName(row)) })),
        );
      }
      await federation.serveAll();
    }, 240_000);

    afterAll(async () => {
      await federation.close();
    });

    /** Asks about everybody, each batch from another agency, and gives the registers at which each is known. */
    async function askAll(persons: readonly TestPerson[]): Promise<string[][]> {
      const askers = [...federation.agencies.values()];
      const answers: string[][] = [];
      for (const [i, batch] of batches(persons).entries()) {
        const result = await askers[i % askers.length]!.lookup(batch);
        batch.forEach((_, person) => answers.push(knownAt(result, person)));
      }
      return answers;
    }

    it('has 680 different persons, and every register and some persons without any', () => {
      expect(new Set(rows.map(({ bsn }) => bsn)).size).toBe(680);
      for (const j of NAMES.keys()) expect(rows.filter((_, i) => holds(j, i)).length).toBeGreaterThan(100);
      const nowhere = rows.filter((_, i) => NAMES.every((_name, j) => !holds(j, i)));
      expect(nowhere.length).toBeGreaterThan(5);
      expect(nameless.size).toBe(2);
    });

    it('finds everybody by number in exactly the registers that hold the person', async () => {
      const answers = await askAll(rows.map(byNumber));
      rows.forEach((row, i) => {
        const expected = NAMES.filter((_, j) => holds(j, i)).sort();
        expect(answers[i], `person ${row.bsn}`).toEqual(expected);
      });
    }, 240_000);

    it('finds everybody by name and birth date in exactly the registers that hold such a person', async () => {
      const asked = rows.filter(({ bsn }) => !nameless.has(bsn));
      const twins = new Map<string, number[]>();
      rows.forEach((row, i) => twins.set(nameKey(row), [...(twins.get(nameKey(row)) ?? []), i]));
      expect([...twins.values()].filter(({ length }) => length > 1).length).toBe(6);
      const answers = await askAll(asked.map(byName));
      asked.forEach((row, i) => {
        const same = (twins.get(nameKey(row)) ?? []).filter((person) => !nameless.has(rows[person]!.bsn));
        const expected = NAMES.filter((_, j) => same.some((person) => holds(j, person))).sort();
        expect(answers[i], `person ${row.bsn}`).toEqual(expected);
      });
    }, 240_000);

    it('knows 1,000 valid numbers of nobody nowhere', async () => {
      const numbers = numbersOfNobody(1_000, new Set(rows.map(({ bsn }) => bsn)));
      expect(numbers.length).toBe(1_000);
      const answers = await askAll(numbers.map((bsn) => ({ bsn })));
      expect(answers.flat()).toEqual([]);
    }, 240_000);

    it('refuses to look up by name whoever cannot be told apart by it, rather than to say "not known"', async () => {
      for (const row of rows.filter(({ bsn }) => nameless.has(bsn)))
        await expect(federation.agency('politie').lookup([byName(row)])).rejects.toThrow(
          /invalid|person-without-token/,
        );
    });
  },
);
