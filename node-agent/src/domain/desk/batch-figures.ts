import type { Outcome } from '../asking/outcome.ts';

/** What came out for one person at one register. `not-asked`: the purpose does not go there, or not for this age. */
export type BatchStatus = Outcome['status'] | 'not-asked';

/** What came out for one person, by register (`agency/register`). */
export type BatchPerson = ReadonlyMap<string, BatchStatus>;

/** How many of something had an answer from every register that was asked, and how many had not. */
export interface Counted {
  readonly complete: number;
  readonly incomplete: number;
}

export interface RegisterCounts {
  /** Persons asked about, known, and without an answer. */
  readonly asked: number;
  readonly known: number;
  readonly silent: number;
  /** Households with somebody asked about there, and with somebody known. */
  readonly householdsAsked: number;
  readonly householdsKnown: number;
}

/**
 * Figures over many households. They add up: those of two halves of a file together are those of the file. Nobody's
 * answers stand in them, only how often each set of registers came out; the key of a set is its registers in the order
 * of their names with a space between them, empty for nowhere.
 */
export interface BatchCounts {
  readonly households: number;
  readonly persons: number;
  readonly registers: Readonly<Record<string, RegisterCounts>>;
  readonly householdsBySet: Readonly<Record<string, Counted>>;
  readonly personsBySet: Readonly<Record<string, Counted>>;
}

export const NO_COUNTS: BatchCounts = {
  households: 0,
  persons: 0,
  registers: {},
  householdsBySet: {},
  personsBySet: {},
};

const NO_REGISTER: RegisterCounts = { asked: 0, known: 0, silent: 0, householdsAsked: 0, householdsKnown: 0 };
const ANSWERS: readonly BatchStatus[] = ['known', 'not-known'];

/** The figures with one household more. */
export function withHousehold(counts: BatchCounts, persons: readonly BatchPerson[]): BatchCounts {
  const registers = { ...counts.registers };
  for (const name of new Set(persons.flatMap((person) => [...person.keys()]))) {
    const statuses = persons.map((person) => person.get(name) ?? 'not-asked');
    const asked = statuses.filter((status) => status !== 'not-asked');
    const known = asked.filter((status) => status === 'known').length;
    const before = registers[name] ?? NO_REGISTER;
    registers[name] = {
      asked: before.asked + asked.length,
      known: before.known + known,
      silent: before.silent + asked.filter((status) => !ANSWERS.includes(status)).length,
      householdsAsked: before.householdsAsked + Number(asked.length > 0),
      householdsKnown: before.householdsKnown + Number(known > 0),
    };
  }
  return {
    households: counts.households + 1,
    persons: counts.persons + persons.length,
    registers,
    householdsBySet: counted(counts.householdsBySet, persons),
    personsBySet: persons.reduce((sets, person) => counted(sets, [person]), counts.personsBySet),
  };
}

/** Counts some persons together: by the registers that know any of them. */
function counted(
  sets: Readonly<Record<string, Counted>>,
  persons: readonly BatchPerson[],
): Readonly<Record<string, Counted>> {
  const answers = persons.flatMap((person) => [...person]);
  const key = [...new Set(answers.flatMap(([name, status]) => (status === 'known' ? [name] : [])))]
    .sort()
    .join(' ');
  const complete = answers.every(([, status]) => status === 'not-asked' || ANSWERS.includes(status));
  const before = sets[key] ?? { complete: 0, incomplete: 0 };
  return {
    ...sets,
    [key]: complete
      ? { ...before, complete: before.complete + 1 }
      : { ...before, incomplete: before.incomplete + 1 },
  };
}

/** Households or persons by the number of registers that know them. */
export interface ByNumber {
  /** Known nowhere, by all registers that were asked. */
  readonly nowhere: number;
  /** Known nowhere as far as was answered: nothing can be said. */
  readonly unanswered: number;
  /** Known by so many registers; those without all answers may be known by more. */
  readonly known: readonly { readonly registers: number; readonly times: number }[];
}

export function byNumber(sets: Readonly<Record<string, Counted>>): ByNumber {
  const { complete: nowhere, incomplete: unanswered } = sets[''] ?? { complete: 0, incomplete: 0 };
  const times = new Map<number, number>();
  for (const { registers, total } of combinations(sets))
    times.set(registers.length, (times.get(registers.length) ?? 0) + total);
  return {
    nowhere,
    unanswered,
    known: [...times].sort(([a], [b]) => a - b).map(([registers, n]) => ({ registers, times: n })),
  };
}

/** Every set of registers that came out, the most frequent first; without nowhere. */
export function combinations(
  sets: Readonly<Record<string, Counted>>,
): { readonly registers: readonly string[]; readonly total: number; readonly incomplete: number }[] {
  return Object.entries(sets)
    .filter(([key]) => key !== '')
    .map(([key, { complete, incomplete }]) => ({
      registers: key.split(' '),
      total: complete + incomplete,
      incomplete,
    }))
    .sort((a, b) => b.total - a.total || a.registers.length - b.registers.length || order(a, b));
}

const order = (a: { registers: readonly string[] }, b: { registers: readonly string[] }): number =>
  a.registers.join(' ') < b.registers.join(' ') ? -1 : 1;

/**
 * Numbers that together make a total that is shown, with those left out (undefined) that are too small to show, from 1
 * up to `smallest`: they could be about somebody whom a reader recognises. Where only one is left out the total would
 * tell it, so the next smallest goes too.
 */
export function withoutSmall(parts: readonly number[], smallest: number): (number | undefined)[] {
  const small = (value: number): boolean => value > 0 && value < smallest;
  const hidden = new Set(parts.flatMap((value, i) => (small(value) ? [i] : [])));
  if (hidden.size === 1) {
    const others = parts.flatMap((value, i) => (value > 0 && !hidden.has(i) ? [{ value, i }] : []));
    const next = others.sort((a, b) => a.value - b.value)[0];
    if (next !== undefined) hidden.add(next.i);
  }
  return parts.map((value, i) => (hidden.has(i) ? undefined : value));
}
