import { z } from 'zod';
import type { Question, RegisterAnswer } from '../../src/index.ts';
import {
  answerCodec,
  answerQuestion,
  checkQuestion,
  committedTables,
  elementDigests,
  evaluateElements,
  makeQuestion,
  questionCodec,
  readAnswer,
  tableCommitmentSchema,
  takeEvaluation,
  ticketCodec,
  utf8ToBytes,
} from '../../src/index.ts';
import type { NegativeCase, Subject } from '../format.ts';
import { hex, operation } from '../format.ts';
import {
  answeringEpoch,
  asked,
  contactsSchema,
  exampleLookup,
  prepare,
  suiteOf,
  tablesSchema,
} from './lookup-example.ts';
import { exampleTicket, layTicket } from './tickets.ts';

const tableBits = z.array(
  z.strictObject({ register: z.string(), tableBits: z.record(z.string(), z.number()) }),
);

type Column = Extract<RegisterAnswer, { type: 'tables' }>['columns'][number];

/** A lookup at one node, step by step. */
export const lookup: Subject = {
  description:
    'A lookup at one node. prepare: an asker blinds its persons (`random` is what it draws: 64 bytes for each blind and, ' +
    'before it, 16 bytes for the padding token of who lacks a type). question: the encoded question, once the gateway ' +
    'has evaluated. check-question: a node compares it with its ticket; true or fails. answer: the encoded answer of a ' +
    'node with these tables, each with its answer key, these contacts, and the logged commitment (here any bytes). ' +
    'read-answer: what the asker shows, when it holds the answer against what the node committed to.',
  operations: {
    prepare: operation(z.strictObject(asked), (backend, given) => prepare(backend, given).elements),
    evaluate: operation(z.strictObject({ key: hex, elements: hex }), (backend, { key, elements }) =>
      evaluateElements(suiteOf(backend), key, elements),
    ),
    question: operation(
      z.strictObject({ ...asked, evaluated: hex, registers: tableBits }),
      (backend, { evaluated, registers, ...given }) => {
        const taken = takeEvaluation(suiteOf(backend), prepare(backend, given), evaluated);
        return questionCodec.encode(makeQuestion(taken, registers));
      },
    ),
    'check-question': operation(z.strictObject({ ticket: hex, question: hex }), (_, { ticket, question }) => {
      checkQuestion(ticketCodec.decode(ticket), questionCodec.decode(question));
      return true;
    }),
    answer: operation(
      z.strictObject({
        question: hex,
        epoch: z.number(),
        commitment: hex.optional(),
        tables: tablesSchema,
        contacts: contactsSchema,
      }),
      (backend, { question, epoch, commitment, tables, contacts }) =>
        answerCodec.encode(
          answerQuestion(
            suiteOf(backend),
            answeringEpoch(epoch, commitment, tables, contacts),
            questionCodec.decode(question),
          ),
        ),
    ),
    'read-answer': operation(
      z.strictObject({
        ...asked,
        evaluated: hex,
        registers: tableBits,
        node: z.string(),
        answer: hex,
        committed: tableCommitmentSchema.optional(),
      }),
      (backend, { evaluated, registers, node, answer, committed, ...given }) => {
        const taken = takeEvaluation(suiteOf(backend), prepare(backend, given), evaluated);
        const decoded = answerCodec.decode(answer);
        if (decoded.type === 'refused') return { refused: decoded.reason };
        const tables = committed === undefined ? undefined : committedTables(committed);
        return readAnswer(suiteOf(backend), taken, node, makeQuestion(taken, registers), decoded, tables);
      },
    ),
  },
  async cases() {
    const made = exampleLookup();
    const { lookup: given, evaluated, registers, epoch, tables, contacts } = made;
    const question = questionCodec.encode(made.question);
    const answer = answerCodec.encode(made.answer);
    const ticket = (change: object = {}): Uint8Array =>
      layTicket({
        ...exampleTicket('lookup ticket'),
        elementDigests: elementDigests(evaluated, given.tokenTypes),
        ...change,
      }).bytes();
    const answering = { question, epoch, commitment: made.packed, tables, contacts };
    const committed = made.commitment;
    const reading = { ...given, evaluated, registers, node: 'politie', answer, committed };
    const wrongQuestion = (
      name: string,
      change: Partial<Question>,
      error: NegativeCase['error'],
    ): NegativeCase => ({
      name,
      operation: 'check-question',
      input: { ticket: ticket(), question: questionCodec.encode({ ...made.question, ...change }) },
      error,
    });
    const wrongAnswer = (
      name: string,
      change: Partial<typeof made.answer>,
      error: NegativeCase['error'] = 'malformed',
    ): NegativeCase => ({
      name,
      operation: 'read-answer',
      input: { ...reading, answer: answerCodec.encode({ ...made.answer, ...change }) },
      error,
    });
    const withColumns = (change: (column: Column) => Column | readonly Column[]): readonly RegisterAnswer[] =>
      made.answer.registers.map((reply) =>
        reply.type !== 'tables' ? reply : { ...reply, columns: reply.columns.flatMap(change) },
      );
    const withContact = (contact: string): Partial<typeof made.answer> => ({
      registers: made.answer.registers.map((reply) =>
        reply.type !== 'tables' ? reply : { ...reply, contact: utf8ToBytes(contact) },
      ),
    });
    const [first, ...others] = made.question.registers;
    return {
      vectors: [
        { name: 'two persons, the second without a type', operation: 'prepare', input: given },
        {
          name: 'by the gateway',
          operation: 'evaluate',
          input: { key: made.gatewayKey, elements: made.prepared.elements },
        },
        { name: 'two registers', operation: 'question', input: { ...given, evaluated, registers } },
        {
          name: 'the ticket of this lookup',
          operation: 'check-question',
          input: { ticket: ticket(), question },
        },
        { name: 'two registers', operation: 'answer', input: answering },
        {
          name: 'a register without a table',
          operation: 'answer',
          input: { ...answering, tables: tables.slice(1) },
        },
        { name: 'known by two types in one register', operation: 'read-answer', input: reading },
        {
          name: 'a refusal',
          operation: 'read-answer',
          input: { ...reading, answer: answerCodec.encode({ type: 'refused', reason: 'node-quota-agency' }) },
        },
      ],
      negative: [
        {
          name: 'the ticket of another lookup',
          operation: 'check-question',
          input: { ticket: ticket({ elementDigests: exampleTicket('other').elementDigests }), question },
          error: 'ticket-invalid',
        },
        {
          name: 'a register that the ticket does not name',
          operation: 'check-question',
          input: { ticket: ticket({ registers: ['aandacht'] }), question },
          error: 'ticket-invalid',
        },
        {
          name: 'a ticket for more persons',
          operation: 'check-question',
          input: { ticket: ticket({ persons: 3 }), question },
          error: 'malformed',
        },
        wrongQuestion('a register twice', { registers: [first, first].flatMap((x) => x ?? []) }, 'malformed'),
        wrongQuestion(
          'elements twice',
          { elements: made.question.elements.flatMap((x) => [x, x]) },
          'malformed',
        ),
        wrongQuestion(
          'a bucket that does not exist',
          {
            registers: [
              { register: 'aandacht', columns: [{ tokenType: 'bsn', bits: 2, buckets: [0, 4] }] },
              ...others,
            ],
          },
          'malformed',
        ),
        {
          name: 'an element that is the identity',
          operation: 'evaluate',
          input: { key: made.gatewayKey, elements: '00'.repeat(32) },
          error: 'element-invalid',
        },
        {
          name: 'half an element',
          operation: 'evaluate',
          input: { key: made.gatewayKey, elements: '00'.repeat(48) },
          error: 'malformed',
        },
        wrongAnswer('a register is missing', { registers: made.answer.registers.slice(1) }),
        wrongAnswer('the registers in another order', { registers: [...made.answer.registers].reverse() }),
        wrongAnswer('the elements of one person too few', {
          registers: withColumns((column) => ({ ...column, evaluated: column.evaluated.slice(32) })),
        }),
        wrongAnswer('a token type is missing', {
          registers: withColumns((column) => (column.tokenType === 'skn' ? [] : column)),
        }),
        wrongAnswer('more bits than asked for', {
          registers: withColumns((column) => ({ ...column, bits: 1 })),
        }),
        wrongAnswer('two registers under one name', {
          registers: [{ type: 'unavailable', register: 'aandacht,aangiften', reason: 'starting' }],
        }),
        wrongAnswer('a path where none is needed', {
          registers: withColumns((column) => ({ ...column, paths: new Uint8Array(32) })),
        }),
        wrongAnswer(
          'another tag than was committed to',
          {
            registers: withColumns((column) => ({
              ...column,
              ranges: column.ranges.map((byte, i) => (i === 9 ? byte ^ 1 : byte)),
            })),
          },
          'log-proof-invalid',
        ),
        wrongAnswer('another epoch than was committed to', { epoch: epoch + 1 }, 'log-proof-invalid'),
        {
          name: 'without a commitment',
          operation: 'read-answer',
          input: { ...reading, committed: undefined },
          error: 'log-proof-invalid',
        },
        {
          name: 'a table that was not committed to',
          operation: 'read-answer',
          input: { ...reading, committed: { ...committed, tables: committed.tables.slice(1) } },
          error: 'log-proof-invalid',
        },
        wrongAnswer('a contact that is not JSON', withContact('024 000 00 00')),
        wrongAnswer(
          'a contact without a name',
          withContact('{"telephone":"024 000 00 00"}'),
          'field-invalid',
        ),
        wrongAnswer(
          'a contact with a member that is not known',
          withContact('{"name":"Team","note":"x"}'),
          'field-invalid',
        ),
        wrongAnswer('a range cut off', {
          registers: withColumns((column) => ({ ...column, ranges: column.ranges.slice(8) })),
        }),
        wrongAnswer('ranges without a tag', {
          registers: withColumns((column) => ({ ...column, rangeTags: 0, ranges: new Uint8Array() })),
        }),
      ],
    };
  },
};
