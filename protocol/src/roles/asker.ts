import { verifyProof } from '../oprf/dleq.ts';
import { blind } from '../oprf/oprf.ts';
import type { Suite } from '../oprf/suite.ts';
import type { Random } from '../bytes.ts';
import { bytesToHex, concatBytes } from '../bytes.ts';
import { HitError } from '../errors.ts';
import { encodeToken } from '../identifiers/index.ts';
import type { TagScope } from '../pseudonym/pseudonym.ts';
import { TAG_BYTES, bucketHash, bucketNumber, tagOf, tagPrefix } from '../pseudonym/pseudonym.ts';
import { bitsPerPerson } from '../pseudonym/size-class.ts';
import { rangeHolds } from '../pseudonym/table.ts';
import type { Answer, RegisterAnswer, Unavailable } from '../wire/answer.ts';
import { decodeContact } from '../wire/answer.ts';
import type { Question } from '../wire/question.ts';
import type { Contact } from '../wire/roster.ts';
import { splitElements } from './elements.ts';
import { columnOf } from './evaluator.ts';

/** The encoded tokens of one person, by token type. */
export type PersonTokens = ReadonlyMap<string, Uint8Array>;

/** A lookup that is about to be sent: what leaves is `elements`, the rest stays. */
export interface PreparedLookup {
  readonly tokenTypes: readonly string[];
  readonly persons: readonly PersonTokens[];
  /** Inverses of the blinds, per person and token type. */
  readonly unblinders: readonly (readonly Uint8Array[])[];
  /** Blinded elements, 32 bytes per person and token type. */
  readonly elements: Uint8Array;
}

/**
 * Blinds every person under every token type of the lookup. Who lacks a token gets a random one that fits nobody, so
 * that neither the number of elements nor their place tells which identifiers the asker has of whom.
 */
export function prepareLookup(
  suite: Suite,
  persons: readonly PersonTokens[],
  tokenTypes: readonly string[],
  random: Random,
): PreparedLookup {
  const blinded = persons.map((tokens) =>
    tokenTypes.map((type) =>
      blind(suite, tokens.get(type) ?? encodeToken('padding', type, [bytesToHex(random(16))]), random),
    ),
  );
  return {
    tokenTypes,
    persons,
    unblinders: blinded.map((row) =>
      row.map(({ blind: scalar }) => suite.backend.group.invertScalar(scalar)),
    ),
    elements: concatBytes(...blinded.flat().map(({ element }) => element)),
  };
}

/** A lookup after the gateway's part. */
export interface EvaluatedLookup extends PreparedLookup {
  readonly evaluated: Uint8Array;
  /** Bucket hashes per person and token type. */
  readonly hashes: readonly (readonly number[])[];
}

/** Takes in the gateway's evaluation. With a key and proof it is checked first; throws `proof-invalid`. */
export function takeEvaluation(
  suite: Suite,
  lookup: PreparedLookup,
  evaluated: Uint8Array,
  verification?: { readonly gatewayKey: Uint8Array; readonly proof: Uint8Array },
): EvaluatedLookup {
  const replies = splitElements(evaluated, lookup.persons.length * lookup.tokenTypes.length);
  if (verification !== undefined)
    verifyProof(suite, verification.gatewayKey, splitElements(lookup.elements), replies, verification.proof);
  const hashes = lookup.unblinders.map((row, person) =>
    row.map((unblinder, type) =>
      bucketHash(
        suite.backend.group.multiply(
          unblinder,
          replies[person * lookup.tokenTypes.length + type] as Uint8Array,
        ),
      ),
    ),
  );
  return { ...lookup, evaluated, hashes };
}

/** A register to ask: its token types with the bits of a bucket number that a person alone would show of them. */
export interface AskedRegister {
  readonly register: string;
  readonly tableBits: Readonly<Record<string, number>>;
}

/**
 * The question for one node. The more persons, the fewer bits each shows: see {@link bitsPerPerson}.
 * Token types that a register does not hold are left out for it.
 */
