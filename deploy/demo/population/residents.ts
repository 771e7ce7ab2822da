// Who lives in Waalstad: households first, then the people in them.
import { normaliseName } from '@hitmachine/protocol';
import { testNumbers } from './bsn.ts';
import { dateBefore } from './dates.ts';
import type { Address, Household, HouseholdKind, Origin, Resident } from './model.ts';
import { dutchGivenNames, dutchMiddleNames, dutchSurnames } from './names-dutch.ts';
import { worldNames } from './names-world.ts';
import type { Prng } from './prng.ts';
import { districts } from './streets.ts';

type Sex = Resident['sex'];

/** A person who still has to get a number and an address. */
interface Draft {
  readonly sex: Sex;
  readonly age: number;
  readonly origin: Origin;
  readonly bornAbroad: boolean;
  /** Prefix and surname with a bar between them, as the lists have it. */
  readonly family: string;
}

const HOUSEHOLDS: Readonly<Record<HouseholdKind, number>> = {
  single: 0.4,
  couple: 0.26,
  'one-parent': 0.08,
  family: 0.23,
  'student-flat': 0.03,
};

const ORIGINS: Readonly<Record<Origin, number>> = {
  dutch: 0.7,
  turkish: 0.05,
  moroccan: 0.05,
  surinamese: 0.03,
  polish: 0.03,
  ukrainian: 0.02,
  syrian: 0.03,
  indonesian: 0.03,
  german: 0.03,
  elsewhere: 0.03,
};

/** Share of the adults born abroad; their birth dates are the ones that may be incomplete. */
const BORN_ABROAD = 0.6;
const INCOMPLETE_DATE = 0.08;
const DWELLINGS_PER_STREET = 26;

/** Households with exactly `count` people in them. RangeError when there are more people than test numbers. */
export function makeHouseholds(prng: Prng, count: number): Household[] {
  const numbers = testNumbers(prng.fork('numbers'));
  if (count > numbers.length)
    throw new RangeError(`the city has room for at most ${numbers.length} residents`);
  const dwellings = prng.shuffle(makeDwellings(prng.fork('dwellings')));
  const people = prng.fork('people');
  const registrar = new Registrar(people, numbers);
  const households: Household[] = [];
  for (let left = count; left > 0;) {
    const address = dwellings.pop();
    if (address === undefined) throw new RangeError('the city has too few dwellings');
    const kind = people.pickWeighted(HOUSEHOLDS);
    const drafts = draftHousehold(people, kind).slice(0, left);
    left -= drafts.length;
    const members = drafts.map((draft) => registrar.register(draft, address, households.length));
    households.push({ kind, members });
  }
  return households;
}

function makeDwellings(prng: Prng): Address[] {
  return districts.flatMap((district) =>
    district.streets.flatMap((street, index) => {
      const postcode = `${district.postcodeDigits}${'ABCD'[index % 4]}${'BEGHKL'[Math.floor(index / 4) % 6]}`;
      return Array.from({ length: DWELLINGS_PER_STREET }, (_, house): Address => {
        const stacked = prng.chance(district.stacked);
        const lettered = stacked && prng.chance(0.5);
        return {
          street,
          postcode,
          houseNumber: 3 + house * 2 + (house % 2),
          houseLetter: lettered ? prng.pick(['A', 'B', 'C', 'D']) : '',
          houseNumberAddition: stacked && !lettered ? prng.pick(['1', '2', '12', '21', 'BIS', 'HS']) : '',
          socialRent: prng.chance(district.socialRent),
        };
      });
    }),
  );
}

