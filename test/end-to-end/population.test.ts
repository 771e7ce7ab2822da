import { describe, expect, it } from 'vitest';
import { isValidBsn, tokensOf } from '@hitmachine/protocol';
import {
  TOKEN_TYPES,
  expectedRegisters,
  makePopulation,
  scriptedPersons,
  toCsv,
} from '../../deploy/demo/population/index.ts';
import type { Population, Register, Resident } from '../../deploy/demo/population/index.ts';

const SEED = 2026;
const city = makePopulation({ seed: SEED });
const registers = city.agencies.flatMap((agency) => agency.registers);

function register(path: string): Register {
  const found = registers.find((other) => other.path === path);
  if (found === undefined) throw new RangeError(`no register ${path}`);
  return found;
}

/** Share of one register's clients that another knows too, 0–1. */
function overlap(of: string, within: string): number {
  const known = new Set(register(within).clients);
  const { clients } = register(of);
  return clients.filter((person) => known.has(person)).length / clients.length;
}

/** Share of all residents whom a register knows, 0–1: what overlap would be if registers were drawn by lot. */
function byChance(path: string): number {
  return register(path).clients.length / city.residents.length;
}

/** RFC 4180 with line feeds, written apart from `toCsv`. */
function parseCsv(text: string): Record<string, string>[] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n)/g)) {
    rows.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === '\n') rows.push([]);
  }
  const [header = [], ...body] = rows.slice(0, -1);
  return body.map((row) => Object.fromEntries(header.map((name, i) => [name, row[i] ?? ''])));
}

function tokens(person: Resident): string[] {
  const { bsn, prefix, surname, givenNames, birthDate } = person;
  const encoded = tokensOf({ bsn, name: { prefix, surname, givenNames }, birthDate }, [
    'bsn',
    'name+birthdate',
  ]);
  return [...encoded.values()].map((bytes) => Buffer.from(bytes).toString('hex'));
}

describe('the city of Waalstad', () => {
  it('is the same for the same seed, and another one for another seed', () => {
    expect(makePopulation({ seed: SEED })).toEqual(city);
    const other = makePopulation({ seed: SEED + 1 });
    expect(other.residents.map(({ surname }) => surname)).not.toEqual(
      city.residents.map(({ surname }) => surname),
    );
  });

  it('has as many residents as it was asked for, and refuses more than there are numbers for', () => {
    expect(city.residents).toHaveLength(8_000);
    expect(makePopulation({ seed: SEED, residents: 600 }).residents).toHaveLength(600);
    expect(() => makePopulation({ seed: SEED, residents: 9_000 })).toThrow(RangeError);
  });

  it('gives everybody a valid number of the test block, apart from the base registry’s own test persons', () => {
    for (const { bsn } of city.residents) {
      expect(isValidBsn(bsn)).toBe(true);
      expect(bsn).toMatch(/^9999[0-8]/);
    }
  });

  it('describes no two residents by the same token', () => {
    const all = city.residents.flatMap(tokens);
    expect(all).toHaveLength(2 * city.residents.length);
    expect(new Set(all).size).toBe(all.length);
  });

  it('puts every resident in one household, and every household at an address of its own', () => {
    expect(city.households.flatMap(({ members }) => members)).toEqual(city.residents);
    for (const [index, { members }] of city.households.entries())
      for (const person of members) {
        expect(person.household).toBe(index);
        expect(person.address).toBe(members[0]?.address);
      }
    const addresses = city.households.flatMap(({ members }) => members.slice(0, 1)).map(addressToken);
    expect(new Set(addresses).size).toBe(city.households.length);
  });

  it('has names with prefixes and diacritics, and birth dates that are incomplete', () => {
    const count = (test: (person: Resident) => boolean): number => city.residents.filter(test).length;
    expect(count(({ prefix }) => prefix !== '')).toBeGreaterThan(800);
    expect(count(({ prefix }) => prefix.includes(' '))).toBeGreaterThan(100);
    expect(count(({ surname }) => surname.normalize('NFD') !== surname)).toBeGreaterThan(100);
    expect(count(({ birthDate }) => birthDate.endsWith('0000'))).toBeGreaterThan(20);
    expect(count(({ birthDate }) => /[1-9]00$/.test(birthDate))).toBeGreaterThan(5);
  });
});

function addressToken({ address }: Resident): string {
  const { postcode, houseNumber, houseLetter, houseNumberAddition } = address;
  const encoded = tokensOf(
    { address: { postcode, number: houseNumber, letter: houseLetter, addition: houseNumberAddition } },
    ['address'],
  );
  return Buffer.from(encoded.get('address') ?? []).toString('hex');
}

