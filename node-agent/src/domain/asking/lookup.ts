import { setTimeout as delay } from 'node:timers/promises';
import type { EvaluatedLookup, PersonTokens, Purpose } from '@hitmachine/protocol';
import { HitError, SUBJECT_ACCESS_PURPOSE, bytesToHex, encodeBase64, purposeOf } from '@hitmachine/protocol';
import type { ConfiguredRegister } from '../../config.ts';
import type { AgencyLog, AskedAbout, AskingDetail } from '../../ports/agency-log.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { AnsweredFrom } from './ask-nodes.ts';
import type { AskEvent, Asked, Asker, OpenedQuestion } from './ask.ts';
import { ask } from './ask.ts';
import { askedAboutPersons } from '../asked-about.ts';
import type { AgencyKeys } from '../keys.ts';
import { checkQuestion, tokenTypesAt } from './lookup-check.ts';
import type { LookupGroup } from './lookup-groups.ts';
import type { AddressedRegister, LookupInput } from './lookup-input.ts';
import { missingRegisters } from './lookup-registers.ts';
import type { NotAsked } from './not-asked.ts';
import type { Outcome } from './outcome.ts';
import type { ProfessionalWatch } from './professional-watch.ts';
import { commitToCase, professionalPseudonym, subjectPseudonyms } from '../pseudonymise.ts';
import { nodesOf } from '../own-log/reconciliation.ts';
import { keptUntil } from './retention.ts';
import { ownSettings, typesInUse } from '../membership/token-types.ts';

export interface LookupService extends Asker {
  /** What is counted and timed. */
  readonly telemetry: Telemetry;
  readonly keys: AgencyKeys;
  readonly agencyLog: AgencyLog;
  /** The register of the persons whom this agency asks about. */
  readonly askedAbout: ConfiguredRegister;
  /** Days that they stand in it. */
  readonly retentionDays: number;
  /** Looks at what its professionals ask, and can slow them down. */
  readonly watch: ProfessionalWatch;
}

/**
 * What a question yields to whoever shows it. Persons of one household may be asked about at other registers each, in
 * lookups of their own: `persons` are the places in the question that an event is about, in the order of `outcomes`.
 */
export type LookupEvent =
  | {
      readonly type: 'opened';
      readonly lookupId: string;
      readonly persons: readonly number[];
      /** What it takes to put it once more, to registers that do not answer. */
      readonly question: PutQuestion;
    }
  | {
      readonly type: 'register';
      readonly register: AddressedRegister;
      readonly persons: readonly number[];
      readonly outcomes: readonly Outcome[];
    };

/** One lookup of a question as it was put, with what the agency's own log says of it. */
export interface PutQuestion {
  readonly asked: Asked;
  readonly opened: OpenedQuestion;
  readonly detail: AskingDetail;
  readonly persons: readonly number[];
}

/** A question that passed every check and stands in the agency's log, so that it may be asked. */
export interface LoggedLookup {
  readonly purpose: Purpose;
  readonly askedAt: number;
  /** One reference a person: the asker's own, or the place in the list counted from 1. */
  readonly refs: readonly string[];
  /** Registers that were on the roster once and are not any more: the gateway may have left them out. */
  readonly missing: readonly string[];
  /** Per person, the registers that are not asked about him or her, and why. */
  readonly notAsked: readonly (readonly NotAsked[])[];
  /** Who is asked about where. */
  readonly groups: readonly LookupGroup[];
  readonly events: AsyncIterable<LookupEvent>;
}

/**
 * Checks a question, writes it into the agency's own log, and returns it ready to be asked. Nothing leaves the agency
 * before `events` is read. Throws when a field is not valid, the purpose or a register is unknown, a rule refuses,
 * the professional has to wait, or the log cannot be written. `caseSystem` is the one that asks, as the log calls it.
 */
