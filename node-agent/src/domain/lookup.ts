import { HitError, bytesToHex } from '@hitmachine/protocol';
import type { Roster } from '@hitmachine/protocol';
import type { AgencyLog } from '../ports/agency-log.ts';
import type { AskEvent, Asker } from './ask.ts';
import { ask } from './ask.ts';
import type { AgencyKeys } from './keys.ts';
import type { AddressedRegister, LookupInput } from './lookup-input.ts';
import { addressedRegisters, tokensOfPersons } from './lookup-input.ts';
import type { Outcome } from './outcome.ts';
import { commitToCase, professionalPseudonym, subjectPseudonyms } from './pseudonymise.ts';
import { typesInUse } from './token-types.ts';

export interface LookupService extends Asker {
  readonly keys: AgencyKeys;
  readonly agencyLog: AgencyLog;
}

/** A lookup that passed every check and stands in the agency's log, so that it may be asked. */
export interface LoggedLookup {
  readonly purpose: Roster['purposes'][number];
  readonly askedAt: number;
  /** One reference a person: the asker's own, or the place in the list counted from 1. */
  readonly refs: readonly string[];
  /** Registers that were on the roster once and are not any more: the gateway may have left them out. */
  readonly missing: readonly string[];
  readonly events: AsyncIterable<AskEvent>;
}

/**
 * Checks a question, writes it into the agency's own log, and returns it ready to be asked. Nothing leaves the agency
 * before `events` is read. Throws when a field is not valid, the purpose or a register is unknown, or the
 * log cannot be written.
 */
export function beginLookup(service: LookupService, input: LookupInput): LoggedLookup {
  const { roster } = service.roster;
  const purpose = roster.purposes.find(({ code }) => code === input.purpose);
  if (purpose === undefined) {
    const detail = `is not part of the policy; known are ${roster.purposes.map(({ code }) => code).join(', ')}`;
    throw new HitError('unknown-purpose', `purpose: ${detail}`, { fields: [{ field: 'purpose', detail }] });
  }
  if (input.persons.length > roster.settings.maxPersons) {
    const detail = `at most ${roster.settings.maxPersons} persons in one lookup`;
    throw new HitError('field-invalid', `persons: ${detail}`, { fields: [{ field: 'persons', detail }] });
  }
  const registers = addressedRegisters(roster, input.registers);
  if (registers.length === 0) throw new HitError('not-ready', 'there are no registers on the roster yet');
  // All types that the registers hold, whatever the persons have: the choice must not tell what is known of them.
  const tokenTypes = [
    ...new Set(registers.flatMap(({ register }) => typesInUse(register, roster.settings))),
  ].sort();
  if (tokenTypes.length === 0)
    throw new HitError('not-ready', 'the federation uses none of the token types that these registers hold');
  const askedAt = service.clock();
  const persons = tokensOfPersons(input.persons, Object.keys(roster.settings.tokenTypes), askedAt);
  const lookupKey = bytesToHex(service.random(16));
  const { commitment, salt } = commitToCase(input.caseReference, service.random);
  service.agencyLog.append(
    {
      event: 'asking',
      lookupKey,
      detail: {
        professional: input.professional,
        purpose: purpose.code,
        caseReference: input.caseReference,
        caseSalt: salt,
        subjects: persons.map((tokens) => subjectPseudonyms(service.keys, tokens)),
        registers: registers.map(({ name }) => name),
      },
    },
    askedAt,
  );
  const asked = {
    purpose: purpose.code,
    caseCommitment: commitment,
    professional: professionalPseudonym(service.keys, input.professional),
    persons,
    tokenTypes,
    registers,
  };
  return {
    purpose,
    askedAt,
    refs: input.persons.map(({ ref }, i) => ref ?? String(i + 1)),
    missing: input.registers === undefined ? service.roster.vanishedRegisters() : [],
    events: recorded(service, lookupKey, input.persons.length, ask(service, asked)),
  };
}

/** Passes events on, and writes what came out into the agency's own log at the end, whatever the end is. */
async function* recorded(
  service: LookupService,
  lookupKey: string,
  persons: number,
  events: AsyncIterable<AskEvent>,
): AsyncGenerator<AskEvent> {
  let lookupId: string | undefined;
  let failure: string | undefined = 'abandoned';
  const outcomes = Array.from({ length: persons }, (): Record<string, string> => ({}));
  try {
    for await (const event of events) {
      if (event.type === 'opened') lookupId = event.lookupId;
      else note(outcomes, event.register, event.outcomes);
      yield event;
    }
    failure = undefined;
  } catch (error) {
    failure = error instanceof HitError ? error.code : 'internal';
    throw error;
  } finally {
    service.agencyLog.append(
      { event: 'asked', lookupKey, detail: { lookupId, outcomes, failure } },
      service.clock(),
    );
  }
}

function note(
  into: Record<string, string>[],
  register: AddressedRegister,
  outcomes: readonly Outcome[],
): void {
  outcomes.forEach((outcome, person) => {
    const row = into[person];
    if (row !== undefined)
      row[register.name] = 'reason' in outcome ? `${outcome.status}: ${outcome.reason}` : outcome.status;
  });
}
