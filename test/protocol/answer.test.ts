import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Answer, Question, Table, Ticket } from '@hitmachine/protocol';
import { answerQuestion, buildTable, checkQuestion, readAnswer } from '@hitmachine/protocol';
import type { RegisterModel } from './parties.ts';
import {
  NODE,
  answerOf,
  askedQuestion,
  buildEpoch,
  evaluateLookup,
  expectedResults,
  ticketFor,
  tokensOfPerson,
} from './parties.ts';
import { BACKENDS, errorOf, expectCode, seeded, suite } from './support.ts';
import { createSuite } from '@hitmachine/protocol';

const REGISTERS: readonly RegisterModel[] = [
  { register: 'a', tokenTypes: ['bsn', 'skn'], clients: [{ bsn: '1', skn: 'x' }] },
  { register: 'b', tokenTypes: ['bsn'], clients: [{ bsn: '2' }] },
];
const PERSONS = [{ bsn: '1', skn: 'x' }, { bsn: '2' }];
const lookup = evaluateLookup(suite, PERSONS.map(tokensOfPerson));
const epoch = buildEpoch(suite, REGISTERS, 1);
const question = askedQuestion(lookup, REGISTERS, () => 0);
const ticket = ticketFor(lookup, ['a', 'b']);
type Answered = Extract<Answer, { type: 'answered' }>;
const answer = answerOf(suite, epoch, ticket, question);
const read = (changed: Answered): unknown => readAnswer(suite, lookup, NODE, question, changed);

const IDENTITY = new Uint8Array(32);

/** Ways in which a list can be something else than what was asked for. */
function otherLists<T>(
  parts: readonly T[],
  rename: (part: T, name: string) => T,
  nameOf: (part: T) => string,
): (readonly T[])[] {
  const [first] = parts;
  const joined = parts.map(nameOf).join();
  return [
    [],
    parts.slice(1),
    [...parts, ...parts.slice(0, 1)],
    ...(parts.length > 1 ? [[...parts].reverse(), first === undefined ? [] : [rename(first, joined)]] : []),
    ...parts.map((part, i) => parts.map((other, j) => (i === j ? rename(part, 'other') : other))),
    ...parts.map((part, i) => parts.map((other, j) => (i === j ? rename(part, '') : other))),
  ];
}

type Tables = Extract<Answered['registers'][number], { type: 'tables' }>;
type Column = Tables['columns'][number];

const withRegister = (at: number, change: (register: Tables) => Tables): Answered => ({
  ...answer,
  registers: answer.registers.map((reply, i) =>
    i === at && reply.type === 'tables' ? change(reply) : reply,
  ),
});
const withColumn = (at: number, columnAt: number, change: (column: Column) => Column): Answered =>
  withRegister(at, (reply) => ({
    ...reply,
    columns: reply.columns.map((column, i) => (i === columnAt ? change(column) : column)),
  }));

const MUTATED: readonly Answered[] = [
  ...otherLists(
    answer.evaluated,
    (part, tokenType) => ({ ...part, tokenType }),
    ({ tokenType }) => tokenType,
  ).map((evaluated) => ({ ...answer, evaluated })),
  ...otherLists(
    answer.registers,
    (part, register) => ({ ...part, register }),
    ({ register }) => register,
  ).map((registers) => ({ ...answer, registers })),
  ...[0, 1].flatMap((at) =>
    otherLists(
      (answer.registers[at] as Tables).columns,
      (part, tokenType) => ({ ...part, tokenType }),
      ({ tokenType }) => tokenType,
    ).map((columns) => withRegister(at, (reply) => ({ ...reply, columns }))),
  ),
  ...[-32, -1, 1, 32].flatMap((by) =>
    answer.evaluated.map((_, at) => ({
      ...answer,
      evaluated: answer.evaluated.map((part, i) =>
        i === at ? { ...part, elements: new Uint8Array(part.elements.length + by) } : part,
      ),
    })),
  ),
  ...[
    [0, 0],
    [0, 1],
    [1, 0],
  ].flatMap(([at, columnAt]) =>
    [
      (column: Column): Column => ({ ...column, capacity: 0 }),
      (column: Column): Column => ({ ...column, capacity: column.capacity + 1 }),
      (column: Column): Column => ({ ...column, capacity: column.capacity - 1 }),
      (column: Column): Column => ({ ...column, buckets: column.buckets.slice(8) }),
      (column: Column): Column => ({ ...column, buckets: column.buckets.slice(1) }),
      (column: Column): Column => ({ ...column, buckets: new Uint8Array() }),
      (column: Column): Column => ({ ...column, capacity: 0, buckets: new Uint8Array() }),
      (column: Column): Column => ({
        ...column,
        buckets: Uint8Array.of(...column.buckets, ...new Uint8Array(8)),
      }),
    ].map((change) => withColumn(at as number, columnAt as number, change)),
  ),
];