export async function beginLookup(
  service: LookupService,
  input: LookupInput,
  caseSystem?: string,
): Promise<LoggedLookup> {
  service.logView.requireSound();
  const askedAt = service.clock();
  const { purpose, tokens, groups, notAsked } = checkQuestion(
    service.roster,
    service.askedAbout,
    input,
    askedAt,
  );
  await service.watch.begin(input, askedAt);
  const begun = await Promise.all(
    groups.map((group) => begin(service, input, { purpose, tokens, group, caseSystem }, askedAt)),
  );
  return {
    purpose,
    askedAt,
    refs: input.persons.map(({ ref }, i) => ref ?? String(i + 1)),
    missing:
      input.registers === undefined
        ? missingRegisters(service.roster.roster, purpose.code, service.roster.vanishedRegisters())
        : [],
    notAsked,
    groups,
    events: watched(service, input, inTurn(service, begun)),
  };
}

/** A lookup that stands in the log, with the places of its persons in the question. */
export interface Begun {
  readonly lookupKey: string;
  readonly asked: Asked;
  readonly detail: AskingDetail;
  readonly persons: readonly number[];
}

async function begin(
  service: LookupService,
  input: LookupInput,
  {
    purpose,
    tokens,
    group,
    caseSystem,
  }: {
    readonly purpose: Purpose;
    readonly tokens: readonly PersonTokens[];
    readonly group: LookupGroup;
    readonly caseSystem: string | undefined;
  },
  askedAt: number,
): Promise<Begun> {
  const { keys, random, roster } = service;
  const persons = group.persons.map((person) => tokens[person] as PersonTokens);
  const { commitment, salt } = commitToCase(input.caseReference, random);
  const detail = {
    professional: input.professional,
    role: input.role,
    approval: input.approval,
    breakGlass: input.breakGlass,
    caseSystem,
    purpose: purpose.code,
    caseReference: input.caseReference,
    caseSalt: salt,
    subjects: persons.map((own) => subjectPseudonyms(keys, own)),
    registers: group.registers.map(({ name }) => name),
  };
  const { approval } = input;
  const asked: Asked = {
    purpose: purpose.code,
    caseCommitment: commitment,
    professional: professionalPseudonym(keys, input.professional),
    role: input.role,
    statements: input.statements,
    ...(approval !== undefined && {
      approval: { professional: professionalPseudonym(keys, approval.professional), role: approval.role },
    }),
    breakGlass: input.breakGlass && (true as const),
    persons,
    tokenTypes: tokenTypesAt(roster, purpose, group.registers),
    registers: group.registers,
  };
  return logged(service, { asked, detail, persons: group.persons }, askedAt);
}

/** Writes down that a lookup is about to be asked. Throws `storage-failed`. */
export async function logged(
  service: LookupService,
  begun: Omit<Begun, 'lookupKey'>,
  now: number,
): Promise<Begun> {
  const lookupKey = bytesToHex(service.random(16));
  await service.agencyLog.append({ event: 'asking', lookupKey, detail: begun.detail }, now);
  return { lookupKey, ...begun };
}

/** Events as they come, with all outcomes for the watch at the end, also of who stops reading before it. */
async function* watched(
  { watch, clock }: LookupService,
  input: LookupInput,
  events: AsyncIterable<LookupEvent>,
): AsyncGenerator<LookupEvent> {
  const outcomes = input.persons.map((): Outcome[] => []);
  try {
    for await (const event of events) {
      if (event.type === 'register')
        event.outcomes.forEach((outcome, i) => outcomes[event.persons[i] as number]?.push(outcome));
      yield event;
    }
  } finally {
    await watch.ended(input, outcomes, clock());
  }
}

/** The lookups of a question one after another; those that are not reached are logged as abandoned. */
export async function* inTurn(service: LookupService, begun: readonly Begun[]): AsyncGenerator<LookupEvent> {
  let reached = 0;
  try {
    for (const { lookupKey, asked, detail, persons } of begun) {
      reached++;
      for await (const event of recorded(service, lookupKey, asked)) {
        if (event.type === 'register') yield { ...event, persons };
        else {
          const { lookupId, prepared } = event;
          const question = { asked, detail, persons, opened: { lookupId, prepared } };
          yield { type: 'opened', lookupId, persons, question };
        }
      }
    }
  } finally {
    for (const { lookupKey } of begun.slice(reached))
      await service.agencyLog.append(
        {
          event: 'asked',
          lookupKey,
          detail: { lookupId: undefined, outcomes: [], failure: 'abandoned' },
        },
        service.clock(),
      );
  }
}

