import type {
  Contact,
  AnsweringEpoch,
  AnsweringTable,
  Answer,
  CommittedTables,
  EvaluatedLookup,
  PersonTokens,
  Pseudonym,
  Question,
  RegisterResult,
  Suite,
  Ticket,
} from '@hitmachine/protocol';
import {
  answerCodec,
  answerKey,
  answerQuestion,
  blindBatch,
  bucketTree,
  buildTable,
  checkQuestion,
  committedTable,
  committedTables,
  deriveKeyPair,
  elementDigests,
  encodeContact,
  encodeToken,
  epochFactor,
  evaluateElements,
  finishBatch,
  makeQuestion,
  noble,
  prepareLookup,
  proveEvaluation,
  questionCodec,
  readAnswer,
  rootOf,
  tagOf,
  tagPrefix,
  takeEvaluation,
  ticketCodec,
} from '@hitmachine/protocol';
import { createSuite } from '@hitmachine/protocol';
import { exampleTicket } from '../../protocol/vectors/subjects/tickets.ts';
import { scalarOf, seeded } from './support.ts';

/** The three parties of a lookup without any network between them: what the roles compute, and nothing else. */

export const gatewayKeys = deriveKeyPair(
  createSuite('voprf', noble),
  seeded('gateway key')(32),
  new Uint8Array(),
);
export const nodeKey = scalarOf('node key');
export const NODE = 'politie';
export const TOKEN_TYPES = ['bsn', 'name+birthdate', 'skn'] as const;

/** Clients, or persons asked about: a text for each token type that is known of them. */
export type Description = Readonly<Partial<Record<string, string>>>;

export function tokensOfPerson(description: Description): PersonTokens {
  return new Map(
    Object.entries(description).map(([type, value]) => [type, encodeToken('person', type, [value ?? ''])]),
  );
}

/** Imports tokens through the gateway, proof and all. */
export function importTokens(suite: Suite, tokens: readonly Uint8Array[], label = 'import'): Pseudonym[] {
  if (tokens.length === 0) return [];
  const batch = blindBatch(suite, tokens, seeded(label));
  const evaluated = evaluateElements(suite, gatewayKeys.secretKey, batch.elements);
  const proof = proveEvaluation(suite, gatewayKeys, batch.elements, evaluated, seeded(`${label} proof`));
  return finishBatch(suite, gatewayKeys.publicKey, nodeKey, batch, evaluated, proof);
}

/** A register: which token types it holds, and its clients. */
export interface RegisterModel {
  readonly register: string;
  readonly tokenTypes: readonly string[];
  readonly clients: readonly Description[];
}

/** How to reach a register, as its node says. */
export const contactOf = (register: string): Contact => ({
  name: `Team ${register} – “Noord”`,
  telephone: '024 000 00 00',
});

/** All tables of a node for one epoch, by register and token type. */
export interface NodeEpoch extends AnsweringEpoch {
  readonly tables: ReadonlyMap<string, AnsweringTable>;
  /** What the node committed to: these tables. */
  readonly committed: CommittedTables;
}

/** Builds an epoch. `spare` adds entries that belong to nobody to every table, to reach a larger size class. */
export function buildEpoch(
  suite: Suite,
  registers: readonly RegisterModel[],
  epoch: number,
  spare = 0,
): NodeEpoch {
  const tables = new Map<string, AnsweringTable>();
  for (const { register, tokenTypes, clients } of registers)
    for (const tokenType of tokenTypes) {
      const tokens = clients.flatMap((client) => tokensOfPerson(client).get(tokenType) ?? []);
      const scope = { agency: NODE, register, tokenType, epoch };
      const factor = epochFactor(suite, nodeKey, scope);
      const prefix = tagPrefix(scope);
      const entries = importTokens(suite, tokens, `${register} ${tokenType}`).map(
        ({ bucketHash, element }) => ({
          bucketHash,
          tag: tagOf(prefix, suite.backend.group.multiply(factor, element)),
        }),
      );
      const random = seeded(`padding ${register} ${tokenType} ${epoch}`);
      const others = Array.from({ length: spare }, (_, i) => ({
        bucketHash: (i * 641) % 65_536,
        tag: random(8),
      }));
      const table = buildTable([...entries, ...others], 10, random);
      tables.set(`${register} ${tokenType}`, {
        tokenType,
        table,
        tree: bucketTree(table),
        answerKey: answerKey(suite, nodeKey, scope),
      });
    }
  return {
    epoch,
    commitment: undefined,
    tables,
    committed: commitTo(epoch, registers, tables),
    register(id) {
      const model = registers.find(({ register }) => register === id);
      if (model === undefined) return 'not-imported';
      const held = model.tokenTypes.flatMap((type) => tables.get(`${id} ${type}`) ?? []);
      return { contact: encodeContact(contactOf(id)), tables: held };
    },
  };
}

