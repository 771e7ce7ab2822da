import type {
  AskedRegister,
  Backend,
  EvaluatedLookup,
  LookupOpened,
  LookupRequest,
  PersonTokens,
  PreparedLookup,
  Random,
  Roster,
  Suite,
} from '@hitmachine/protocol';
import {
  ASKED_ABOUT_REGISTER,
  CANARY_PURPOSE,
  HitError,
  checkTicket,
  constantTimeEqual,
  decodeBase64,
  digestKeyOf,
  elementDigests,
  encodeBase64,
  groundsOf,
  keyServedBy,
  prepareLookup,
  takeEvaluation,
  ticketCodec,
} from '@hitmachine/protocol';
import type { Clock } from '../../ports/clock.ts';
import type { GatewayClient, SentRequest } from '../../ports/gateway-client.ts';
import type { OperationalLog } from '../../ports/operational-log.ts';
import type { AnsweredFrom, AskedNode, NodeReply } from './ask-nodes.ts';
import { askNodes } from './ask-nodes.ts';
import type { AddressedRegister } from './lookup-input.ts';
import { addressedRegisters } from './lookup-input.ts';
import type { LogView } from '../own-log/log-view.ts';
import type { NodeCommitments } from './node-commitments.ts';
import type { Outcome } from './outcome.ts';
import type { Receipts } from '../own-log/receipts.ts';
import type { RosterKeeper } from '../membership/roster-keeper.ts';
import type { OutgoingSessions } from './outgoing-sessions.ts';
import type { KeyFollower } from './served-keys.ts';
import { keysFollowed } from './served-keys.ts';
import { typesInUse } from '../membership/token-types.ts';

export interface Asker extends KeyFollower {
  readonly suite: Suite;
  readonly backend: Backend;
  readonly random: Random;
  readonly clock: Clock;
  readonly roster: RosterKeeper;
  readonly sessions: OutgoingSessions;
  readonly gateway: GatewayClient;
  readonly commitments: NodeCommitments;
  readonly receipts: Receipts;
  readonly logView: LogView;
  readonly log: OperationalLog;
  /** Whether this agency wants a proof of every evaluation even if the federation does without. */
  readonly requireLookupProof: boolean;
}

/** A question that is ready to be asked: everything that is told to the gateway, and the tokens, which are not. */
export interface Asked {
  readonly purpose: string;
  readonly caseCommitment: string;
  readonly professional: string;
  readonly role: string;
  /** Codes of the purpose's statements that the professional confirmed. */
  readonly statements: readonly string[];
  readonly approval?: LookupRequest['approval'];
  readonly breakGlass?: true | undefined;
  readonly persons: readonly PersonTokens[];
  readonly tokenTypes: readonly string[];
  readonly registers: readonly AddressedRegister[];
  /** The question that this one puts once more, where it does. */
  readonly again?: OpenedQuestion | undefined;
}

/** A question that the gateway opened: what it takes to put it once more. */
export interface OpenedQuestion {
  readonly lookupId: string;
  /** The elements with their blinds. */
  readonly prepared: PreparedLookup;
}

/** What a lookup yields: first that the gateway opened it, then the outcomes of one register after another. */
export type AskEvent =
  | {
      /** Nothing is asked before the next event is read. */
      readonly type: 'opened';
      readonly lookupId: string;
      /** SHA-256 of the signature base of the request. */
      readonly requestDigest: Uint8Array;
      /** By evaluation key: under the one in force, and where it changes under the one before. */
      readonly evaluations: ReadonlyMap<string, EvaluatedLookup>;
      readonly prepared: PreparedLookup;
    }
  | {
      readonly type: 'register';
      readonly register: AddressedRegister;
      readonly outcomes: readonly Outcome[];
      /** Which tables it was answered from; absent where nothing was. */
      readonly answeredFrom?: AnsweredFrom | undefined;
    };

/**
 * Asks all addressed registers about all persons. Yields every register exactly once, as its answer comes in;
 * a register that did not answer says so and why. Throws only when the lookup as a whole could not be opened.
 */
