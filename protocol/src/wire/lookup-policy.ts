import type { ErrorCode } from '../errors.ts';
import { HitError } from '../errors.ts';
import type { LookupRequest } from './lookup.ts';
import type { Roster } from './roster.ts';
import {
  ASKED_ABOUT_REGISTER,
  CANARY_PURPOSE,
  SUBJECT_ACCESS_PURPOSE,
  purposeFitsRegister,
} from './roster.ts';

/** What of a request for a lookup a roster has a say in. */
export type LookupTerms = Pick<
  LookupRequest,
  'rosterVersion' | 'purpose' | 'registers' | 'tokenTypes' | 'persons'
>;

const refuse = (code: ErrorCode, field: string, detail: string): HitError =>
  new HitError(code, `${field}: ${detail}`, { fields: [{ field, detail }] });

/** The registers on a roster, by roster: a log of a million lookups has few rosters. */
const registersOn = new WeakMap<Roster, ReadonlySet<string>>();

/**
 * Whether a roster in force allows this lookup: what the gateway refuses, and what an auditor finds in its log if it did
 * not. Throws `roster-outdated`, `unknown-purpose`, `unknown-register`, `not-allowed` or `field-invalid`.
 */
export function checkLookup(roster: Roster, agency: string, request: LookupTerms): void {
  if (request.rosterVersion !== roster.version)
    throw refuse(
      'roster-outdated',
      'rosterVersion',
      `version ${roster.version} is in force: fetch it and ask again`,
    );
  const canary = request.purpose === CANARY_PURPOSE;
  if (!canary && !roster.purposes.some(({ code }) => code === request.purpose))
    throw refuse('unknown-purpose', 'purpose', 'a purpose from the roster');
  checkRegisterNames(roster, request.registers);
  if (canary) checkCanary(agency, request);
  else checkPurposeFits(request);
  request.tokenTypes.forEach((type, i) => {
    if (!Object.hasOwn(roster.settings.tokenTypes, type))
      throw refuse(
        'field-invalid',
        `tokenTypes.${i}`,
        `one of ${Object.keys(roster.settings.tokenTypes).join(', ')}`,
      );
    if (request.tokenTypes.indexOf(type) !== i)
      throw refuse('field-invalid', `tokenTypes.${i}`, 'stands twice');
  });
  if (request.persons > roster.settings.maxPersons)
    throw refuse('field-invalid', 'persons', `at most ${roster.settings.maxPersons} in this federation`);
}

function checkRegisterNames(roster: Roster, names: readonly string[]): void {
  const known = registersOf(roster);
  const seen = new Set<string>();
  names.forEach((name, i) => {
    if (!known.has(name)) throw refuse('unknown-register', `registers.${i}`, 'not on the roster');
    if (seen.has(name)) throw refuse('field-invalid', `registers.${i}`, 'stands twice');
    seen.add(name);
  });
}

function registersOf(roster: Roster): ReadonlySet<string> {
  const known =
    registersOn.get(roster) ??
    new Set(roster.agencies.flatMap(({ id, registers }) => registers.map((one) => `${id}/${one.id}`)));
  registersOn.set(roster, known);
  return known;
}

/** Who asked about a person is told for that person's own request, and such a request is told nothing else. */
function checkPurposeFits({ purpose, registers }: LookupTerms): void {
  registers.forEach((name, i) => {
    const register = name.split('/')[1] ?? '';
    if (purposeFitsRegister(purpose, register)) return;
    const detail =
      register === ASKED_ABOUT_REGISTER
        ? `a register "${ASKED_ABOUT_REGISTER}" is for the purpose "${SUBJECT_ACCESS_PURPOSE}" only`
        : `the purpose "${SUBJECT_ACCESS_PURPOSE}" is for registers "${ASKED_ABOUT_REGISTER}" only`;
    throw refuse('not-allowed', `registers.${i}`, detail);
  });
}

/** The reserved purpose is for an agency's watch over its own registers, and for nothing else. */
function checkCanary(agency: string, request: LookupTerms): void {
  request.registers.forEach((name, i) => {
    if (!name.startsWith(`${agency}/`))
      throw refuse(
        'not-allowed',
        `registers.${i}`,
        `the purpose "${CANARY_PURPOSE}" is for your own registers only`,
      );
  });
  if (request.persons !== 1)
    throw refuse('not-allowed', 'persons', `the purpose "${CANARY_PURPOSE}" is for one person, the canary`);
}
