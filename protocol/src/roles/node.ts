import type { Suite } from '../oprf/suite.ts';
import { concatBytes, constantTimeEqual } from '../bytes.ts';
import { HitError } from '../errors.ts';
import type { BucketTree } from '../log/bucket-tree.ts';
import { pathOf } from '../log/bucket-tree.ts';
import { TAG_BYTES } from '../pseudonym/pseudonym.ts';
import { MAX_PREFIX_BITS, bitsPerPerson } from '../pseudonym/size-class.ts';
import type { Table } from '../pseudonym/table.ts';
import { rangeAt } from '../pseudonym/table.ts';
import type { Answer, Refusal, RegisterAnswer, Unavailable } from '../wire/answer.ts';
import { LIMITS } from '../wire/limits.ts';
import type { Question } from '../wire/question.ts';
import type { Ticket } from '../wire/ticket.ts';
import { elementDigest } from '../wire/ticket.ts';
import { mapElements, requireElements } from './elements.ts';

/** One table that a node answers from, with its tree and its key k_n·t_e. */
export interface AnsweringTable {
  readonly tokenType: string;
  readonly table: Table;
  /** The tree over the table's buckets, whose root the node committed to. */
  readonly tree: BucketTree;
  readonly answerKey: Uint8Array;
}

/** What a node answers from for one register. */
export interface AnsweringRegister {
  /** As the node's own configuration has it, encoded by `encodeContact`; the roster's is the gateway's word. */
  readonly contact: Uint8Array;
  /** One a token type that the register holds. */
  readonly tables: readonly AnsweringTable[];
}

/** What a node answers from: all its tables of one epoch. */
export interface AnsweringEpoch {
  readonly epoch: number;
  /** The logged commitment to all tables of this epoch, as `packCommitment` makes it. */
  readonly commitment: Uint8Array | undefined;
  /** A register's contact and tables, or why it has no answer. */
  register(id: string): AnsweringRegister | Unavailable;
}

/**
 * Checks a question against its ticket, so that nothing is answered that the gateway did not log: the same
 * registers, the same number of persons, and exactly the elements that it evaluated for this lookup.
 * Throws `ticket-invalid` or `malformed`. `evaluationKey`: that of the node's tables, as `digestKeyOf` gives it. A runtime
 * may bring a quicker SHA-256.
 */
export function checkQuestion(
  ticket: Ticket,
  question: Question,
  evaluationKey?: Uint8Array,
  hash?: (message: Uint8Array) => Uint8Array,
): void {
  const asked = question.elements.map(({ tokenType }) => tokenType);
  if (hasRepeated(asked)) throw new HitError('malformed', 'a token type stands twice');
  for (const { tokenType, elements } of question.elements) {
    requireElements(elements, ticket.persons);
    const digest = ticket.elementDigests.find((entry) => entry.tokenType === tokenType)?.digest;
    if (
      digest === undefined ||
      !constantTimeEqual(digest, elementDigest(tokenType, elements, evaluationKey, hash))
    )
      throw new HitError(
        'ticket-invalid',
        'the elements are not those that the gateway evaluated for this lookup',
      );
  }
  if (hasRepeated(question.registers.map(({ register }) => register)))
    throw new HitError('malformed', 'a register stands twice');
  for (const { register, columns } of question.registers) {
    if (!ticket.registers.includes(register))
      throw new HitError('ticket-invalid', 'a register is asked that the ticket does not name');
    if (hasRepeated(columns.map(({ tokenType }) => tokenType)))
      throw new HitError('malformed', 'a column stands twice');
    for (const { tokenType, bits, buckets } of columns)
      if (
        !asked.includes(tokenType) ||
        bits > MAX_PREFIX_BITS ||
        buckets.length !== ticket.persons ||
        buckets.some((bucket) => bucket >= 2 ** bits)
      )
        throw new HitError('malformed', 'a column does not fit the question');
  }
}