export async function* ask(asker: Asker, asked: Asked): AsyncGenerator<AskEvent> {
  await asker.logView.requireProved();
  const prepared =
    asked.again?.prepared ?? prepareLookup(asker.suite, asked.persons, asked.tokenTypes, asker.random);
  const { opened, requestDigest, sent, roster } = await open(asker, asked, prepared);
  // What the gateway did not prove to have logged is not asked.
  await asker.receipts.accept(opened, sent, asked.purpose === CANARY_PURPOSE ? 'canary' : 'lookup');
  await keysFollowed(asker, roster, new Set(asked.registers.map(({ agency }) => agency.id)));
  const evaluations = evaluate(asker, roster, prepared, opened);
  yield { type: 'opened', lookupId: opened.lookupId, requestDigest, evaluations, prepared };
  // As that roster has them: the sizes of tables may have changed since the question was put.
  const addressed = addressedRegisters(
    roster,
    asked.registers.map(({ name }) => name),
  );

  const every = (outcome: Outcome): Outcome[] => asked.persons.map(() => outcome);
  const typesOf = ({ register }: AddressedRegister): string[] =>
    typesInUse(register, roster.policy.settings).filter((type) => asked.tokenTypes.includes(type));
  const nodes: AskedNode[] = [];
  for (const [node, registers] of byNode(addressed)) {
    const agency = roster.agencies.find(({ id }) => id === node);
    const served = agency === undefined ? undefined : keyServedBy(roster.gateway, agency);
    const evaluated = served === undefined ? undefined : evaluations.get(served);
    if (served === undefined || evaluated === undefined) {
      // Its tables are of a key that this agency has no reason to trust, or that the gateway does not have any more.
      for (const register of registers)
        yield { type: 'register', register, outcomes: every({ status: 'no-answer', reason: 'key-changed' }) };
      continue;
    }
    const digests = elementDigests(
      evaluated.evaluated,
      evaluated.tokenTypes,
      digestKeyOf(roster.gateway, served),
    );
    const ticket = ticketFor(asker, node, { asked, opened, digests, requestDigest, roster, registers });
    const ready: AddressedRegister[] = [];
    for (const register of registers) {
      const obstacle =
        ticket === undefined ? CHECK_FAILED : obstacleAt(asker.roster, register, typesOf(register));
      if (obstacle === undefined) ready.push(register);
      else yield { type: 'register', register, outcomes: every(obstacle) };
    }
    if (ticket !== undefined && ready.length > 0)
      nodes.push({
        node,
        ticket,
        lookup: evaluated,
        registers: ready.map((register) => askedRegister(register, asker.roster, typesOf(register))),
      });
  }
  for await (const reply of askNodes(asker, opened, nodes)) {
    const sent = nodes.find(({ node }) => node === reply.node)?.registers ?? [];
    const registers = sent.flatMap(({ register: id }) =>
      addressed.filter((entry) => entry.agency.id === reply.node && entry.register.id === id),
    );
    yield* readOrInvalid(asker, reply, registers, asked.persons.length);
  }
}

/** What a reply says of each register. Whatever is wrong with the reply of one node ends no lookup at the others. */
function readOrInvalid(
  { log, clock }: Asker,
  reply: NodeReply,
  registers: readonly AddressedRegister[],
  persons: number,
): AskEvent[] {
  const events = (outcomesOf: (register: AddressedRegister) => readonly Outcome[], from?: AnsweredFrom) =>
    registers.map((register): AskEvent => {
      return { type: 'register', register, outcomes: outcomesOf(register), answeredFrom: from };
    });
  const every = (outcome: Outcome): Outcome[] => Array.from({ length: persons }, () => outcome);
  if (reply.type !== 'answered') return events(() => every(outcomeWithoutAnswer(reply)));
  try {
    return events((register) => outcomesAt(register, reply, persons, clock()), reply.answeredFrom);
  } catch (error) {
    log.error({ event: 'reply-invalid', node: reply.node, reason: String(error) });
    return events(() => every(CHECK_FAILED));
  }
}

const CHECK_FAILED: Outcome = { status: 'invalid', reason: 'reply-failed-check' };