describe('an answer that does not fit the question', () => {
  test('the one that fits is read', () => {
    expect(read(answer)).toEqual(expectedResults(REGISTERS, PERSONS));
  });

  test('any part that is missing, doubled, renamed, moved or cut is refused', () => {
    expect(MUTATED.length).toBeGreaterThan(40);
    for (const changed of MUTATED) expectCode(() => read(changed), 'malformed');
  });

  test('elements that are none are refused, on both backends', () => {
    for (const backend of BACKENDS)
      for (const at of [0, 1]) {
        const evaluated = answer.evaluated.map((part) => ({
          ...part,
          elements: Uint8Array.of(
            ...part.elements.slice(0, 32 * at),
            ...IDENTITY,
            ...part.elements.slice(32 * (at + 1)),
          ),
        }));
        const own = createSuite('voprf', backend);
        expectCode(
          () => readAnswer(own, lookup, NODE, question, { ...answer, evaluated }),
          'element-invalid',
        );
      }
  });

  test('another epoch, or the name of another node, matches nobody', () => {
    const others = [
      readAnswer(suite, lookup, NODE, question, { ...answer, epoch: answer.epoch + 1 }),
      readAnswer(suite, lookup, 'reclassering', question, answer),
    ];
    for (const results of others)
      for (const result of results)
        if ('persons' in result) for (const { status } of result.persons) expect(status).not.toBe('known');
  });

  test('a register that cannot answer is told as such, beside one that can', () => {
    const partly: Answered = {
      ...answer,
      registers: answer.registers.map((reply, i) =>
        i === 0 ? { type: 'unavailable', register: 'a', reason: 'canary-failed' } : reply,
      ),
    };
    expect(read(partly)).toEqual([
      { register: 'a', unavailable: 'canary-failed' },
      expectedResults(REGISTERS, PERSONS)[1],
    ]);
  });
});

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
      elements: question.elements[1 - i]?.elements ?? IDENTITY,
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
    expectCode(() => check(columns({ buckets: [0] })), 'malformed');
    expectCode(() => check(columns({ buckets: [0, 1] })), 'malformed');
    expectCode(() => check(columns({ bits: 2, buckets: [3, 4] })), 'malformed');
    expectCode(() => check(columns({ bits: 17 })), 'malformed');
    expectCode(() => check(columns({ tokenType: 'name+birthdate' })), 'malformed');
    expectCode(() => check({ elements: [...question.elements, ...question.elements] }), 'malformed');
  });

  test('with fewer bits than it was asked by, takes the prefix; with more, says that the roster is old', () => {
    const entries = Array.from({ length: 600 }, (_, i) => ({
      bucketHash: (i * 109) % 65_536,
      tag: seeded(`t${i}`)(8),
    }));
    const table: Table = buildTable(entries, 10, seeded('bits'));
    expect(table.bits).toBe(2);
    const answerWith = (bits: number, buckets: number[]) => {
      const answered = answerQuestion(
        suite,
        { ...epoch, table: () => table },
        {
          elements: question.elements,
          registers: [{ register: 'a', columns: [{ tokenType: 'bsn', bits, buckets }] }],
        },
      );
      return answered.type === 'answered' ? answered.registers[0] : undefined;
    };
    expect(answerWith(5, [0b11_010, 0b00_111])).toEqual(answerWith(2, [0b11, 0b00]));
    expect(answerWith(1, [1, 0])).toEqual({ type: 'unavailable', register: 'a', reason: 'roster-outdated' });
  });

  test('does the same amount of work whether anybody is known or not', () => {
    const sizes = [[{ bsn: '1', skn: 'x' }], [{ bsn: '8', skn: 'y' }], [{}]].map((persons) => {
      const one = evaluateLookup(suite, persons.map(tokensOfPerson), JSON.stringify(persons));
      const asked = askedQuestion(one, REGISTERS, () => 0);
      const answered = answerOf(suite, epoch, ticketFor(one, ['a', 'b']), asked);
      return answered.registers.map((reply) =>
        reply.type === 'tables' ? reply.columns.map((c) => c.buckets.length) : [],
      );
    });
    expect(sizes[1]).toEqual(sizes[0]);
    expect(sizes[2]).toEqual(sizes[0]);
  });
});

test('errors about answers carry no data of the lookup', () => {
  const { message } = errorOf(() => read({ ...answer, registers: [] }));
  expect(message).toBe('malformed: the answer does not fit the question');
});
