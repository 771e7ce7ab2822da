import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  LIMITS,
  concatBytes,
  contactSchema,
  decodeContact,
  encodeContact,
  utf8ToBytes,
  createSuite,
  readAnswer,
} from '@hitmachine/protocol';
import type { Answered } from './one-answer.ts';
import { PERSONS, REGISTERS, answer, epoch, lookup, question, read, ticket } from './one-answer.ts';
import { NODE, answerOf, askedQuestion, buildEpoch, expectedResults } from './parties.ts';
import { BACKENDS, errorOf, expectCode, suite } from './support.ts';

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