function byNode(registers: readonly AddressedRegister[]): Map<string, AddressedRegister[]> {
  const nodes = new Map<string, AddressedRegister[]>();
  for (const register of registers)
    nodes.set(register.agency.id, [...(nodes.get(register.agency.id) ?? []), register]);
  return nodes;
}

/** Why a register need not even be asked: keys that nobody checked, no tables, or not for every type in use. */
function obstacleAt(
  keeper: RosterKeeper,
  { agency, register }: AddressedRegister,
  types: readonly string[],
): Outcome | undefined {
  if (!keeper.isTrusted(agency.id)) return { status: 'no-answer', reason: 'key-changed' };
  if (types.length === 0) return { status: 'no-answer', reason: 'no-common-token' };
  const built = types.filter((type) => register.tableBits[type] !== undefined).length;
  if (built === 0) return { status: 'no-answer', reason: 'not-imported' };
  return built === types.length ? undefined : { status: 'no-answer', reason: 'roster-outdated' };
}

/** Never shows more bits than the federation agreed on, whatever a node or the gateway put on the roster. */
function askedRegister(
  { register }: AddressedRegister,
  keeper: RosterKeeper,
  types: readonly string[],
): AskedRegister {
  const budgets = keeper.trustedBudgets();
  const bits = types.map((type) => [type, Math.min(register.tableBits[type] ?? 0, budgets[type] ?? 0)]);
  return { register: register.id, tableBits: Object.fromEntries(bits) as Record<string, number> };
}

function outcomeWithoutAnswer(reply: Exclude<NodeReply, { type: 'answered' }>): Outcome {
  switch (reply.type) {
    case 'invalid':
      return CHECK_FAILED;
    case 'refused':
      return { status: 'refused', reason: reply.reason };
    case 'no-answer':
      return { status: 'no-answer', reason: reply.reason };
  }
}

/** When many agencies start at once, the roster moves on many times within a second. */
const ATTEMPTS = 5;

/** Opens the lookup; when the roster has moved on in the meantime, again with the new one. */
async function open(
  asker: Asker,
  asked: Asked,
  prepared: PreparedLookup,
): Promise<{ opened: LookupOpened; requestDigest: Uint8Array; sent: SentRequest; roster: Roster }> {
  const request = (rosterVersion: number): LookupRequest => ({
    rosterVersion,
    purpose: asked.purpose,
    caseCommitment: asked.caseCommitment,
    professional: asked.professional,
    role: asked.role,
    statements: [...asked.statements],
    ...(asked.approval !== undefined && { approval: asked.approval }),
    ...(asked.breakGlass === true && { breakGlass: true }),
    ...(asked.again !== undefined && { again: asked.again.lookupId }),
    registers: asked.registers.map(({ name }) => name),
    tokenTypes: [...asked.tokenTypes],
    persons: asked.persons.length,
    elements: encodeBase64(prepared.elements),
  });
  // The roster may change while the gateway answers; what counts is the one that was asked with.
  const attempt = async (roster: Roster) => ({
    ...(await asker.gateway.openLookup(request(roster.version))),
    roster,
  });
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt(asker.roster.roster);
    } catch (error) {
      const outdated = error instanceof HitError && error.code === 'roster-outdated';
      if (!outdated || attempts === ATTEMPTS) throw error;
      await asker.roster.accept(await asker.gateway.roster());
    }
  }
}

/** The lookup under each evaluation key of the roster that the gateway used and this agency trusts. */
function evaluate(
  asker: Asker,
  roster: Roster,
  prepared: PreparedLookup,
  opened: LookupOpened,
): ReadonlyMap<string, EvaluatedLookup> {
  const { evaluationKey, formerEvaluationKey } = roster.gateway;
  const take = (key: string, part: Pick<LookupOpened, 'evaluated' | 'proof'>): EvaluatedLookup => {
    const evaluated = decodeBase64(part.evaluated, prepared.elements.length);
    if (!roster.policy.settings.lookupProof && !asker.requireLookupProof)
      return takeEvaluation(asker.suite, prepared, evaluated);
    if (part.proof === undefined)
      throw new HitError('proof-invalid', 'the gateway left out the proof that it used its published key');
    const [gatewayKey, proof] = [decodeBase64(key, 32), decodeBase64(part.proof)];
    return takeEvaluation(asker.suite, prepared, evaluated, { gatewayKey, proof });
  };
  const parts = [
    [evaluationKey, opened],
    [formerEvaluationKey, opened.former],
  ] as const;
  return new Map(
    parts.flatMap(([key, part]) =>
      key === undefined || part === undefined || !asker.roster.isTrustedEvaluationKey(key)
        ? []
        : [[key, take(key, part)] as const],
    ),
  );
}

