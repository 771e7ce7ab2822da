import type { Suite } from '../oprf/suite.ts';
import { constantTimeEqual } from '../bytes.ts';
import { HitError } from '../errors.ts';
import type { Table } from '../pseudonym/table.ts';
import { bucketAt } from '../pseudonym/table.ts';
import type { Answer, RegisterAnswer, Unavailable } from '../wire/answer.ts';
import type { Question } from '../wire/question.ts';
import type { Ticket } from '../wire/ticket.ts';
import { elementDigest } from '../wire/ticket.ts';
import { mapElements, splitElements } from './elements.ts';

/** What a node answers from: all its tables of one epoch. */
export interface AnsweringEpoch {
  readonly epoch: number;
  /** k_n·t_e */
  readonly answerKey: Uint8Array;
  /** The table of a register for a token type, or why there is none. */
  table(register: string, tokenType: string): Table | Unavailable;
}

/**
 * Checks a question against its ticket, so that nothing is answered that the gateway did not log: the same
 * registers, the same number of persons, and exactly the elements that it evaluated for this lookup.
 * Throws `ticket-invalid` or `malformed`.
 */
export function checkQuestion(ticket: Ticket, question: Question): void {
  const asked = new Set(question.elements.map(({ tokenType }) => tokenType));
  if (asked.size !== question.elements.length) throw new HitError('malformed', 'a token type stands twice');
  for (const { tokenType, elements } of question.elements) {
    splitElements(elements, ticket.persons);
    const digest = ticket.elementDigests.find((entry) => entry.tokenType === tokenType)?.digest;
    if (digest === undefined || !constantTimeEqual(digest, elementDigest(tokenType, elements)))
      throw new HitError('ticket-invalid', 'the elements are not those that the gateway evaluated for this lookup');
  }
  const registers = new Set(question.registers.map(({ register }) => register));
  if (registers.size !== question.registers.length) throw new HitError('malformed', 'a register stands twice');
  for (const { register, columns } of question.registers) {
    if (!ticket.registers.includes(register))
      throw new HitError('ticket-invalid', 'a register is asked that the ticket does not name');
    if (new Set(columns.map(({ tokenType }) => tokenType)).size !== columns.length)
      throw new HitError('malformed', 'a column stands twice');
    for (const { tokenType, bits, buckets } of columns)
      if (!asked.has(tokenType) || bits > 16 || buckets.length !== ticket.persons || buckets.some((b) => b >= 2 ** bits))
        throw new HitError('malformed', 'a column does not fit the question');
  }
}

/**
 * A node's whole answer to a checked question: one multiplication an element, and one bucket a person, register and
 * token type. What it does, and how long it takes, does not depend on whether anybody is known.
 */
export function answerQuestion(suite: Suite, epoch: AnsweringEpoch, question: Question): Answer {
  return {
    type: 'answered',
    epoch: epoch.epoch,
    evaluated: question.elements.map(({ tokenType, elements }) => ({
      tokenType,
      elements: mapElements(elements, (element) => suite.backend.group.multiply(epoch.answerKey, element)),
    })),
    registers: question.registers.map((asked) => answerRegister(epoch, asked)),
  };
}

function answerRegister(epoch: AnsweringEpoch, asked: Question['registers'][number]): RegisterAnswer {
  const columns: { tokenType: string; capacity: number; buckets: Uint8Array }[] = [];
  for (const { tokenType, bits, buckets } of asked.columns) {
    const table = epoch.table(asked.register, tokenType);
    if (typeof table === 'string') return { type: 'unavailable', register: asked.register, reason: table };
    // An older roster may name more bits than the table has now: a prefix of them will do. Fewer will not.
    if (bits < table.bits) return { type: 'unavailable', register: asked.register, reason: 'roster-outdated' };
    const picked = buckets.map((bucket) => bucketAt(table, bucket >>> (bits - table.bits)));
    const joined = new Uint8Array(picked.reduce((sum, bucket) => sum + bucket.length, 0));
    picked.reduce((at, bucket) => (joined.set(bucket, at), at + bucket.length), 0);
    columns.push({ tokenType, capacity: table.capacity, buckets: joined });
  }
  return { type: 'tables', register: asked.register, columns };
}
