import { z } from 'zod';
import type {
  AnsweringEpoch,
  Backend,
  PreparedLookup,
  Suite,
  Table,
  TableCommitment,
  TableEntry,
} from '../../src/index.ts';
import {
  answerKey,
  answerQuestion,
  bucketHash,
  bucketTree,
  buildTable,
  committedTable,
  contactSchema,
  createSuite,
  encodeContact,
  encodeToken,
  evaluateElements,
  hashToGroup,
  makeQuestion,
  noble,
  prepareLookup,
  rootOf,
  tagOf,
  tagPrefix,
  takeEvaluation,
  utf8ToBytes,
} from '../../src/index.ts';
import { expand, handOut } from '../deterministic.ts';
import { hex } from '../format.ts';

export const suiteOf = (backend: Backend): Suite => createSuite('voprf', backend);

/** Persons by their tokens, and what an asker draws at random for them, in the order of its use. */
export const asked = {
  tokenTypes: z.array(z.string()),
  persons: z.array(z.record(z.string(), hex)),
  random: hex,
};
type Asked = z.output<z.ZodObject<typeof asked>>;

export const tablesSchema = z.array(
  z.strictObject({
    register: z.string(),
    tokenType: z.string(),
    bits: z.number(),
    capacity: z.number(),
    bytes: hex,
    answerKey: hex,
  }),
);
type NamedTable = z.output<typeof tablesSchema>[number];

/** Contacts by register. */
export const contactsSchema = z.record(z.string(), contactSchema);
type Contacts = z.output<typeof contactsSchema>;

export function prepare(backend: Backend, given: Asked): PreparedLookup {
  const persons = given.persons.map((tokens) => new Map(Object.entries(tokens)));
  return prepareLookup(suiteOf(backend), persons, given.tokenTypes, handOut(given.random));
}

export function answeringEpoch(
  epoch: number,
  commitment: Uint8Array | undefined,
  tables: readonly NamedTable[],
  contacts: Contacts,
): AnsweringEpoch {
  return {
    epoch,
    commitment,
    register(id) {
      const held = tables
        .filter(({ register }) => register === id)
        .map(({ tokenType, answerKey, ...table }) => ({
          tokenType,
          answerKey,
          table,
          tree: bucketTree(table),
        }));
      const contact = contacts[id];
      return held.length > 0 && contact !== undefined
        ? { contact: encodeContact(contact), tables: held }
        : 'not-imported';
    },
  };
}

/** A table without bits that has three tags in place of 500, to keep the vector short. */
function smallTable(register: string, tokenType: string, key: Uint8Array, entry?: TableEntry): NamedTable {
  const padding = buildTable([], 0, expand(`${register} ${tokenType}`)).bytes.subarray(0, 24);
  const tags = entry === undefined ? padding : Uint8Array.of(...padding.subarray(0, 16), ...entry.tag);
  const table: Table = { bits: 0, capacity: 3, bytes: tags };
  return { register, tokenType, ...table, answerKey: key };
}

/** The parts of one lookup at one node: two persons, of whom the first is known in one of two registers. */
export function exampleLookup() {
  const suite = suiteOf(noble);
  const random = expand('lookup');
  const gatewayKey = noble.group.reduceScalar(random(64));
  const nodeKey = noble.group.reduceScalar(random(64));
  const known = {
    bsn: encodeToken('person', 'bsn', ['123456782']),
    skn: encodeToken('person', 'skn', ['0042']),
  };
  const lookup: Asked = {
    tokenTypes: ['bsn', 'skn'],
    persons: [known, { bsn: encodeToken('person', 'bsn', ['111222333']) }],
    // Four blinds of 64 bytes, and 16 bytes for the padding token of the second person.
    random: random(4 * 64 + 16),
  };
  const prepared = prepare(noble, lookup);
  const evaluated = evaluateElements(suite, gatewayKey, prepared.elements);
  const registers = [
    { register: 'aandacht', tableBits: { bsn: 0 } },
    { register: 'aangiften', tableBits: { bsn: 0, skn: 0 } },
  ];
  const question = makeQuestion(takeEvaluation(suite, prepared, evaluated), registers);
  const epoch = 9;
  const table = (register: string, tokenType: 'bsn' | 'skn', holdsKnown: boolean): NamedTable => {
    const scope = { agency: 'politie', register, tokenType, epoch };
    const key = answerKey(suite, nodeKey, scope);
    if (!holdsKnown) return smallTable(register, tokenType, key);
    const element = noble.group.multiply(gatewayKey, hashToGroup(suite, known[tokenType]));
    const tag = tagOf(tagPrefix(scope), noble.group.multiply(key, element));
    return smallTable(register, tokenType, key, { bucketHash: bucketHash(element), tag });
  };
  const tables = [
    table('aandacht', 'bsn', false),
    table('aangiften', 'bsn', true),
    table('aangiften', 'skn', true),
  ];
  const contacts: Contacts = {
    aandacht: { name: 'Team Aandacht', telephone: '024 000 00 01' },
    aangiften: {
      name: 'Recherche "Noord"',
      telephone: '024 000 00 02',
      email: 'aangiften@politie.example',
      openingHours: 'werkdagen 9–17 uur',
    },
  };
  // Stands for the logged commitment, of which there are vectors apart.
  const packed = utf8ToBytes('commitment');
  const answer = answerQuestion(suite, answeringEpoch(epoch, packed, tables, contacts), question);
  if (answer.type !== 'answered') throw new TypeError('the example is not answered');
  const commitment: TableCommitment = {
    format: 'hitmachine-tables-1',
    epoch,
    day: '2026-03-02',
    tables: tables.map(({ register, tokenType, answerKey: _, ...shape }) =>
      committedTable(register, tokenType, { ...shape, root: rootOf(bucketTree(shape)) }),
    ),
  };
  return {
    ...{ lookup, prepared, gatewayKey, evaluated, registers, question, epoch, tables, contacts, answer },
    packed,
    commitment,
  };
}