/** The ticket for a node, if it is exactly what was asked for: otherwise nodes and auditors would see another story. */
function ticketFor(
  asker: Asker,
  node: string,
  expected: {
    readonly asked: Asked;
    readonly opened: LookupOpened;
    readonly digests: ReturnType<typeof elementDigests>;
    readonly requestDigest: Uint8Array;
    readonly roster: Roster;
    readonly registers: readonly AddressedRegister[];
  },
): Uint8Array | undefined {
  try {
    const encoded = decodeBase64(
      expected.opened.tickets.find((ticket) => ticket.node === node)?.ticket ?? '',
    );
    const ticket = ticketCodec.decode(encoded);
    checkTicket(ticket, { node, asker: asker.roster.self.id, now: asker.clock() });
    const { digests } = expected;
    const fits =
      constantTimeEqual(ticket.lookupId, decodeBase64(expected.opened.lookupId)) &&
      constantTimeEqual(ticket.requestDigest, expected.requestDigest) &&
      ticket.persons === expected.asked.persons.length &&
      ticket.purpose === expected.asked.purpose &&
      ticket.role === expected.asked.role &&
      ticket.grounds === groundsOf(expected.asked) &&
      ticket.policyVersion === expected.roster.policy.version &&
      ticket.rosterVersion === expected.roster.version &&
      ticket.registers.join() === expected.registers.map(({ register }) => register.id).join() &&
      ticket.elementDigests.length === digests.length &&
      digests.every(({ tokenType, digest }, i) => {
        const entry = ticket.elementDigests[i];
        return entry?.tokenType === tokenType && constantTimeEqual(entry.digest, digest);
      });
    if (fits) return encoded;
  } catch (error) {
    asker.log.error({
      event: 'ticket-invalid',
      node,
      code: error instanceof HitError ? error.code : 'internal',
    });
    return undefined;
  }
  asker.log.error({ event: 'ticket-invalid', node });
  return undefined;
}

/**
 * The day (UTC) before an epoch was made; its number is never lower than the time in milliseconds of that moment.
 * Nobody can tell of days that are not over.
 */
const lastWholeDay = (epoch: number, now: number): string =>
  new Date(Math.min(epoch, now) - 86_400_000).toISOString().slice(0, 10);

function outcomesAt(
  entry: AddressedRegister,
  { registers: results, epoch }: Extract<NodeReply, { type: 'answered' }>,
  persons: number,
  now: number,
): Outcome[] {
  const result = results.find(({ register }) => register === entry.register.id);
  if (result !== undefined && 'refused' in result) {
    const outcome: Outcome = { status: 'refused', reason: result.refused };
    return Array.from({ length: persons }, () => outcome);
  }
  if (result === undefined || 'unavailable' in result) {
    const reason = result?.unavailable ?? 'not-addressed';
    const outcome: Outcome = {
      status: 'no-answer',
      reason: reason === 'not-addressed' ? 'rejected' : reason,
    };
    return Array.from({ length: persons }, () => outcome);
  }
  return result.persons.map((person): Outcome => {
    if (person.status === 'known')
      return {
        status: 'known',
        matchedOn: person.matchedOn,
        comparedOn: person.comparedOn,
        contact: result.contact,
      };
    if (person.status === 'not-known')
      return {
        status: 'not-known',
        comparedOn: person.comparedOn,
        ...(entry.register.id === ASKED_ABOUT_REGISTER ? { upTo: lastWholeDay(epoch, now) } : {}),
      };
    return { status: 'no-answer', reason: 'no-common-token' };
  });
}
