import { hash } from 'node:crypto';
import type { AgentReply, Answer, Backend, Random, Suite, Ticket } from '@hitmachine/protocol';
import {
  CANARY_PURPOSE,
  HitError,
  Scratch,
  answerCodec,
  answerQuestion,
  checkQuestion,
  checkTicket,
  constantTimeEqual,
  openQuestion,
  purposeFitsRegister,
  questionCodec,
  sealAnswer,
  ticketCodec,
} from '@hitmachine/protocol';
import type { AgencyLog, AnsweredDetail } from '../ports/agency-log.ts';
import type { Quotas } from '../config.ts';
import type { Clock } from '../ports/clock.ts';
import type { Delivery } from '../ports/gateway-connection.ts';
import type { OperationalLog } from '../ports/operational-log.ts';
import type { AnsweringTables } from './answering-tables.ts';
import type { LogView } from './log-view.ts';
import type { RosterKeeper } from './roster-keeper.ts';
import type { IncomingSessions } from './incoming-sessions.ts';

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
  readonly quotas: Quotas;
}

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
  const session = await sessions.find(ticket.asker, sealed.sessionId, sealed.opening);
  const question = questionCodec.decode(
    openQuestion(backend, session, sealed.counter, encodedTicket, sealed.ciphertext),
  );
  sessions.use(session, sealed.counter);
  checkQuestion(ticket, question);
  const seal = (plaintext: Uint8Array): Uint8Array =>
    sealAnswer(backend, session, sealed.counter, encodedTicket, plaintext, node.random);

  const forCanary = ticket.purpose === CANARY_PURPOSE;
  if (forCanary && (ticket.asker !== roster.self.id || ticket.persons !== 1))
    throw new HitError(
      'ticket-invalid',
      'only an agency itself asks about its canary, and about nothing else',
    );
  const tables = node.tables.answering(forCanary);
  if (forCanary) return { answer: answerQuestion(node.suite, tables, question), seal };

  const detail = detailOf(ticket, delivery, tables.epoch);
  const refuse = (reason: 'purpose' | 'agency'): Answer => {
    const lookupKey = Buffer.from(ticket.lookupId).toString('hex');
    node.agencyLog.append({ event: 'refused', lookupKey, detail: { ...detail, reason } }, node.clock());
    return { type: 'refused', reason };
  };
  // Whatever the gateway let through: who asked about a person is told for that person's own request alone.
  const fits = ticket.registers.every((register) => purposeFitsRegister(ticket.purpose, register));
  if (!fits || !roster.roster.purposes.some(({ code }) => code === ticket.purpose))
    return { answer: refuse('purpose'), seal };
  if (!roster.roster.agencies.some(({ id }) => id === ticket.asker))
    return { answer: refuse('agency'), seal };

  const logged = node.agencyLog.appendAnswered(
    ticket.lookupId,
    detail,
    { limit: node.quotas.personsPerAgencyPerDay, total: node.quotas.personsPerDay },
    node.clock(),
  );
  if (logged === 'replayed') throw new HitError('replayed', 'this lookup was answered before');
  if (logged === 'quota') return { answer: { type: 'refused', reason: 'quota' }, seal };
  return { answer: answerQuestion(node.suite, tables, question), seal };
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
