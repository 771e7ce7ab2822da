import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Answer, Question, Table, Ticket } from '@hitmachine/protocol';
import {
  LIMITS,
  answerCodec,
  answerQuestion,
  concatBytes,
  contactSchema,
  decodeContact,
  encodeContact,
  utf8ToBytes,
  pathOf,
  rangeAt,
  bucketTree,
  buildTable,
  checkQuestion,
  createSuite,
  readAnswer,
} from '@hitmachine/protocol';
import type { RegisterModel } from './parties.ts';
import {
  NODE,
  answerOf,
  askedQuestion,
  buildEpoch,
  contactOf,
  evaluateLookup,
  expectedResults,
  ticketFor,
  tokensOfPerson,
} from './parties.ts';
import { BACKENDS, errorOf, expectCode, scalarOf, seeded, suite } from './support.ts';

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
const read = (changed: Answered): unknown =>
  readAnswer(suite, lookup, NODE, question, changed, epoch.committed);

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

const columnsOf = (at: number): readonly Column[] => (answer.registers[at] as Tables).columns;
const isPermutation = (columns: readonly Column[], of: readonly Column[]): boolean =>
  columns.length === of.length && of.every((column) => columns.includes(column));

const MUTATED: readonly Answered[] = [
  ...otherLists(
    answer.registers,
    (part, register) => ({ ...part, register }),
    ({ register }) => register,
  ).map((registers) => ({ ...answer, registers })),
  ...[0, 1].flatMap((at) =>
    otherLists(
      columnsOf(at),
      (part, tokenType) => ({ ...part, tokenType }),
      ({ tokenType }) => tokenType,
    )
      // Columns are found by their name; in another order they say the same.
      .filter((columns) => !isPermutation(columns, columnsOf(at)))
      .map((columns) => withRegister(at, (reply) => ({ ...reply, columns }))),
  ),
  ...[
    [0, 0],
    [0, 1],
    [1, 0],
  ].flatMap(([at, columnAt]) =>
    [
      (column: Column): Column => ({ ...column, bits: 1 }),
      (column: Column): Column => ({ ...column, bits: 1, ranges: concatBytes(column.ranges, column.ranges) }),
      (column: Column): Column => ({ ...column, rangeTags: 0 }),
      (column: Column): Column => ({ ...column, rangeTags: column.rangeTags + 1 }),
      (column: Column): Column => ({ ...column, rangeTags: column.rangeTags - 1 }),
      (column: Column): Column => ({ ...column, ranges: column.ranges.slice(8) }),
      (column: Column): Column => ({ ...column, ranges: column.ranges.slice(1) }),
      (column: Column): Column => ({ ...column, ranges: new Uint8Array() }),
      (column: Column): Column => ({ ...column, rangeTags: 0, ranges: new Uint8Array() }),
      (column: Column): Column => ({ ...column, ranges: new Uint8Array(column.ranges.length + 8) }),
      (column: Column): Column => ({ ...column, ranges: new Uint8Array(2 * column.ranges.length) }),
      (column: Column): Column => ({ ...column, paths: new Uint8Array(32) }),
      ...[-32, -1, 1, 32].map((by) => (column: Column): Column => ({
        ...column,
        evaluated: new Uint8Array(column.evaluated.length + by),
      })),
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
        const changed = withColumn(0, 1, (column) => ({
          ...column,
          evaluated: column.evaluated.map((byte, i) => (i >> 5 === at ? 0 : byte)),
        }));
        const own = createSuite('voprf', backend);
        expectCode(
          () => readAnswer(own, lookup, NODE, question, changed, epoch.committed),
          'element-invalid',
        );
      }
  });

  test('another epoch, or the name of another node, matches nobody', () => {
    const others = [
      readAnswer(
        suite,
        lookup,
        NODE,
        question,
        { ...answer, epoch: answer.epoch + 1 },
        { ...epoch.committed, epoch: answer.epoch + 1 },
      ),
      readAnswer(suite, lookup, 'reclassering', question, answer, epoch.committed),
    ];
    for (const results of others)
      for (const result of results)
        if ('persons' in result) for (const { status } of result.persons) expect(status).not.toBe('known');
  });

  test('a contact that is none is refused, and the right one comes from the answer', () => {
    expect(read(withRegister(0, (reply) => ({ ...reply, contact: encodeContact({ name: 'X' }) })))).toEqual([
      { ...expectedResults(REGISTERS, PERSONS)[0], contact: { name: 'X' } },
      expectedResults(REGISTERS, PERSONS)[1],
    ]);
    const withContact = (contact: string | Uint8Array): Answered =>
      withRegister(1, (reply) => ({
        ...reply,
        contact: typeof contact === 'string' ? utf8ToBytes(contact) : contact,
      }));
    for (const other of ['', 'null', '[]', '"x"', '{"name":"x"', '{"name":"x"} x'])
      expect(['malformed', 'field-invalid']).toContain(errorOf(() => read(withContact(other))).code);
    for (const other of [
      {},
      { name: '' },
      { name: 'n'.repeat(201) },
      { name: 'x', fax: 'y' },
      { name: 'x', telephone: 24 },
    ])
      expectCode(() => read(withContact(JSON.stringify(other))), 'field-invalid');
    expectCode(() => read(withContact(Uint8Array.of(0x22, 0xff, 0x22))), 'malformed');
  });

  test('every contact that is allowed fits, and is read as it was written', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(
        fc.record(
          { name: text, telephone: text, email: text, openingHours: text },
          { requiredKeys: ['name'] },
        ),
        (contact) => {
          const allowed = contactSchema.safeParse(contact);
          if (allowed.success) expect(decodeContact(encodeContact(allowed.data))).toEqual(allowed.data);
        },
      ),
    );
    // An unpaired surrogate takes the most room: six bytes of JSON.
    const longest = '\ud800'.repeat(200);
    const contact = { name: longest, telephone: longest, email: longest, openingHours: longest };
    expect(contactSchema.safeParse(contact).success).toBe(true);
    expect(encodeContact(contact).length).toBeLessThanOrEqual(LIMITS.contactBytes);
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

