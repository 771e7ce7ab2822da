import type { Purpose, Roster } from '@hitmachine/protocol';
import {
  ASKED_ABOUT_REGISTER,
  SUBJECT_ACCESS_PURPOSE,
  purposeFitsRegister,
  tokenTypesFor,
} from '@hitmachine/protocol';
import type { AddressedRegister } from './lookup-input.ts';
import { addressedRegisters } from './lookup-input.ts';
import type { NotAsked, NotAskedReason } from './not-asked.ts';
import { typesInUse } from '../membership/token-types.ts';

/** The registers that a lookup goes to, and those that it does not go to. */
export interface RegistersFor {
  readonly asked: readonly AddressedRegister[];
  readonly notAsked: readonly NotAsked[];
}

/**
 * The registers that a lookup for a purpose is for, when an agency of this kind asks it: those that were named, or all
 * that the policy has asked for it. Whether those that were named may be asked is for the policy's rules. Throws
 * `unknown-register`, naming the field.
 */
export function registersFor(
  roster: Roster,
  purpose: Purpose,
  kind: string,
  names: readonly string[] | undefined,
): RegistersFor {
  const types = tokenTypesFor(roster.policy, purpose, kind);
  const named = addressedRegisters(roster, names);
  if (names !== undefined) return { asked: named, notAsked: [] };
  const asked: AddressedRegister[] = [];
  const notAsked: NotAsked[] = [];
  // A register of persons asked about is nobody's register of clients, and the other way about.
  for (const register of named.filter((one) => purposeFitsRegister(purpose.code, one.register.id))) {
    const used = typesInUse(register.register, roster.policy.settings);
    const reason =
      outsideOf(purpose, register) ??
      (used.some((type) => types.includes(type)) ? undefined : ('token-types' as const));
    if (reason === undefined) asked.push(register);
    else notAsked.push({ register, reason });
  }
  return { asked, notAsked };
}

/** Why the policy does not have a register asked for a purpose; undefined when it has. */
export function outsideOf(
  { asked }: Purpose,
  { name, register }: Pick<AddressedRegister, 'name' | 'register'>,
): NotAskedReason | undefined {
  if (!asked.areasOfLife.includes(register.areaOfLife)) return 'area-of-life';
  return asked.registers?.includes(name) === false ? 'register' : undefined;
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