/** The commitment to a node's tables, as an asker comes to trust it. */
function commitTo(
  epoch: number,
  registers: readonly RegisterModel[],
  tables: ReadonlyMap<string, AnsweringTable>,
): CommittedTables {
  const committed = registers.flatMap(({ register, tokenTypes }) =>
    tokenTypes.map((tokenType) => {
      const { table, tree } = tables.get(`${register} ${tokenType}`) as AnsweringTable;
      return committedTable(register, tokenType, { ...table, root: rootOf(tree) });
    }),
  );
  return committedTables({ format: 'hitmachine-tables-1', epoch, day: '2026-03-02', tables: committed });
}

/** Asks the gateway: blind, evaluate, check the proof, unblind. */
export function evaluateLookup(
  suite: Suite,
  persons: readonly PersonTokens[],
  label = 'lookup',
): EvaluatedLookup {
  const prepared = prepareLookup(suite, persons, TOKEN_TYPES, seeded(label));
  const evaluated = evaluateElements(suite, gatewayKeys.secretKey, prepared.elements);
  const proof = proveEvaluation(suite, gatewayKeys, prepared.elements, evaluated, seeded(`${label} proof`));
  return takeEvaluation(suite, prepared, evaluated, { gatewayKey: gatewayKeys.publicKey, proof });
}

export function ticketFor(lookup: EvaluatedLookup, registers: readonly string[]): Ticket {
  const ticket: Ticket = {
    ...exampleTicket('roles'),
    grounds: 'plain',
    registers,
    persons: lookup.persons.length,
    elementDigests: elementDigests(lookup.evaluated, lookup.tokenTypes),
  };
  return ticketCodec.decode(ticketCodec.encode(ticket));
}

/** The question as the node receives it. */
export function askedQuestion(
  lookup: EvaluatedLookup,
  registers: readonly RegisterModel[],
  bits: (register: string, tokenType: string) => number,
): Question {
  const asked = registers.map(({ register, tokenTypes }) => ({
    register,
    tableBits: Object.fromEntries(tokenTypes.map((type) => [type, bits(register, type)])),
  }));
  return questionCodec.decode(questionCodec.encode(makeQuestion(lookup, asked)));
}

/** What a node with this epoch answers, as the asker receives it. */
export function answerOf(
  suite: Suite,
  epoch: AnsweringEpoch,
  ticket: Ticket,
  question: Question,
): Extract<Answer, { type: 'answered' }> {
  checkQuestion(ticket, question);
  const answer = answerCodec.decode(answerCodec.encode(answerQuestion(suite, epoch, question)));
  if (answer.type !== 'answered') throw new TypeError('the node refused');
  return answer;
}

/** A whole lookup at one node. */
export function lookUp(
  suite: Suite,
  registers: readonly RegisterModel[],
  epoch: NodeEpoch,
  persons: readonly Description[],
  label?: string,
): RegisterResult[] {
  const lookup = evaluateLookup(suite, persons.map(tokensOfPerson), label);
  const question = askedQuestion(
    lookup,
    registers,
    (register, type) => epoch.tables.get(`${register} ${type}`)?.table.bits ?? 0,
  );
  const ticket = ticketFor(
    lookup,
    registers.map(({ register }) => register),
  );
  return readAnswer(suite, lookup, NODE, question, answerOf(suite, epoch, ticket, question), epoch.committed);
}

/** What a plain comparison of texts says. */
export function expectedResults(
  registers: readonly RegisterModel[],
  persons: readonly Description[],
): RegisterResult[] {
  return registers.map(({ register, tokenTypes, clients }) => ({
    register,
    contact: contactOf(register),
    persons: persons.map((person) => {
      const held = TOKEN_TYPES.filter((type) => tokenTypes.includes(type));
      const common = held.filter((type) => person[type] !== undefined);
      if (common.length === 0) return { status: 'no-common-token' as const };
      const matchedOn = common.filter((type) => clients.some((client) => client[type] === person[type]));
      return matchedOn.length > 0
        ? { status: 'known' as const, matchedOn, comparedOn: common }
        : { status: 'not-known' as const, comparedOn: common };
    }),
  }));
}