describe('an answer from other tables than were committed to', () => {
  const large = buildEpoch(suite, REGISTERS, 1, 2_500);
  const asked = askedQuestion(lookup, REGISTERS, () => 5);
  const whole = answerOf(suite, large, ticket, asked);
  const readLarge = (changed: Answered, committed = large.committed): unknown =>
    readAnswer(suite, lookup, NODE, asked, changed, committed);
  const withFirst = (change: (column: Column) => Partial<Column>): Answered => ({
    ...whole,
    registers: whole.registers.map((reply, i) =>
      i === 0 && reply.type === 'tables'
        ? {
            ...reply,
            columns: reply.columns.map((column, j) => (j === 0 ? { ...column, ...change(column) } : column)),
          }
        : reply,
    ),
  });
  const halves = (bytes: Uint8Array): [Uint8Array, Uint8Array] => [
    bytes.slice(0, bytes.length / 2),
    bytes.slice(bytes.length / 2),
  ];
  const swapped = (bytes: Uint8Array): Uint8Array => concatBytes(halves(bytes)[1], halves(bytes)[0]);
  const flipped = (bytes: Uint8Array, at: number): Uint8Array =>
    bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));

  test('is told from the one that fits, which has two ranges and two paths here', () => {
    const [column] = (whole.registers[0] as Tables).columns as [Column];
    expect(column.bits).toBe(2);
    expect(column.paths.length).toBe(2 * 2 * 32);
    expect(readLarge(whole)).toEqual(expectedResults(REGISTERS, PERSONS));
  });

  test('is refused, and the table named', () => {
    const others: readonly ((column: Column) => Partial<Column>)[] = [
      ({ ranges }) => ({ ranges: flipped(ranges, 0) }),
      ({ ranges }) => ({ ranges: flipped(ranges, ranges.length - 1) }),
      ({ ranges }) => ({ ranges: swapped(ranges) }),
      ({ ranges, paths }) => ({ ranges: swapped(ranges), paths: swapped(paths) }),
      ({ paths }) => ({ paths: swapped(paths) }),
      ({ paths }) => ({ paths: flipped(paths, 40) }),
      // The buckets of the first person twice: the second would not be found.
      ({ ranges, paths }) => ({
        ranges: concatBytes(halves(ranges)[0], halves(ranges)[0]),
        paths: concatBytes(halves(paths)[0], halves(paths)[0]),
      }),
      // Half of the buckets that were asked for, as if the table had one bit less.
      ({ ranges, rangeTags }) => ({
        rangeTags: rangeTags / 2,
        ranges: concatBytes(...halves(ranges).map((range) => halves(range)[0])),
      }),
    ];
    for (const change of others) {
      const { code, detail } = errorOf(() => readLarge(withFirst(change)));
      expect(code).toBe('log-proof-invalid');
      expect(detail).toMatch(/^a, bsn: the buckets are not/);
    }
  });

  test('is refused with a path of another length', () => {
    for (const change of [
      ({ paths }: Column) => ({ paths: paths.slice(32) }),
      ({ paths }: Column) => ({ paths: paths.slice(1) }),
      ({ paths }: Column) => ({ paths: concatBytes(paths, paths) }),
      () => ({ paths: new Uint8Array() }),
    ])
      expectCode(() => readLarge(withFirst(change)), 'malformed');
  });

  test('is refused without a commitment, with that of another epoch, or of another table', () => {
    expectCode(() => readAnswer(suite, lookup, NODE, asked, whole, undefined), 'log-proof-invalid');
    expectCode(() => readLarge(whole, { ...large.committed, epoch: 2 }), 'log-proof-invalid');
    expectCode(() => readLarge({ ...whole, epoch: 2 }), 'log-proof-invalid');
    expectCode(() => readLarge(whole, { ...large.committed, table: () => undefined }), 'log-proof-invalid');
    const table = (register: string) => large.committed.table(register, 'skn');
    expectCode(() => readLarge(whole, { ...large.committed, table }), 'log-proof-invalid');
  });

  test('needs none where no register has an answer', () => {
    const none: Answered = {
      ...whole,
      epoch: 0,
      registers: REGISTERS.map(({ register }) => ({ type: 'unavailable', register, reason: 'starting' })),
    };
    expect(readAnswer(suite, lookup, NODE, asked, none, undefined)).toEqual(
      REGISTERS.map(({ register }) => ({ register, unavailable: 'starting' })),
    );
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
      { epoch: 1, commitment: undefined, register: () => ({ contact: contactOf('a'), tables }) },
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
        register: (id) => (id === 'c' ? small : { contact: contactOf(id), tables: large }),
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
