// A file of households in the shape of the pilot of Nijmegen (City Deal Zorg voor Veiligheid in de Stad, 2017-2019).
import { csvOf } from './csv.ts';
import { expectedRegisters } from './expected.ts';
import type { Household, Population, Resident } from './model.ts';

/** What was asked by hand in six months, and what came out: at none of the three registers, 77 households. */
export const PILOT = { households: 145, persons: 239, nowhere: 77 } as const;

const SCHOOL = 'gemeente-waalstad/leerplicht';
const DEBTS = 'gemeente-waalstad/schuldhulp';
const TEAMS = 'gemeente-waalstad/wijkteams';
/** Who is asked about where: children of school age, adults, everybody. As policy.yaml has it. */
const ROUTES: Readonly<Record<string, (age: number) => boolean>> = {
  [SCHOOL]: (age) => age >= 5 && age < 18,
  [DEBTS]: (age) => age >= 18,
  [TEAMS]: () => true,
};

export interface EarlySignals {
  readonly households: readonly Household[];
  /** The file, as `hit-agent batch` takes it. */
  readonly csv: string;
  /** What must come out: households that each register knows somebody of, by its path, and that none does. */
  readonly known: Readonly<Record<string, number>>;
  readonly nowhere: number;
}

/**
 * Households of the city, as many as in the pilot, with as many persons and as many that are known nowhere. `today` is
 * yyyymmdd: ages decide who is asked about where. RangeError when the city has too few.
 */
export function earlySignals(population: Population, today: string): EarlySignals {
  const candidates = population.households
    .filter(({ members }) => members.every(({ birthDate }) => !birthDate.endsWith('00')))
    .map((household) => ({ household, known: knownAt(population, household, today) }));
  const known = candidates.filter((candidate) => candidate.known.length > 0);
  const nowhere = candidates.filter((candidate) => candidate.known.length === 0);
  const families = PILOT.households - PILOT.nowhere;
  // Households with trouble are the larger ones.
  const persons = Math.round((PILOT.persons * families * 1.2) / PILOT.households);
  const chosen = [
    ...ofSize(known, families, persons),
    ...ofSize(nowhere, PILOT.nowhere, PILOT.persons - persons),
  ].sort((a, b) => (rank(a.household) < rank(b.household) ? -1 : 1));
  const households = chosen.map(({ household }) => household);
  return {
    households,
    csv: csvOf(
      ['bsn', 'name+birthdate'],
      households.flatMap(({ members }, i) => members.map((person) => ({ person, first: `H${i + 1}` }))),
      'household',
    ),
    known: Object.fromEntries(
      Object.keys(ROUTES).map((path) => [path, chosen.filter((one) => one.known.includes(path)).length]),
    ),
    nowhere: chosen.filter((one) => one.known.length === 0).length,
  };
}

/** Mixes those that are known with the others, the same way every time. */
const rank = ({ members }: Household): string => (members[0]?.bsn ?? '').split('').toReversed().join('');

/** The first households that make exactly so many, with exactly so many persons together. */
function ofSize<T extends { readonly household: Household }>(
  from: readonly T[],
  count: number,
  persons: number,
): T[] {
  const chosen: T[] = [];
  let left = persons;
  const most = Math.max(0, ...from.map(({ household }) => household.members.length));
  for (const one of from) {
    const size = one.household.members.length;
    const others = count - chosen.length - 1;
    // Whoever comes next must still have room: between one person a household and the most that there are.
    if (others < 0 || left - size < others || left - size > others * Math.min(most, 4)) continue;
    chosen.push(one);
    left -= size;
  }
  if (chosen.length < count || left !== 0)
    throw new RangeError(`this city has no ${count} households with ${persons} persons; take more residents`);
  return chosen;
}

/** The registers that know somebody of a household and are asked about him or her. */
function knownAt(population: Population, { members }: Household, today: string): string[] {
  return Object.entries(ROUTES)
    .filter(([path, asked]) =>
      members.some(
        (person) => asked(ageOnDay(person, today)) && hits(population, person).some((hit) => hit === path),
      ),
    )
    .map(([path]) => path);
}

const hits = (population: Population, person: Resident): string[] =>
  expectedRegisters(population, person, ['bsn', 'name+birthdate']).map(({ register }) => register.path);

/** Whole years on a day, both yyyymmdd. */
const ageOnDay = ({ birthDate }: Resident, day: string): number =>
  Math.floor((Number(day) - Number(birthDate)) / 10_000);