describe('the registers', () => {
  it('belong to eight agencies, the municipality with three of them, 2,000 clients in the largest', () => {
    expect(city.agencies.map(({ registers: own }) => own.length)).toEqual([3, 1, 1, 1, 1, 1, 1, 1]);
    const sizes = registers.map(({ clients }) => clients.length);
    expect(Math.max(...sizes)).toBe(2_000);
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(150);
    for (const { clients } of registers) expect(new Set(clients).size).toBe(clients.length);
  });

  it('know children of school age at school attendance, and under-age children at youth protection', () => {
    for (const { birthDate } of register('gemeente-waalstad/leerplicht').clients)
      expect(Number(birthDate.slice(0, 4))).toBeGreaterThanOrEqual(2007);
    for (const { birthDate } of register('jeugdbescherming/maatregelen').clients)
      expect(Number(birthDate.slice(0, 4))).toBeGreaterThanOrEqual(2007);
  });

  it('keep the citizen service number from the housing association', () => {
    expect(register('woningcorporatie/woonbegeleiding').tokenTypes).toEqual(['name+birthdate', 'address']);
    expect(toCsv(register('woningcorporatie/woonbegeleiding'))).not.toMatch(/bsn|9999[0-9]{5}/);
  });

  it('overlap as trouble does, far more than by chance', () => {
    const pairs = [
      ['gemeente-waalstad/leerplicht', 'gemeente-waalstad/wijkteams'],
      ['gemeente-waalstad/schuldhulp', 'politie/incidenten'],
      ['openbaar-ministerie/strafzaken', 'politie/incidenten'],
      ['reclassering/toezicht', 'openbaar-ministerie/strafzaken'],
      ['jeugdbescherming/maatregelen', 'veilig-thuis/meldingen'],
      ['woningcorporatie/woonbegeleiding', 'gemeente-waalstad/schuldhulp'],
    ] as const;
    for (const [of, within] of pairs)
      expect(overlap(of, within), `${of} in ${within}`).toBeGreaterThan(2 * byChance(within));
    expect(
      city.residents.filter((person) => expectedRegisters(city, person).length === 0).length,
    ).toBeGreaterThan(city.residents.length / 3);
  });

  it('are written as CSV that reads back, with the columns that each holds', () => {
    for (const { tokenTypes, clients, path } of registers) {
      const rows = parseCsv(toCsv({ tokenTypes, clients }));
      expect(rows, path).toEqual(
        clients.map(({ bsn, prefix, surname, givenNames, birthDate, address }) => ({
          ...(tokenTypes.includes('bsn') ? { bsn } : {}),
          ...(tokenTypes.includes('name+birthdate') ? { prefix, surname, givenNames, birthDate } : {}),
          ...(tokenTypes.includes('address')
            ? {
                postcode: address.postcode,
                houseNumber: String(address.houseNumber),
                houseLetter: address.houseLetter,
                houseNumberAddition: address.houseNumberAddition,
              }
            : {}),
        })),
      );
    }
  });

  it('are written with quotes where a name has a comma, a quote or a line break in it', () => {
    const [person] = city.residents;
    if (person === undefined) throw new RangeError('an empty city');
    const odd = { ...person, surname: 'Pels, "Rijcken"\nden' };
    expect(parseCsv(toCsv({ tokenTypes: ['name+birthdate'], clients: [odd] }))[0]?.surname).toBe(odd.surname);
  });
});

/** Hits by comparing every client's tokens with the person's: slow, and written apart from `expectedRegisters`. */
function hitsByComparing(population: Population, person: Resident, types: readonly string[]): string[] {
  const own = new Set([...tokens(person), addressToken(person)]);
  return population.agencies
    .flatMap((agency) => agency.registers)
    .flatMap(({ path, tokenTypes, clients }) =>
      TOKEN_TYPES.filter((type) => types.includes(type) && tokenTypes.includes(type))
        .filter((type) =>
          clients.some((client) => {
            const [bsn = '', name = ''] = tokens(client);
            return own.has({ bsn, 'name+birthdate': name, address: addressToken(client) }[type]);
          }),
        )
        .map((type) => `${path} ${type}`),
    );
}

describe('the people of the script', () => {
  const flat = (person: Resident, asked?: ('bsn' | 'name+birthdate' | 'address')[]): string[] =>
    expectedRegisters(city, person, asked).flatMap(({ register: { path }, matchedOn }) =>
      matchedOn.map((type) => `${path} ${type}`),
    );
  const agenciesOf = (person: Resident): Set<string | undefined> =>
    new Set(expectedRegisters(city, person).map(({ register: { path } }) => path.split('/')[0]));

  it('are as they are described', () => {
    const { knownToThree, knownToNone, household, byNameAlone } = scriptedPersons(city);
    expect(agenciesOf(knownToThree).size).toBe(3);
    expect(agenciesOf(knownToThree)).toContain('politie');
    expect(expectedRegisters(city, knownToNone)).toEqual([]);
    expect(household.members).toHaveLength(5);
    const perMember = household.members.map((person) => flat(person));
    expect(perMember.flat()).toContain('gemeente-waalstad/leerplicht bsn');
    expect(perMember.some((hits) => hits.length > 0 && hits.every((hit) => hit.endsWith(' address')))).toBe(
      true,
    );
    expect(byNameAlone.birthDate).toMatch(/^[0-9]{4}0000$/);
    expect(flat(byNameAlone, ['name+birthdate'])).not.toEqual([]);
  });

  it('are found where comparing tokens finds them', () => {
    const { knownToThree, knownToNone, household, byNameAlone } = scriptedPersons(city);
    for (const person of [knownToThree, knownToNone, byNameAlone, ...household.members.slice(0, 1)]) {
      expect(flat(person)).toEqual(hitsByComparing(city, person, TOKEN_TYPES));
      expect(flat(person, ['name+birthdate'])).toEqual(hitsByComparing(city, person, ['name+birthdate']));
    }
  });

  it('exist in other cities too', () => {
    for (const seed of [1, 2, 3]) expect(() => scriptedPersons(makePopulation({ seed }))).not.toThrow();
  });
});