function draftHousehold(prng: Prng, kind: HouseholdKind): Draft[] {
  const origin = prng.pickWeighted(ORIGINS);
  const adult = (sex: Sex, age: number, own = origin): Draft => ({
    sex,
    age,
    origin: own,
    bornAbroad: own !== 'dutch' && own !== 'indonesian' && prng.chance(BORN_ABROAD),
    family: prng.pickRanked(own === 'dutch' ? dutchSurnames : worldNames[own].surnames),
  });
  const partnerOf = (first: Draft): Draft =>
    adult(
      prng.chance(0.96) ? other(first.sex) : first.sex,
      Math.max(19, first.age + prng.between(-5, 5)),
      prng.chance(0.88) ? origin : prng.pickWeighted(ORIGINS),
    );
  const childrenOf = (parents: readonly Draft[], many: number): Draft[] => {
    const named = parents.find(({ sex }) => sex === 'M') ?? parents[0];
    if (named === undefined) throw new RangeError('children have a parent');
    const oldest = Math.min(21, Math.min(...parents.map(({ age }) => age)) - 19);
    const ages = new Set(Array.from({ length: many }, () => prng.between(0, Math.max(0, oldest))));
    return [...ages]
      .sort((a, b) => b - a)
      .map((age) => ({
        sex: anySex(prng),
        age,
        origin: named.origin,
        bornAbroad: false,
        family: named.family,
      }));
  };
  switch (kind) {
    case 'single':
      return [adult(anySex(prng), prng.chance(0.3) ? prng.between(66, 94) : prng.between(19, 65))];
    case 'couple': {
      const first = adult(anySex(prng), prng.between(22, 86));
      return [first, partnerOf(first)];
    }
    case 'one-parent': {
      const parent = adult(prng.chance(0.82) ? 'V' : 'M', prng.between(22, 54));
      return [parent, ...childrenOf([parent], prng.between(1, 3))];
    }
    case 'family': {
      const first = adult(anySex(prng), prng.between(25, 54));
      const parents = [first, partnerOf(first)];
      const many = Number(prng.pickWeighted({ '1': 3, '2': 5, '3': 3, '4': 1, '5': 0.3 }));
      return [...parents, ...childrenOf(parents, many)];
    }
    case 'student-flat':
      return Array.from({ length: prng.between(3, 6) }, () =>
        adult(anySex(prng), prng.between(18, 26), prng.pickWeighted(ORIGINS)),
      );
  }
}

const anySex = (prng: Prng): Sex => (prng.chance(0.5) ? 'M' : 'V');
const other = (sex: Sex): Sex => (sex === 'M' ? 'V' : 'M');

/** Gives people their names, dates and numbers, none of which may describe two of them; nor do two in a house share a given name. */
class Registrar {
  readonly #prng: Prng;
  readonly #numbers: string[];
  readonly #seen = new Set<string>();

  constructor(prng: Prng, numbers: string[]) {
    this.#prng = prng;
    this.#numbers = numbers;
  }

  register(draft: Draft, address: Address, household: number): Resident {
    const [before, after] = draft.family.split('|');
    const surname = gendered(after ?? before ?? '', draft.sex);
    const prefix = after === undefined ? '' : (before ?? '');
    for (;;) {
      const birthDate = this.#birthDate(draft);
      const givenNames = this.#givenNames(draft, Number(birthDate.slice(0, 4)));
      // Otherwise a lookup by name would rightly find somebody else, and the model would call it wrong.
      const name = normaliseName({ surname, prefix, givenNames });
      const key = `${name.surname}|${name.givenName}|${birthDate}`;
      const namesake = `${household}|${name.givenName}`;
      if (this.#seen.has(key) || this.#seen.has(namesake)) continue;
      this.#seen.add(key).add(namesake);
      const bsn = this.#numbers.pop();
      if (bsn === undefined) throw new RangeError('no test numbers are left');
      return { bsn, givenNames, prefix, surname, birthDate, sex: draft.sex, address, household };
    }
  }

  #birthDate({ age, bornAbroad }: Draft): string {
    const date = dateBefore(Math.floor(age * 365.25) + this.#prng.between(1, 365));
    if (!bornAbroad || !this.#prng.chance(INCOMPLETE_DATE)) return date;
    return this.#prng.chance(0.8) ? `${date.slice(0, 4)}0000` : `${date.slice(0, 6)}00`;
  }

  #givenNames({ sex, origin }: Draft, year: number): string {
    if (origin !== 'dutch') return this.#prng.pickRanked(worldNames[origin][sex]);
    const cohort = year < 1970 ? 'before1970' : year < 1995 ? 'before1995' : 'later';
    const names = new Set([this.#prng.pickRanked(dutchGivenNames[cohort][sex])]);
    const middle = this.#prng.chance(0.6) ? (year < 1970 ? 2 : 1) : 0;
    for (let i = 0; i < middle; i++) names.add(this.#prng.pickRanked(dutchMiddleNames[sex]));
    return [...names].join(' ');
  }
}

/** "Kowalski/Kowalska" for a woman is Kowalska. */
function gendered(surname: string, sex: Sex): string {
  const [man = '', woman = man] = surname.split('/');
  return (sex === 'M' ? man : woman).trim();
}
