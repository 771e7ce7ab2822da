import { HitError, SUBJECT_ACCESS_PURPOSE, bytesToHex, encodeBase64 } from '@hitmachine/protocol';
import type { Roster } from '@hitmachine/protocol';
import type { ConfiguredRegister } from '../config.ts';
import type { AgencyLog } from '../ports/agency-log.ts';
import type { AnsweredFrom } from './ask-nodes.ts';
import type { AskEvent, Asked, Asker } from './ask.ts';
import { ask } from './ask.ts';
import { askedAboutPersons } from './asked-about.ts';
import type { AgencyKeys } from './keys.ts';
import type { AddressedRegister, LookupInput } from './lookup-input.ts';
import { refuseWithheld, tokensOfPersons } from './lookup-input.ts';
import { missingRegisters, registersFor } from './lookup-registers.ts';
import type { Outcome } from './outcome.ts';
import { commitToCase, professionalPseudonym, subjectPseudonyms } from './pseudonymise.ts';
import { nodesOf } from './reconciliation.ts';
import { keptUntil } from './retention.ts';
import { typesInUse } from './token-types.ts';

export interface LookupService extends Asker {
  readonly keys: AgencyKeys;
  readonly agencyLog: AgencyLog;
  /** The register of the persons whom this agency asks about. */
  readonly askedAbout: ConfiguredRegister;
  /** Days that they stand in it. */
  readonly retentionDays: number;
}

/** What a lookup yields to whoever shows it: its number, then each register. */
export type LookupEvent =
  { readonly type: 'opened'; readonly lookupId: string } | Extract<AskEvent, { type: 'register' }>;

/** A lookup that passed every check and stands in the agency's log, so that it may be asked. */
export interface LoggedLookup {
  readonly purpose: Roster['purposes'][number];
  readonly askedAt: number;
  /** One reference a person: the asker's own, or the place in the list counted from 1. */
  readonly refs: readonly string[];
  /** Registers that were on the roster once and are not any more: the gateway may have left them out. */
  readonly missing: readonly string[];
  readonly events: AsyncIterable<LookupEvent>;
}

/**
 * Checks a question, writes it into the agency's own log, and returns it ready to be asked. Nothing leaves the agency
 * before `events` is read. Throws when a field is not valid, the purpose or a register is unknown, or the
 * log cannot be written.
 */
export function beginLookup(service: LookupService, input: LookupInput): LoggedLookup {
  service.logView.requireSound();
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
  const registers = registersFor(roster, purpose.code, input.registers);
  if (registers.length === 0) throw new HitError('not-ready', 'there are no registers on the roster yet');
  // All types that the registers hold, whatever the persons have: the choice must not tell what is known of them.
  const tokenTypes = [
    ...new Set(registers.flatMap(({ register }) => typesInUse(register, roster.settings))),
  ].sort();
  if (tokenTypes.length === 0)
    throw new HitError('not-ready', 'the federation uses none of the token types that these registers hold');
  const askedAt = service.clock();
  const askedBy = typesInUse(service.askedAbout, roster.settings);
  const withheld = Object.keys(roster.settings.tokenTypes).filter((type) => !askedBy.includes(type));
  refuseWithheld(input.persons, withheld);
  const persons = tokensOfPersons(input.persons, askedBy, askedAt);
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
    missing:
      input.registers === undefined
        ? missingRegisters(roster, purpose.code, service.roster.vanishedRegisters())
        : [],
    events: recorded(service, lookupKey, asked),
  };
}

/** Passes events on, and writes what came out into the agency's own log at the end, whatever the end is. */
async function* recorded(
  service: LookupService,
  lookupKey: string,
  asked: Asked,
): AsyncGenerator<LookupEvent> {
  let lookupId: string | undefined;
  let failure: string | undefined = 'abandoned';
  const outcomes = asked.persons.map((): Record<string, string> => ({}));
  const answeredFrom: Record<string, AnsweredFrom> = {};
  try {
    for await (const event of ask(service, asked)) {
      if (event.type === 'opened') {
        lookupId = event.lookupId;
        // Before a question leaves: whom this agency asked about must be able to find out.
        recordOpened(service, lookupKey, asked, event);
        yield { type: 'opened', lookupId };
      } else {
        note(outcomes, event.register, event.outcomes);
        if (event.answeredFrom !== undefined) answeredFrom[event.register.agency.id] = event.answeredFrom;
        yield event;
      }
    }
    failure = undefined;
  } catch (error) {
    failure = error instanceof HitError ? error.code : 'internal';
    throw error;
  } finally {
    service.agencyLog.append(
      { event: 'asked', lookupKey, detail: { lookupId, outcomes, answeredFrom, failure } },
      service.clock(),
    );
  }
}

/** Logs that a lookup was opened, with the persons that it is about, in one durable step. Throws `storage-failed`. */
function recordOpened(
  { suite, keys, agencyLog, askedAbout, roster, retentionDays, clock }: LookupService,
  lookupKey: string,
  { purpose, registers, persons }: Asked,
  { lookupId, requestDigest, evaluated }: Extract<AskEvent, { type: 'opened' }>,
): void {
  const now = clock();
  const nodes = nodesOf(registers.map(({ name }) => name));
  agencyLog.appendOpened(
    lookupKey,
    { lookupId, requestDigest: encodeBase64(requestDigest), purpose, persons: persons.length, nodes },
    // A person's own request is no question of this agency's about that person.
    purpose === SUBJECT_ACCESS_PURPOSE
      ? undefined
      : {
          persons: askedAboutPersons(suite, keys, evaluated, typesInUse(askedAbout, roster.roster.settings)),
          keptUntil: keptUntil(now, retentionDays),
          evaluationKey: roster.trustedEvaluationKey(),
        },
    now,
  );
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
