import type { ExpectedHit } from './expected.ts';
import { expectedRegisters } from './expected.ts';
import type { Household, Population, Resident } from './model.ts';

/** The people whom the demo asks about, and offers to try. */
export interface ScriptedPersons {
  /** Known to exactly three agencies, the municipality and the police among them; with a surname prefix. */
  readonly knownToThree: Resident;
  /** Known to no register at all; with a surname prefix. */
  readonly knownToNone: Resident;
  /**
   * Two parents and three children, one of them kept an eye on by school attendance, and somebody among them whom
   * registers know by the address alone.
   */
  readonly household: Household;
  /** Known to somebody, with letters that not every keyboard has, and a birth date of which the year alone is known. */
  readonly byNameAlone: Resident;
}

/** Picks the people by what they must show; the same ones for the same population. RangeError when it has none. */
export function scriptedPersons(population: Population): ScriptedPersons {
  const hitsOf = new Map<Resident, readonly ExpectedHit[]>();
  const hits = (person: Resident): readonly ExpectedHit[] => {
    const found = hitsOf.get(person) ?? expectedRegisters(population, person);
    hitsOf.set(person, found);
    return found;
  };
  const agencies = (person: Resident): ReadonlySet<string> =>
    new Set(hits(person).map(({ register }) => register.path.split('/')[0] ?? ''));
  const { residents } = population;

  return {
    knownToThree: found(
      'known to three agencies',
      residents.find(
        (person) =>
          person.prefix.includes(' ') &&
          agencies(person).size === 3 &&
          agencies(person).has('politie') &&
          agencies(person).has('gemeente-waalstad'),
      ),
    ),
    knownToNone: found(
      'known to nobody',
      residents.find((person) => person.prefix !== '' && hits(person).length === 0),
    ),
    household: found('in a household of five', mostTalkedAbout(population.households, hits)),
    byNameAlone: found(
      'known, with diacritics in the surname and an incomplete birth date',
      residents.find(
        (person) =>
          person.birthDate.endsWith('0000') &&
          person.surname.normalize('NFD') !== person.surname &&
          hits(person).length > 0,
      ),
    ),
  };
}

/** Of the families of five that fit, the one with the most hits. */
function mostTalkedAbout(
  households: readonly Household[],
  hits: (person: Resident) => readonly ExpectedHit[],
): Household | undefined {
  const truant = (person: Resident): boolean =>
    hits(person).some(({ register }) => register.path === 'gemeente-waalstad/leerplicht');
  const byAddressAlone = (person: Resident): boolean =>
    hits(person).length > 0 && hits(person).every(({ matchedOn }) => matchedOn.join() === 'address');
  const total = ({ members }: Household): number =>
    members.reduce((sum, person) => sum + hits(person).length, 0);
  return households
    .filter(({ kind, members }) => kind === 'family' && members.length === 5)
    .filter(({ members }) => members.some(truant) && members.some(byAddressAlone))
    .sort((a, b) => total(b) - total(a))[0];
}

function found<T>(what: string, value: T | undefined): T {
  if (value === undefined)
    throw new RangeError(`this city has nobody ${what}; take another seed or more residents`);
  return value;
}
