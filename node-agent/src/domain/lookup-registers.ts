import type { Roster } from '@hitmachine/protocol';
import {
  ASKED_ABOUT_REGISTER,
  HitError,
  SUBJECT_ACCESS_PURPOSE,
  purposeFitsRegister,
} from '@hitmachine/protocol';
import type { AddressedRegister } from './lookup-input.ts';
import { addressedRegisters } from './lookup-input.ts';

/**
 * The registers that a lookup for a purpose is for: those that were named, or all that may be asked for it. Throws
 * `unknown-register` or `not-allowed`, naming the field.
 */
export function registersFor(
  roster: Roster,
  purpose: string,
  names: readonly string[] | undefined,
): AddressedRegister[] {
  const registers = addressedRegisters(roster, names);
  if (names === undefined)
    return registers.filter(({ register }) => purposeFitsRegister(purpose, register.id));
  const fields = registers.flatMap(({ register, name }, i) =>
    purposeFitsRegister(purpose, register.id)
      ? []
      : [
          {
            field: `registers.${i}`,
            detail:
              register.id === ASKED_ABOUT_REGISTER
                ? `${name} is asked for the purpose ${SUBJECT_ACCESS_PURPOSE} only: whether somebody asked about a person is told to that person`
                : `${name} is not asked for the purpose ${SUBJECT_ACCESS_PURPOSE}: that is for registers ${ASKED_ABOUT_REGISTER}`,
          },
        ],
  );
  if (fields.length === 0) return registers;
  throw new HitError('not-allowed', fields.map(({ field, detail }) => `${field}: ${detail}`).join('; '), {
    fields,
  });
}

/**
 * Registers that a lookup of all registers for a purpose should have gone to and could not: those that were on the
 * roster once, and, where it is about who asked, that of every agency that has none there.
 */
export function missingRegisters(roster: Roster, purpose: string, vanished: readonly string[]): string[] {
  const missing = vanished.filter((name) => purposeFitsRegister(purpose, name.split('/')[1] ?? ''));
  if (purpose !== SUBJECT_ACCESS_PURPOSE) return missing;
  const without = roster.agencies
    .filter(({ registers }) => !registers.some(({ id }) => id === ASKED_ABOUT_REGISTER))
    .map(({ id }) => `${id}/${ASKED_ABOUT_REGISTER}`);
  return [...new Set([...missing, ...without])].sort();
}
