import { hash } from 'node:crypto';
import type {
  AgentReply,
  Answer,
  AnsweringEpoch,
  AnsweringRules,
  Backend,
  NodePolicy,
  Random,
  Refusal,
  Session,
  Suite,
  Ticket,
} from '@hitmachine/protocol';
import {
  CANARY_PURPOSE,
  HitError,
  Scratch,
  answerCodec,
  answerQuestion,
  checkTicket,
  concatBytes,
  constantTimeEqual,
  nodeLimitOf,
  openQuestion,
  questionCodec,
  sealAnswer,
  ticketCodec,
} from '@hitmachine/protocol';
import type { AgencyLog, AnsweredDetail } from '../../ports/agency-log.ts';
import type { ConfiguredRegister } from '../../config.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Delivery } from '../../ports/gateway-connection.ts';
import type { OperationalLog } from '../../ports/operational-log.ts';
import type { AskerWatch } from './asker-watch.ts';
import type { AnsweringTables } from './answering-tables.ts';
import type { CanaryWatch } from './canary-watch.ts';
import type { LogView } from '../own-log/log-view.ts';
import { ruleAgainst, rulesFor } from './node-rules.ts';
import type { RosterKeeper } from '../membership/roster-keeper.ts';
import type { IncomingSessions } from './incoming-sessions.ts';
import { isUnderKeyOf } from './question-key.ts';

interface Answering {
  readonly suite: Suite;
  readonly backend: Backend;
  readonly random: Random;
  readonly clock: Clock;
  readonly roster: RosterKeeper;
  readonly sessions: IncomingSessions;
  readonly tables: AnsweringTables;
  readonly agencyLog: AgencyLog;
  readonly logView: LogView;
  readonly log: OperationalLog;
  /** Looks at what each agency asks here. */
  readonly watch: AskerWatch;
  /** This agency's registers, as its own configuration has them. */
  readonly registers: readonly ConfiguredRegister[];
  readonly canaries: CanaryWatch;
  /**
   * Whether there are other replicas of this agent. Their canaries are refused here, and no cause for concern; and what one
   * of them had answered when it died, this one answers again.
   */
  readonly hasReplicas?: boolean | undefined;
  /**
   * Milliseconds since 1970 of the last moment of which what was answered may not be known any more, since the database
   * was made from a backup: what was asked by then is not answered, lest it be so twice.
   */
  readonly unknownUntil?: number | undefined;
  /** This agency's own rules, as they are now. */
  readonly policy: () => Promise<NodePolicy>;
}

const OTHER_CANARY = new HitError(
  'ticket-invalid',
  'this agent did not ask about its canary with this request',
);

/** How long a question waits for the canaries of tables that have just been switched to, in milliseconds. */
const CANARY_PATIENCE_MS = 2_000;

/** What a question is answered from that is under the other evaluation key than the tables, while that changes. */
const BETWEEN_KEYS: AnsweringEpoch = { epoch: 0, commitment: undefined, register: () => 'starting' };

/** Of one answer at a time: it is sealed as soon as it is encoded. */
const encoded = new Scratch();

/**
 * The node's side of a lookup: checks, logs, answers, in this order. Whatever is wrong with a question the reply
 * is the same `rejected` without content; what exactly stands in the operational log alone.
 */
export async function answerDelivery(node: Answering, delivery: Delivery): Promise<AgentReply> {
  const reply = { type: 'reply', delivery: delivery.delivery } as const;
  try {
    const { answer, seal } = await answered(node, delivery);
    return { ...reply, outcome: answer.type, ciphertext: seal(answerCodec.encode(answer, encoded)) };
  } catch (error) {
    const code = error instanceof HitError ? error.code : 'internal';
    if (code === 'session-unknown') {
      node.log.info({ event: 'session-unknown' });
      return { ...reply, outcome: 'session-unknown', ciphertext: undefined };
    }
    if (error === OTHER_CANARY && node.hasReplicas === true) {
      node.log.debug({ event: 'canary-of-replica' });
      return { ...reply, outcome: 'rejected', ciphertext: undefined };
    }
    node.log.warn({
      event: 'question-rejected',
      code,
      reason: error instanceof HitError ? error.detail : String(error),
    });
    return { ...reply, outcome: 'rejected', ciphertext: undefined };
  }
}

