import type { Purpose } from '@hitmachine/protocol';
import { HitError, isRoutedTo, parseBirthDate } from '@hitmachine/protocol';
import type { AddressedRegister, LookupInput } from './lookup-input.ts';
import type { NotAsked } from './not-asked.ts';
import { latestDay } from '../person-tokens.ts';

/** Persons of a question who are asked about at the same registers: they share one lookup. */
export interface LookupGroup {
  /** Places in the question, in order. */
  readonly persons: readonly number[];
  readonly registers: readonly AddressedRegister[];
}

/** Who is asked about where, and for each person the registers that his or her age keeps the question from. */
export interface RoutedQuestion {
  readonly groups: readonly LookupGroup[];
  readonly notAsked: readonly (readonly NotAsked[])[];
}

/**
 * Splits a question by the routes of its purpose, on a day (`yyyymmdd`). Nobody stands in a group for a register that a
 * route does not lead to; who is led nowhere stands in none. Throws `birth-date-invalid` with the field.
 */
export function routeQuestion(
  purpose: Purpose,
  registers: readonly AddressedRegister[],
  persons: LookupInput['persons'],
  day: string,
  now: number,
): RoutedQuestion {
  const birthDates = purpose.routes.length === 0 ? [] : birthDatesOf(persons, now);
  const groups = new Map<string, { persons: number[]; registers: AddressedRegister[] }>();
  const notAsked = persons.map((_, person): NotAsked[] => {
    const isAsked = ({ register }: AddressedRegister): boolean =>
      isRoutedTo(purpose, register.areaOfLife, birthDates[person], day);
    const own = registers.filter(isAsked);
    const key = own.map(({ name }) => name).join(' ');
    const group = groups.get(key) ?? { persons: [], registers: own };
    group.persons.push(person);
    if (own.length > 0) groups.set(key, group);
    return registers
      .filter((register) => !isAsked(register))
      .map((register) => ({ register, reason: 'routing' }));
  });
  return { groups: [...groups.values()], notAsked };
}

function birthDatesOf(persons: LookupInput['persons'], now: number): (string | undefined)[] {
  const fields: { field: string; detail: string }[] = [];
  const dates = persons.map(({ birthDate }, i) => {
    if (birthDate === undefined) return undefined;
    try {
      const date = parseBirthDate(birthDate);
      if (date <= latestDay(now)) return date;
      fields.push({
        field: `persons.${i}.birthDate`,
        detail: 'the date lies in the future; look at its year',
      });
    } catch (error) {
      if (!(error instanceof HitError)) throw error;
      const [first] = error.fields;
      fields.push({ field: `persons.${i}.birthDate`, detail: first?.detail ?? error.detail });
    }
    return undefined;
  });
  if (fields.length === 0) return dates;
  const text = fields.map(({ field, detail }) => `${field}: ${detail}`).join('; ');
  throw new HitError('birth-date-invalid', text, { fields });
}