type RecordedEvent =
  | { readonly type: 'opened'; readonly lookupId: string; readonly prepared: OpenedQuestion['prepared'] }
  | Extract<AskEvent, { type: 'register' }>;

/** Passes events on, and writes what came out into the agency's own log at the end, whatever the end is. */
async function* recorded(
  service: LookupService,
  lookupKey: string,
  asked: Asked,
): AsyncGenerator<RecordedEvent> {
  let lookupId: string | undefined;
  let failure: string | undefined = 'abandoned';
  const outcomes = asked.persons.map((): Record<string, string> => ({}));
  const answeredFrom: Record<string, AnsweredFrom> = {};
  try {
    for await (const event of ask(service, asked)) {
      if (event.type === 'opened') {
        lookupId = event.lookupId;
        // Before a question leaves: whom this agency asked about must be able to find out.
        await recordOpened(service, lookupKey, asked, event);
        yield { type: 'opened', lookupId, prepared: event.prepared };
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
    await service.agencyLog.append(
      {
        event: 'asked',
        lookupKey,
        detail: { lookupId, outcomes, answeredFrom, failure, complete: isComplete(asked, outcomes) },
        outcomesUntil: keptUntil(service.clock(), answerDaysOf(service, asked.purpose)),
      },
      service.clock(),
    );
  }
}

/** Keys that change just now are heard of within a second, by every replica of an agent. */
const [KEY_ATTEMPTS, KEY_PAUSE_MS] = [20, 100];

/**
 * Logs that a lookup was opened, with the persons that it is about, in one durable step. Keys that changed in the very
 * moment are taken up. Throws `storage-failed`.
 */
async function recordOpened(
  service: LookupService,
  lookupKey: string,
  { purpose, registers, persons }: Asked,
  { lookupId, requestDigest, evaluations }: Extract<AskEvent, { type: 'opened' }>,
): Promise<void> {
  const { agencyLog, retentionDays, clock } = service;
  const now = clock();
  const nodes = nodesOf(registers.map(({ name }) => name));
  const digest = encodeBase64(requestDigest);
  const detail = { lookupId, requestDigest: digest, purpose, persons: persons.length, nodes };
  for (let attempt = 1; ; attempt++)
    try {
      // A person's own request is no question of this agency's about that person.
      const askedAbout =
        purpose === SUBJECT_ACCESS_PURPOSE
          ? undefined
          : { ...madeNow(service, evaluations), keptUntil: keptUntil(now, retentionDays) };
      return await agencyLog.appendOpened(lookupKey, detail, askedAbout, now);
    } catch (error) {
      const isChanging = error instanceof HitError && error.code === 'key-changed';
      if (!isChanging || attempt === KEY_ATTEMPTS) throw error;
      await delay(KEY_PAUSE_MS);
    }
}

/** The persons of a lookup as pseudonyms with the keys in use now. Throws `key-changed` when the gateway used another. */
function madeNow(
  { suite, keys, askedAbout, roster }: LookupService,
  evaluations: ReadonlyMap<string, EvaluatedLookup>,
): Omit<AskedAbout, 'keptUntil'> {
  const evaluationKey = roster.trustedEvaluationKey();
  const evaluated = evaluations.get(evaluationKey);
  if (evaluated === undefined)
    throw new HitError(
      'key-changed',
      'the gateway did not evaluate under the key that this agency still has',
    );
  const persons = askedAboutPersons(suite, keys, evaluated, typesInUse(askedAbout, ownSettings(roster)));
  return { persons, evaluationKey, nodeKey: keys.nodeKeyMark };
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

const isComplete = ({ registers }: Asked, outcomes: readonly Readonly<Record<string, string>>[]): boolean =>
  outcomes.every((own) => registers.every(({ name }) => ['known', 'not-known'].includes(own[name] ?? '')));

/** Days that what came out is kept; of a purpose that the policy lost meanwhile nothing. */
const answerDaysOf = ({ roster }: LookupService, purpose: string): number =>
  purposeOf(roster.roster.policy, purpose)?.retention.answerDays ?? 0;