export function makeQuestion(lookup: EvaluatedLookup, registers: readonly AskedRegister[]): Question {
  const held = lookup.tokenTypes.filter((type) =>
    registers.some(({ tableBits }) => tableBits[type] !== undefined),
  );
  return {
    elements: held.map((tokenType) => ({
      tokenType,
      elements: columnOf(lookup.evaluated, lookup.tokenTypes, tokenType),
    })),
    registers: registers.map(({ register, tableBits }) => ({
      register,
      columns: held
        .filter((tokenType) => tableBits[tokenType] !== undefined)
        .map((tokenType) => {
          const bits = bitsPerPerson(tableBits[tokenType] as number, lookup.persons.length);
          const type = lookup.tokenTypes.indexOf(tokenType);
          return {
            tokenType,
            bits,
            buckets: lookup.hashes.map((row) => bucketNumber(row[type] as number, bits)),
          };
        }),
    })),
  };
}

/** What came out for one person at one register; `comparedOn` are the token types that asker and register share. */
export type PersonResult =
  | {
      readonly status: 'known';
      readonly matchedOn: readonly string[];
      readonly comparedOn: readonly string[];
    }
  | { readonly status: 'not-known'; readonly comparedOn: readonly string[] }
  /** The register holds none of the token types that are known of this person, so it could not be asked. */
  | { readonly status: 'no-common-token' };

/** What came out at one register: its contact and a result for each person, or why there is none. */
export type RegisterResult =
  | {
      readonly register: string;
      /** As the node sealed it: the one to show with a hit, and never the roster's. */
      readonly contact: Contact;
      readonly persons: readonly PersonResult[];
    }
  | { readonly register: string; readonly unavailable: Unavailable };

/**
 * Reads a node's answer to a question: derives the tags and looks for them in the ranges. An answer that is not
 * exactly what was asked for throws `malformed`, so that a missing part can never pass for "not known"; a contact
 * that is none throws `malformed` or `field-invalid`.
 */
export function readAnswer(
  suite: Suite,
  lookup: EvaluatedLookup,
  node: string,
  question: Question,
  answer: Extract<Answer, { type: 'answered' }>,
): RegisterResult[] {
  const asked = question.registers.map(({ register }) => register);
  // One by one, not joined to one text: what a node sends may hold any separator.
  if (
    answer.registers.length !== asked.length ||
    answer.registers.some(({ register }, i) => register !== asked[i])
  )
    throw misfit();
  return answer.registers.map((reply, i): RegisterResult => {
    if (reply.type === 'unavailable') return { register: reply.register, unavailable: reply.reason };
    const { columns } = question.registers[i] as Question['registers'][number];
    const scope = { agency: node, register: reply.register, epoch: answer.epoch };
    const persons = readRegister(suite, lookup, scope, columns, reply);
    return { register: reply.register, contact: decodeContact(reply.contact), persons };
  });
}

const misfit = (): HitError => new HitError('malformed', 'the answer does not fit the question');

function readRegister(
  suite: Suite,
  lookup: EvaluatedLookup,
  scope: Omit<TagScope, 'tokenType'>,
  columns: Question['registers'][number]['columns'],
  reply: Extract<RegisterAnswer, { type: 'tables' }>,
): PersonResult[] {
  if (reply.columns.length !== columns.length) throw misfit();
  const persons = lookup.persons.length;
  const read = columns.map(({ tokenType, bits: asked }) => {
    const column = reply.columns.find((entry) => entry.tokenType === tokenType);
    if (column === undefined || column.bits > asked || column.rangeTags === 0) throw misfit();
    const size = column.rangeTags * TAG_BYTES;
    if (column.ranges.length !== size * (column.bits === 0 ? 1 : persons)) throw misfit();
    const type = lookup.tokenTypes.indexOf(tokenType);
    const prefix = tagPrefix({ ...scope, tokenType });
    const known = splitElements(column.evaluated, persons).map((element, person) => {
      const unblinded = suite.backend.group.multiply(
        lookup.unblinders[person]?.[type] as Uint8Array,
        element,
      );
      const start = column.bits === 0 ? 0 : person * size;
      return rangeHolds(column.ranges.subarray(start, start + size), tagOf(prefix, unblinded));
    });
    return { tokenType, known };
  });
  return lookup.persons.map((tokens, person): PersonResult => {
    const compared = read.filter(({ tokenType }) => tokens.has(tokenType));
    if (compared.length === 0) return { status: 'no-common-token' };
    const comparedOn = compared.map(({ tokenType }) => tokenType);
    const matchedOn = compared.filter(({ known }) => known[person]).map(({ tokenType }) => tokenType);
    return matchedOn.length > 0
      ? { status: 'known', matchedOn, comparedOn }
      : { status: 'not-known', comparedOn };
  });
}
