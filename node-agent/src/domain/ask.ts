import type {
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
  HitError,
  checkTicket,
  constantTimeEqual,
  decodeBase64,
  elementDigests,
  encodeBase64,
  prepareLookup,
  takeEvaluation,
  ticketCodec,
} from '@hitmachine/protocol';
import type { Clock } from '../ports/clock.ts';
import type { GatewayClient } from '../ports/gateway-client.ts';
import type { OperationalLog } from '../ports/operational-log.ts';
import type { AskedNode, NodeReply } from './ask-nodes.ts';
import { askNodes } from './ask-nodes.ts';
import type { AddressedRegister } from './lookup-input.ts';
import type { Outcome } from './outcome.ts';
import type { RosterKeeper } from './roster-keeper.ts';
import type { OutgoingSessions } from './sessions.ts';

export interface Asker {
  readonly suite: Suite;
  readonly backend: Backend;
  readonly random: Random;
  readonly clock: Clock;
  readonly roster: RosterKeeper;
  readonly sessions: OutgoingSessions;
  readonly gateway: GatewayClient;
  readonly log: OperationalLog;
}

/** A question that is ready to be asked: everything that is told to the gateway, and the tokens, which are not. */
export interface Asked {
  readonly purpose: string;
  readonly caseCommitment: string;
  readonly professional: string;
  readonly persons: readonly PersonTokens[];
  readonly tokenTypes: readonly string[];
  readonly registers: readonly AddressedRegister[];
}

/** What a lookup yields: first its number, then the outcomes of one register after another. */
export type AskEvent =
  | { readonly type: 'opened'; readonly lookupId: string }
  | {
      readonly type: 'register';
      readonly register: AddressedRegister;
      readonly outcomes: readonly Outcome[];
    };

/**
 * Asks all addressed registers about all persons. Yields every register exactly once, as its answer comes in;
 * a register that did not answer says so and why. Throws only when the lookup as a whole could not be opened.
 */
export async function* ask(asker: Asker, asked: Asked): AsyncGenerator<AskEvent> {
  const prepared = prepareLookup(asker.suite, asked.persons, asked.tokenTypes, asker.random);
  const { opened, requestDigest, roster } = await open(asker, asked, prepared);
  const evaluated = evaluate(asker, roster, prepared, opened);
  yield { type: 'opened', lookupId: opened.lookupId };

  const every = (outcome: Outcome): Outcome[] => asked.persons.map(() => outcome);
  const nodes: AskedNode[] = [];
  const byNode = new Map<string, AddressedRegister[]>();
  for (const entry of asked.registers) {
    if (Object.keys(entry.register.tableBits).length === 0)
      yield {
        type: 'register',
        register: entry,
        outcomes: every({ status: 'no-answer', reason: 'not-imported' }),
      };
    else byNode.set(entry.agency.id, [...(byNode.get(entry.agency.id) ?? []), entry]);
  }
  for (const [node, registers] of byNode) {
    const ticket = ticketFor(asker, node, {
      opened,
      evaluated,
      requestDigest,
      persons: asked.persons.length,
      registers,
    });
    if (ticket !== undefined)
      nodes.push({
        node,
        ticket,
        registers: registers.map(({ register: { id, tableBits } }) => ({ register: id, tableBits })),
      });
    else
      for (const register of registers)
        yield {
          type: 'register',
          register,
          outcomes: every({ status: 'invalid', reason: 'reply-failed-check' }),
        };
  }
  for await (const reply of askNodes(asker, opened, evaluated, nodes)) {
    for (const entry of byNode.get(reply.node) ?? []) {
      if (reply.type === 'answered')
        yield {
          type: 'register',
          register: entry,
          outcomes: outcomesAt(entry, reply.registers, asked.persons.length),
        };
      else if (reply.type === 'invalid')
        yield {
          type: 'register',
          register: entry,
          outcomes: every({ status: 'invalid', reason: 'reply-failed-check' }),
        };
      else if (reply.type === 'refused')
        yield {
          type: 'register',
          register: entry,
          outcomes: every({ status: 'refused', reason: reply.reason }),
        };
      else
        yield {
          type: 'register',
          register: entry,
          outcomes: every({ status: 'no-answer', reason: reply.reason }),
        };
    }
  }
}

/** Opens the lookup; when the roster has moved on in the meantime, once more with the new one. */
async function open(
  asker: Asker,
  asked: Asked,
  prepared: PreparedLookup,
): Promise<{ opened: LookupOpened; requestDigest: Uint8Array; roster: Roster }> {
  const request = (): LookupRequest => ({
    rosterVersion: asker.roster.roster.version,
    purpose: asked.purpose,
    caseCommitment: asked.caseCommitment,
    professional: asked.professional,
    registers: asked.registers.map(({ name }) => name),
    tokenTypes: [...asked.tokenTypes],
    persons: asked.persons.length,
    elements: encodeBase64(prepared.elements),
  });
  try {
    return { ...(await asker.gateway.openLookup(request())), roster: asker.roster.roster };
  } catch (error) {
    if (!(error instanceof HitError) || error.code !== 'roster-outdated') throw error;
    asker.roster.accept(await asker.gateway.roster());
    return { ...(await asker.gateway.openLookup(request())), roster: asker.roster.roster };
  }
}

function evaluate(
  asker: Asker,
  roster: Roster,
  prepared: PreparedLookup,
  opened: LookupOpened,
): EvaluatedLookup {
  const evaluated = decodeBase64(opened.evaluated, prepared.elements.length);
  const gatewayKey = decodeBase64(asker.roster.trustedEvaluationKey(), 32);
  if (!roster.settings.lookupProof) return takeEvaluation(asker.suite, prepared, evaluated);
  if (opened.proof === undefined)
    throw new HitError('proof-invalid', 'the gateway left out the proof that the roster promises');
  return takeEvaluation(asker.suite, prepared, evaluated, { gatewayKey, proof: decodeBase64(opened.proof) });
}

/** The ticket for a node, if it is exactly what was asked for: otherwise nodes and auditors would see another story. */
function ticketFor(
  asker: Asker,
  node: string,
  expected: {
    readonly opened: LookupOpened;
    readonly evaluated: EvaluatedLookup;
    readonly requestDigest: Uint8Array;
    readonly persons: number;
    readonly registers: readonly AddressedRegister[];
  },
): Uint8Array | undefined {
  try {
    const encoded = decodeBase64(
      expected.opened.tickets.find((ticket) => ticket.node === node)?.ticket ?? '',
    );
    const ticket = ticketCodec.decode(encoded);
    checkTicket(ticket, { node, asker: asker.roster.self.id, now: asker.clock() });
    const digests = elementDigests(expected.evaluated.evaluated, expected.evaluated.tokenTypes);
    const fits =
      constantTimeEqual(ticket.lookupId, decodeBase64(expected.opened.lookupId)) &&
      constantTimeEqual(ticket.requestDigest, expected.requestDigest) &&
      ticket.persons === expected.persons &&
      expected.registers.every(({ register }) => ticket.registers.includes(register.id)) &&
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

function outcomesAt(
  entry: AddressedRegister,
  results: Extract<NodeReply, { type: 'answered' }>['registers'],
  persons: number,
): Outcome[] {
  const result = results.find(({ register }) => register === entry.register.id);
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
      return { status: 'known', matchedOn: person.matchedOn, contact: entry.register.contact };
    if (person.status === 'not-known') return { status: 'not-known' };
    return { status: 'no-answer', reason: 'no-common-token' };
  });
}
