import { verifyProof } from '../oprf/dleq.ts';
import { blind } from '../oprf/oprf.ts';
import type { Suite } from '../oprf/suite.ts';
import type { Random } from '../bytes.ts';
import { bytesToHex, concatBytes } from '../bytes.ts';
import { HitError } from '../errors.ts';
import { encodeToken } from '../identifiers/index.ts';
import { TAG_BYTES, bucketHash, bucketNumber, tagOf, tagPrefix } from '../pseudonym/pseudonym.ts';
import { bucketHolds } from '../pseudonym/table.ts';
import type { Answer, RegisterAnswer, Unavailable } from '../wire/answer.ts';
import type { Question } from '../wire/question.ts';
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

/** A register to ask: its token types with the bits that its bucket numbers have now. */
export interface AskedRegister {
  readonly register: string;
  readonly tableBits: Readonly<Record<string, number>>;
}

/** The question for one node. Token types that a register does not hold are left out for it. */
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
          const bits = tableBits[tokenType] as number;
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

/** What came out for one person at one register. */
export type PersonResult =
  | { readonly status: 'known'; readonly matchedOn: readonly string[] }
  | { readonly status: 'not-known' }
  /** The register holds none of the token types that are known of this person, so it could not be asked. */
  | { readonly status: 'no-common-token' };

/** What came out at one register: a result for each person, or why there is none. */
export type RegisterResult =
  | { readonly register: string; readonly persons: readonly PersonResult[] }
  | { readonly register: string; readonly unavailable: Unavailable };

// Part by part, not joined to one text: what a node sends may hold any separator.
const sameTypes = (
  found: readonly { tokenType: string }[],
  asked: readonly { tokenType: string }[],
): boolean =>
  found.length === asked.length && found.every(({ tokenType }, i) => tokenType === asked[i]?.tokenType);
const sameRegisters = (
  found: readonly { register: string }[],
  asked: readonly { register: string }[],
): boolean =>
  found.length === asked.length && found.every(({ register }, i) => register === asked[i]?.register);

/**
 * Reads a node's answer to a question: derives the tags and looks for them in the buckets. An answer that is not
 * exactly what was asked for throws `malformed`, so that a missing part can never pass for "not known".
 */
export function readAnswer(
  suite: Suite,
  lookup: EvaluatedLookup,
  node: string,
  question: Question,
  answer: Extract<Answer, { type: 'answered' }>,
): RegisterResult[] {
  if (!sameTypes(answer.evaluated, question.elements) || !sameRegisters(answer.registers, question.registers))
    throw new HitError('malformed', 'the answer does not fit the question');
  const pseudonyms = new Map(
    answer.evaluated.map(({ tokenType, elements }) => {
      const type = lookup.tokenTypes.indexOf(tokenType);
      const unblinded = splitElements(elements, lookup.persons.length).map((element, person) =>
        suite.backend.group.multiply(lookup.unblinders[person]?.[type] as Uint8Array, element),
      );
      return [tokenType, unblinded] as const;
    }),
  );
  return answer.registers.map((reply, i): RegisterResult => {
    if (reply.type === 'unavailable') return { register: reply.register, unavailable: reply.reason };
    const columns = (question.registers[i] as Question['registers'][number]).columns;
    return {
      register: reply.register,
      persons: readRegister(lookup, { node, epoch: answer.epoch, columns, reply, pseudonyms }),
    };
  });
}

function readRegister(
  lookup: EvaluatedLookup,
  at: {
    readonly node: string;
    readonly epoch: number;
    readonly columns: Question['registers'][number]['columns'];
    readonly reply: Extract<RegisterAnswer, { type: 'tables' }>;
    readonly pseudonyms: ReadonlyMap<string, readonly Uint8Array[]>;
  },
): PersonResult[] {
  const { node, epoch, reply, columns } = at;
  if (!sameTypes(reply.columns, columns))
    throw new HitError('malformed', 'the answer does not fit the question');
  const tables = reply.columns.map(({ tokenType, capacity, buckets }) => {
    const size = capacity * TAG_BYTES;
    if (capacity === 0 || buckets.length !== size * lookup.persons.length)
      throw new HitError('malformed', 'a bucket is cut off');
    const prefix = tagPrefix({ agency: node, register: reply.register, tokenType, epoch });
    return { tokenType, size, buckets, prefix };
  });
  return lookup.persons.map((tokens, person): PersonResult => {
    const asked = tables.filter(({ tokenType }) => tokens.has(tokenType));
    if (asked.length === 0) return { status: 'no-common-token' };
    const matchedOn = asked
      .filter(({ tokenType, size, buckets, prefix }) => {
        const element = at.pseudonyms.get(tokenType)?.[person] as Uint8Array;
        return bucketHolds(buckets.subarray(person * size, (person + 1) * size), tagOf(prefix, element));
      })
      .map(({ tokenType }) => tokenType);
    return matchedOn.length > 0 ? { status: 'known', matchedOn } : { status: 'not-known' };
  });
}