async function answered(
  node: Answering,
  delivery: Delivery,
): Promise<{ answer: Answer; seal: (plaintext: Uint8Array) => Uint8Array }> {
  const { backend, roster, sessions } = node;
  // An answer nobody can check is none: while the log is not sound this node says nothing, never "not known".
  await node.logView.requireProved();
  const { question: sealed, ticket: encodedTicket } = delivery;
  const ticket = ticketCodec.decode(encodedTicket);
  checkTicket(ticket, { node: roster.self.id, asker: ticket.asker, now: node.clock() });
  // The auditor will lay the asker's signature beside this ticket: it must be the one that it was made for.
  const requestDigest = hash('sha256', delivery.evidence, 'buffer');
  if (!constantTimeEqual(requestDigest, ticket.requestDigest))
    throw new HitError('ticket-invalid', 'the ticket was made for another request');
  const openWith = (session: Session): Uint8Array =>
    openQuestion(backend, session, sealed.counter, encodedTicket, sealed.ciphertext);
  const session = await sessions.find(ticket.asker, sealed.sessionId, sealed.opening, (one) =>
    opens(() => openWith(one)),
  );
  const opened = openWith(session);
  const question = questionCodec.decode(opened);
  sessions.use(session, sealed.counter);
  const seal = (plaintext: Uint8Array): Uint8Array =>
    sealAnswer(backend, session, sealed.counter, encodedTicket, plaintext, node.random);

  const forCanary = ticket.purpose === CANARY_PURPOSE;
  if (forCanary && (ticket.asker !== roster.self.id || ticket.persons !== 1))
    throw new HitError(
      'ticket-invalid',
      'only an agency itself asks about its canary, and about nothing else',
    );
  // With this agency's signing key alone a thief could otherwise ask about anybody, in no log and within no limit.
  if (forCanary && !node.canaries.isExpected(ticket.requestDigest)) throw OTHER_CANARY;
  if (!forCanary) await node.tables.proved(ticket.registers, CANARY_PATIENCE_MS);
  const isUnderKey = isUnderKeyOf(
    node.tables.stored?.evaluationKey,
    roster.roster.gateway,
    ticket,
    question,
    (message) => backend.sha256(message),
  );
  const tables = isUnderKey ? node.tables.answering(forCanary) : BETWEEN_KEYS;
  if (forCanary) return { answer: answerQuestion(node.suite, tables, question), seal };

  if (ticket.issuedAt <= (node.unknownUntil ?? 0))
    throw new HitError('ticket-expired', 'it was asked before this agent was restored, and may be answered');
  const detail = {
    ...detailOf(ticket, delivery, tables.epoch),
    // With the ticket: its purpose and registers decide what is answered, and the entry and the charge are by them.
    ...(node.hasReplicas === true && {
      question: base64(
        hash('sha256', concatBytes(hash('sha256', encodedTicket, 'buffer'), opened), 'buffer'),
      ),
    }),
  };
  await node.watch.seen(ticket, node.clock());
  const refused = (reason: Refusal): Answer => ({ type: 'refused', reason });
  // Whatever the gateway let through: this node goes by the rules itself.
  const policy = await node.policy();
  const rules = rulesFor(roster.roster, policy, ticket);
  const rule =
    ruleAgainst(roster.roster, policy, ticket, node.clock(), node.registers) ?? refusalOfAll(rules, ticket);
  if (rule !== undefined) {
    const lookupKey = Buffer.from(ticket.lookupId).toString('hex');
    await node.agencyLog.append(
      { event: 'refused', lookupKey, detail: { ...detail, reason: rule } },
      node.clock(),
    );
    return { answer: refused(rule), seal };
  }
  const logged = await node.agencyLog.appendAnswered(
    ticket.lookupId,
    detail,
    { limit: nodeLimitOf(policy, ticket.asker), total: policy.quotas.personsPerDay },
    node.clock(),
  );
  if (logged === 'replayed') throw new HitError('replayed', 'this lookup was answered before');
  // The answer is the same, to the byte: whoever gets both learns nothing from the second, and it is logged and charged.
  if (logged === 'repeated') {
    node.log.info({ event: 'answered-again' });
    return { answer: answerQuestion(node.suite, tables, question, rules), seal };
  }
  if (logged !== 'logged') return { answer: refused(logged), seal };
  return { answer: answerQuestion(node.suite, tables, question, rules), seal };
}

function opens(open: () => unknown): boolean {
  try {
    open();
    return true;
  } catch (error) {
    if (error instanceof HitError && error.code === 'decryption-failed') return false;
    throw error;
  }
}

/**
 * Why no register answers, if the rules let none: the reason of the first. What the log calls answered was answered, and
 * persons nobody was told about are not counted.
 */
function refusalOfAll(rules: AnsweringRules, { registers }: Ticket): Refusal | undefined {
  const reasons = registers.map((register) => rules.refusal(register));
  return reasons.every((reason) => reason !== undefined) ? reasons[0] : undefined;
}

/** By the runtime, which is ten times as fast as the protocol's own: each answer waits for it. */
const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url');

function detailOf(ticket: Ticket, delivery: Delivery, epoch: number): AnsweredDetail {
  return {
    asker: ticket.asker,
    purpose: ticket.purpose,
    persons: ticket.persons,
    registers: ticket.registers,
    epoch,
    evidence: base64(delivery.evidence),
    evidenceSignature: base64(delivery.evidenceSignature),
  };
}
