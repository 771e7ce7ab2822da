import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Question, Table, Ticket } from '@hitmachine/protocol';
import {
  LIMITS,
  answerCodec,
  answerQuestion,
  concatBytes,
  encodeContact,
  pathOf,
  rangeAt,
  bucketTree,
  buildTable,
  checkQuestion,
} from '@hitmachine/protocol';
import { PERSONS, REGISTERS, answer, epoch, question, read, ticket } from './one-answer.ts';
import { answerOf, askedQuestion, contactOf, evaluateLookup, ticketFor, tokensOfPerson } from './parties.ts';
import { errorOf, expectCode, scalarOf, seeded, suite } from './support.ts';

describe('a node', () => {
  const check = (change: Partial<Question>, ticketChange: Partial<Ticket> = {}): void =>
    checkQuestion({ ...ticket, ...ticketChange }, { ...question, ...change });

  test('answers what the ticket allows', () => {
    check({});
    check({ registers: question.registers.slice(1) });
    check({ registers: [] });
  });

  test('never answers for elements that the gateway did not evaluate for this lookup', () => {
    const other = evaluateLookup(suite, PERSONS.map(tokensOfPerson), 'another lookup');
    const theirs = askedQuestion(other, REGISTERS, () => 0);
    expectCode(() => check({ elements: theirs.elements }), 'ticket-invalid');
    fc.assert(
      fc.property(fc.nat(1), fc.nat(63), fc.integer({ min: 1, max: 255 }), (column, at, change) => {
        const elements = question.elements.map((part, i) =>
          i === column
            ? { ...part, elements: part.elements.map((byte, j) => (j === at ? byte ^ change : byte)) }
            : part,
        );
        expectCode(() => check({ elements }), 'ticket-invalid');
      }),
    );
    const [first, second] = question.elements;
    const swapped = [first, second].map((part, i) => ({
      tokenType: part?.tokenType ?? '',
      elements: question.elements[1 - i]?.elements ?? new Uint8Array(),
    }));
    expectCode(() => check({ elements: swapped }), 'ticket-invalid');
  });

  test('refuses registers, counts and columns that do not fit', () => {
    const [a, b] = question.registers as [Question['registers'][number], Question['registers'][number]];
    const [column] = a.columns as [(typeof a.columns)[number]];
    const columns = (change: Partial<typeof column>): Partial<Question> => ({
      registers: [{ ...a, columns: [{ ...column, ...change }] }],
    });
    expectCode(() => check({}, { registers: ['a'] }), 'ticket-invalid');
    expectCode(() => check({ registers: [a, a] }), 'malformed');
    expectCode(() => check({ registers: [{ ...b, columns: [column, column] }] }), 'malformed');
    expectCode(() => check({}, { persons: 1 }), 'malformed');
    expectCode(() => check({}, { persons: 3 }), 'malformed');
    expectCode(() => check({ registers: [] }, { persons: 3 }), 'malformed');
    expectCode(() => check(columns({ buckets: [0] })), 'malformed');
    expectCode(() => check(columns({ buckets: [0, 1] })), 'malformed');
    expectCode(() => check(columns({ bits: 2, buckets: [3, 4] })), 'malformed');
    expectCode(() => check(columns({ bits: 11 })), 'malformed');
    expectCode(() => check(columns({ tokenType: 'name+birthdate' })), 'malformed');
    expectCode(() => check({ elements: [...question.elements, ...question.elements] }), 'malformed');
  });

  const entries = Array.from({ length: 2_500 }, (_, i) => ({
    bucketHash: (i * 109) % 65_536,
    tag: seeded(`t${i}`)(8),
  }));
  const table: Table = buildTable(entries, 10, seeded('bits'));
  const tree = bucketTree(table);

  /** Answers of a register with that table, whose buckets are asked for with so many bits. */
  function answerWith(bits: number, buckets: readonly number[]) {
    const tables = [{ tokenType: 'bsn', table, tree, answerKey: scalarOf('bits') }];
    const answered = answerQuestion(
      suite,
      {
        epoch: 1,
        commitment: undefined,
        register: () => ({ contact: encodeContact(contactOf('a')), tables }),
      },
      {
        elements: question.elements,
        registers: [{ register: 'a', columns: [{ tokenType: 'bsn', bits, buckets }] }],
      },
    );
    const reply = answered.type === 'answered' ? answered.registers[0] : undefined;
    return reply?.type === 'tables' ? reply.columns[0] : undefined;
  }

  test('picks the range of a bucket number, whatever the number of bits that an older roster names', () => {
    expect(table.bits).toBe(5);
    for (let bits = 0; bits <= 10; bits++) {
      const bucket = 2 ** bits - 1;
      const shown = Math.min(bits, 5);
      expect(answerWith(bits, [bucket])).toMatchObject({
        bits: shown,
        rangeTags: table.capacity * 2 ** (5 - shown),
        ranges: rangeAt(table, shown, bucket >>> (bits - shown)),
        paths: pathOf(tree, shown, bucket >>> (bits - shown)),
      });
    }
  });

  test('never shows more bits of two persons than one of them alone would show', () => {
    const two = answerWith(5, [0b11_010, 0b00_111]);
    expect(two?.bits).toBe(2);
    expect(two?.ranges).toEqual(concatBytes(rangeAt(table, 2, 0b11), rangeAt(table, 2, 0b00)));
    expect(two?.paths).toEqual(concatBytes(pathOf(tree, 2, 0b11), pathOf(tree, 2, 0b00)));
  });

  test('sends the whole table once where the persons would cover it anyway', () => {
    const many = answerWith(5, [1, 2, 3, 4, 5, 6]);
    expect(many).toMatchObject({ bits: 0, ranges: table.bytes, paths: new Uint8Array() });
  });

  test('does not answer for a register by fewer or other token types than it holds', () => {
    const ask = (columns: Question['registers'][number]['columns']) => {
      const answered = answerQuestion(suite, epoch, { ...question, registers: [{ register: 'a', columns }] });
      return answered.type === 'answered' ? answered.registers[0] : undefined;
    };
    const [a] = question.registers as [Question['registers'][number]];
    const outdated = { type: 'unavailable', register: 'a', reason: 'roster-outdated' };
    expect(ask(a.columns)).toMatchObject({ type: 'tables' });
    expect(ask(a.columns.slice(1))).toEqual(outdated);
    expect(ask([])).toEqual(outdated);
    expect(
      ask(a.columns.map((column, i) => (i === 0 ? { ...column, tokenType: 'address' } : column))),
    ).toEqual(outdated);
    expect(ask([...a.columns, { tokenType: 'address', bits: 0, buckets: [0, 0] }])).toEqual(outdated);
  });

  test('says so where an answer would grow too large, and answers the others', () => {
    const bytes = new Uint8Array(LIMITS.answerBytes / 2);
    const whole = { bits: 0, capacity: bytes.length / 8, bytes };
    const large = [
      {
        tokenType: 'bsn',
        table: whole,
        tree: bucketTree(whole),
        answerKey: scalarOf('large'),
      },
    ];
    const [, b] = question.registers as [Question['registers'][number], Question['registers'][number]];
    const registers = ['a', 'b', 'c'].map((register) => ({ ...b, register }));
    const small = epoch.register('b');
    const answered = answerQuestion(
      suite,
      {
        epoch: 1,
        commitment: undefined,
        register: (id) => (id === 'c' ? small : { contact: encodeContact(contactOf(id)), tables: large }),
      },
      { ...question, registers },
    );
    expect(answered).toMatchObject({
      registers: [
        { type: 'tables', register: 'a' },
        { type: 'unavailable', register: 'b', reason: 'too-large' },
        { type: 'tables', register: 'c' },
      ],
    });
    answerCodec.encode(answered);
  });

  test('does the same amount of work whether anybody is known or not', () => {
    const sizes = [[{ bsn: '1', skn: 'x' }], [{ bsn: '8', skn: 'y' }], [{}]].map((persons) => {
      const one = evaluateLookup(suite, persons.map(tokensOfPerson), JSON.stringify(persons));
      const asked = askedQuestion(one, REGISTERS, () => 0);
      return answerCodec.encode(answerOf(suite, epoch, ticketFor(one, ['a', 'b']), asked)).length;
    });
    expect(new Set(sizes).size).toBe(1);
  });
});

test('errors about answers carry no data of the lookup', () => {
  const { message } = errorOf(() => read({ ...answer, registers: [] }));
  expect(message).toBe('malformed: the answer does not fit the question');
});