/** Of a few names: a set of them takes longer to make. */
const hasRepeated = (names: readonly string[]): boolean => names.some((name, i) => names.indexOf(name) !== i);

/** What a node's rules say of a question; without them everything is answered. */
export interface AnsweringRules {
  /** The token types that the question may go by: tables of others are left aside. */
  readonly tokenTypes: readonly string[];
  /** Why a register does not answer, as far as the rules are the reason. */
  refusal(register: string): Refusal | undefined;
}

/**
 * A node's whole answer to a checked question: one multiplication for each person, register and token type, and the
 * ranges of tags that the bucket numbers pick. What it does, and how long it takes, does not depend on
 * whether anybody is known.
 */
export function answerQuestion(
  suite: Suite,
  epoch: AnsweringEpoch,
  question: Question,
  rules?: AnsweringRules,
): Answer {
  const registers: RegisterAnswer[] = [];
  let room: number = LIMITS.answerRanges;
  for (const asked of question.registers) {
    const answer = answerRegister(suite, epoch, question, asked, room, rules);
    if (answer.type === 'tables') room -= answer.columns.reduce((sum, { ranges }) => sum + ranges.length, 0);
    registers.push(answer);
  }
  return { type: 'answered', epoch: epoch.epoch, commitment: epoch.commitment, registers };
}

function answerRegister(
  suite: Suite,
  epoch: AnsweringEpoch,
  question: Question,
  asked: Question['registers'][number],
  room: number,
  rules: AnsweringRules | undefined,
): RegisterAnswer {
  const { register } = asked;
  const refusal = rules?.refusal(register);
  if (refusal !== undefined) return { type: 'refused', register, reason: refusal };
  const unavailable = (reason: Unavailable): RegisterAnswer => ({ type: 'unavailable', register, reason });
  const found = epoch.register(register);
  if (typeof found === 'string') return unavailable(found);
  const { contact } = found;
  const tables = found.tables.filter(({ tokenType }) => rules?.tokenTypes.includes(tokenType) !== false);
  // Every token type that the register holds and the rules allow must be asked about: who is known under one that was
  // left out would otherwise come out as "not known". An older roster may name types that the register no longer has.
  const picked = tables.map((held) => ({
    held,
    column: asked.columns.find(({ tokenType }) => tokenType === held.tokenType),
  }));
  if (picked.some(({ column }) => column === undefined) || asked.columns.length !== tables.length)
    return unavailable('roster-outdated');
  const columns = picked.map(({ held, column }) => {
    const { bits, buckets } = column as Question['registers'][number]['columns'][number];
    const shown = Math.min(bits, bitsPerPerson(held.table.bits, buckets.length));
    const numbers = shown === 0 ? [0] : buckets.map((bucket) => bucket >>> (bits - shown));
    return { held, shown, numbers, rangeBytes: rangeAt(held.table, shown, 0).length };
  });
  if (columns.reduce((sum, { numbers, rangeBytes }) => sum + numbers.length * rangeBytes, 0) > room)
    return unavailable('too-large');
  return {
    type: 'tables',
    register,
    contact,
    columns: columns.map(({ held: { tokenType, table, tree, answerKey }, shown, numbers, rangeBytes }) => {
      const ranges = numbers.map((number) => rangeAt(table, shown, number));
      const elements = question.elements.find((entry) => entry.tokenType === tokenType)
        ?.elements as Uint8Array;
      return {
        tokenType,
        evaluated: mapElements(elements, (element) => suite.backend.group.multiply(answerKey, element)),
        bits: shown,
        rangeTags: rangeBytes / TAG_BYTES,
        ranges: joined(ranges),
        paths: joined(numbers.map((number) => pathOf(tree, shown, number))),
      };
    }),
  };
}

/** One part stays what it is: a range is a view into the table, and as large as that when no bits are shown. */
const joined = (parts: readonly Uint8Array[]): Uint8Array =>
  parts.length === 1 ? (parts[0] as Uint8Array) : concatBytes(...parts);
