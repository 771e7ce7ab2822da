import type {
  AskedRegister,
  Backend,
  DeliveryReport,
  EvaluatedLookup,
  LookupOpened,
  Question,
  RegisterResult,
  Refusal,
  SealedQuestion,
  Suite,
} from '@hitmachine/protocol';
import {
  HitError,
  answerCodec,
  makeQuestion,
  openAnswer,
  questionCodec,
  readAnswer,
  sealQuestion,
} from '@hitmachine/protocol';
import type { GatewayClient } from '../../ports/gateway-client.ts';
import type { OperationalLog } from '../../ports/operational-log.ts';
import type { NodeCommitments } from './node-commitments.ts';
import type { NoAnswerReason } from './outcome.ts';
import type { OutgoingSession, OutgoingSessions } from './outgoing-sessions.ts';

/** Which tables an answer came from: their epoch, and the number of the entry that commits to them. */
export interface AnsweredFrom {
  readonly epoch: number;
  readonly index: number;
}

/** What one node said, or why it said nothing that can be used. */
export type NodeReply =
  | {
      readonly node: string;
      readonly type: 'answered';
      readonly epoch: number;
      readonly registers: readonly RegisterResult[];
      readonly answeredFrom: AnsweredFrom | undefined;
    }
  | { readonly node: string; readonly type: 'refused'; readonly reason: Refusal }
  | { readonly node: string; readonly type: 'no-answer'; readonly reason: NoAnswerReason }
  | { readonly node: string; readonly type: 'invalid' };

/** A node to ask: its registers, and the ticket for it. */
export interface AskedNode {
  readonly node: string;
  readonly ticket: Uint8Array;
  readonly registers: readonly AskedRegister[];
  /** The lookup under the evaluation key that its tables were made with. */
  readonly lookup: EvaluatedLookup;
}

interface Asking {
  readonly suite: Suite;
  readonly backend: Backend;
  readonly sessions: OutgoingSessions;
  readonly gateway: GatewayClient;
  readonly commitments: NodeCommitments;
  readonly log: OperationalLog;
}

interface Sent extends AskedNode {
  readonly question: Question;
  readonly outgoing: OutgoingSession;
  readonly counter: number;
}

/** Nodes that were restarted do not know their sessions any more, and are asked once more with new ones. */
const ATTEMPTS = 2;

/**
 * Seals a question to every node, sends them all at once, and yields each node's reply as it comes in. Every node
 * gets exactly one reply here, also when nothing came.
 */
export async function* askNodes(
  deps: Asking,
  opened: LookupOpened,
  nodes: readonly AskedNode[],
): AsyncGenerator<NodeReply> {
  let asked = nodes;
  for (let attempt = 1; asked.length > 0; attempt++) {
    const waiting = new Map<string, Sent>();
    const outbox: SealedQuestion[] = [];
    for (const node of asked) {
      const sent = await seal(deps, node);
      if ('type' in sent) yield sent;
      else {
        waiting.set(node.node, sent.sent);
        outbox.push(sent.sealed);
      }
    }
    const stale: Sent[] = [];
    for await (const report of reports(deps, opened, outbox)) {
      const sent = waiting.get(report.node);
      if (sent === undefined) continue;
      waiting.delete(report.node);
      if (report.outcome === 'session-unknown' && attempt < ATTEMPTS) {
        deps.sessions.drop(sent.node, sent.outgoing);
        stale.push(sent);
      } else yield await read(deps, sent, report);
    }
    for (const { node } of waiting.values()) yield { node, type: 'no-answer', reason: 'connection-lost' };
    asked = stale;
  }
}

async function seal(
  deps: Asking,
  asked: AskedNode,
): Promise<NodeReply | { readonly sent: Sent; readonly sealed: SealedQuestion }> {
  const { node, ticket, registers, lookup } = asked;
  try {
    const { outgoing, counter } = await deps.sessions.next(node);
    const question = makeQuestion(lookup, registers);
    const ciphertext = sealQuestion(
      deps.backend,
      outgoing.session,
      counter,
      ticket,
      questionCodec.encode(question),
    );
    const sealed = { node, sessionId: outgoing.session.id, counter, opening: outgoing.opening, ciphertext };
    return { sent: { ...asked, question, outgoing, counter }, sealed };
  } catch (error) {
    if (error instanceof HitError && error.code === 'key-changed')
      return { node, type: 'no-answer', reason: 'key-changed' };
    deps.log.error({
      event: 'question-not-sealed',
      node,
      code: error instanceof HitError ? error.code : 'internal',
    });
    return { node, type: 'no-answer', reason: 'rejected' };
  }
}

/**
 * The gateway's reports; a connection that breaks ends them, and what is missing then is told as missing. A gateway that
 * turned the questions away has put none of them.
 */
async function* reports(
  deps: Asking,
  opened: LookupOpened,
  questions: readonly SealedQuestion[],
): AsyncGenerator<DeliveryReport> {
  if (questions.length === 0) return;
  try {
    yield* deps.gateway.ask(opened, questions);
  } catch (error) {
    const code = error instanceof HitError ? error.code : 'internal';
    deps.log.warn({ event: 'questions-interrupted', code });
    if (code === 'overloaded' || code === 'agency-busy')
      for (const { node } of questions) yield { node, outcome: 'overloaded', ciphertext: undefined };
  }
}

async function read(deps: Asking, sent: Sent, report: DeliveryReport): Promise<NodeReply> {
  const { node, lookup } = sent;
  switch (report.outcome) {
    case 'answered':
    case 'refused':
      try {
        return await readSealed(deps, lookup, sent, report);
      } catch (error) {
        deps.log.error({
          event: 'reply-invalid',
          node,
          code: error instanceof HitError ? error.code : 'internal',
          reason: error instanceof HitError ? error.detail : String(error),
        });
        return { node, type: 'invalid' };
      }
    case 'session-unknown':
    case 'rejected':
      return { node, type: 'no-answer', reason: 'rejected' };
    default:
      return { node, type: 'no-answer', reason: report.outcome };
  }
}

async function readSealed(
  deps: Asking,
  lookup: EvaluatedLookup,
  sent: Sent,
  report: DeliveryReport,
): Promise<NodeReply> {
  const { node, outgoing, counter, ticket, question } = sent;
  if (report.ciphertext === undefined) throw new HitError('malformed', 'a reply without content');
  const answer = answerCodec.decode(
    openAnswer(deps.backend, outgoing.session, counter, ticket, report.ciphertext),
  );
  // Only who holds the session can have sealed this: from now on the opening need not travel along.
  outgoing.opening = undefined;
  if (answer.type === 'refused') return { node, type: 'refused', reason: answer.reason };
  const logged = await deps.commitments.of(node, answer);
  const registers = readAnswer(deps.suite, lookup, node, question, answer, logged?.tables);
  const answeredFrom = logged && { epoch: logged.tables.epoch, index: logged.index };
  return { node, type: 'answered', epoch: answer.epoch, registers, answeredFrom };
}
