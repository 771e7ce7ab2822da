import { verifyProof } from '../oprf/dleq.ts';
import { blind } from '../oprf/oprf.ts';
import type { Suite } from '../oprf/suite.ts';
import type { Random } from '../bytes.ts';
import { bytesToHex, concatBytes } from '../bytes.ts';
import { HitError } from '../errors.ts';
import { encodeToken } from '../identifiers/index.ts';
import { checkRange } from '../log/bucket-tree.ts';
import { HASH_BYTES } from '../log/merkle.ts';
import type { TagScope } from '../pseudonym/pseudonym.ts';
import { TAG_BYTES, bucketHash, bucketNumber, tagOf, tagPrefix } from '../pseudonym/pseudonym.ts';
import { bitsPerPerson } from '../pseudonym/size-class.ts';
import { rangeHolds } from '../pseudonym/table.ts';
import type { Answer, Refusal, RegisterAnswer, Unavailable } from '../wire/answer.ts';
import { decodeContact } from '../wire/answer.ts';
import type { Question } from '../wire/question.ts';
import type { Contact } from '../wire/agency.ts';
import type { CommittedTables } from '../wire/table-commitment.ts';
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
  /** E = k_g·H(y) per person and token type: stays with the asker, and is dropped when the lookup ends. */
  readonly unblinded: readonly (readonly Uint8Array[])[];
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
  const unblinded = lookup.unblinders.map((row, person) =>
    row.map((unblinder, type) =>
      suite.backend.group.multiply(
        unblinder,
        replies[person * lookup.tokenTypes.length + type] as Uint8Array,
      ),
    ),
  );
  return { ...lookup, evaluated, unblinded, hashes: unblinded.map((row) => row.map(bucketHash)) };
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
  | { readonly register: string; readonly unavailable: Unavailable }
  | { readonly register: string; readonly refused: Refusal };

/**
 * Reads a node's answer to a question: checks each range against the tables that the node committed to, derives the
 * tags and looks for them there. An answer that is not exactly what was asked for throws `malformed`, so that a
 * missing part can never pass for "not known"; one from other tables throws `log-proof-invalid` and names the table;
 * a contact that is none throws `malformed` or `field-invalid`.
 *
 * `committed`: what stands in the gateway's log, as `openCommitment` found it; an answer with tables needs it.
 */
export function readAnswer(
  suite: Suite,
  lookup: EvaluatedLookup,
  node: string,
  question: Question,
  answer: Extract<Answer, { type: 'answered' }>,
  committed: CommittedTables | undefined,
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
    if (reply.type === 'refused') return { register: reply.register, refused: reply.reason };
    if (committed?.epoch !== answer.epoch)
      throw new HitError(
        'log-proof-invalid',
        `${node} answers from epoch ${answer.epoch}, and did not commit to its tables`,
      );
    const { columns } = question.registers[i] as Question['registers'][number];
    const scope = { agency: node, register: reply.register, epoch: answer.epoch };
    const persons = readRegister(suite, lookup, scope, columns, reply, committed);
    return { register: reply.register, contact: decodeContact(reply.contact), persons };
  });
}

const misfit = (): HitError => new HitError('malformed', 'the answer does not fit the question');

type AskedColumn = Question['registers'][number]['columns'][number];
type TablesAnswer = Extract<RegisterAnswer, { type: 'tables' }>;
type AnsweredColumn = TablesAnswer['columns'][number];

/** The range of each person, once it is known that they are those of the committed table. */
function checkedRanges(
  { register, columns }: TablesAnswer,
  asked: AskedColumn,
  committed: CommittedTables,
): { readonly column: AnsweredColumn; readonly ranges: readonly Uint8Array[] } {
  const { tokenType, bits, buckets } = asked;
  const column = columns.find((entry) => entry.tokenType === tokenType);
  if (column === undefined || column.bits > bits || column.rangeTags === 0) throw misfit();
  const shown = column.bits;
  const prefixes = shown === 0 ? [0] : buckets.map((bucket) => bucket >>> (bits - shown));
  const [size, pathSize] = [column.rangeTags * TAG_BYTES, shown * HASH_BYTES];
  if (column.ranges.length !== prefixes.length * size || column.paths.length !== prefixes.length * pathSize)
    throw misfit();
  const refuse = (detail: string, cause?: unknown): HitError =>
    new HitError('log-proof-invalid', `${register}, ${tokenType}: ${detail}`, { cause });
  const table = committed.table(register, tokenType);
  if (table === undefined) throw refuse('the node did not commit to a table of it');
  const ranges = prefixes.map((prefix, i) => {
    const range = column.ranges.subarray(i * size, (i + 1) * size);
    const path = column.paths.subarray(i * pathSize, (i + 1) * pathSize);
    try {
      checkRange(table, { shown, prefix, range, path }, committed.sha256);
    } catch (cause) {
      throw cause instanceof HitError ? refuse(cause.detail, cause) : cause;
    }
    return range;
  });
  return { column, ranges };
}

function readRegister(
  suite: Suite,
  lookup: EvaluatedLookup,
  scope: Omit<TagScope, 'tokenType'>,
  columns: readonly AskedColumn[],
  reply: TablesAnswer,
  committed: CommittedTables,
): PersonResult[] {
  if (reply.columns.length !== columns.length) throw misfit();
  const persons = lookup.persons.length;
  const read = columns.map((asked) => {
    const { tokenType } = asked;
    const { column, ranges } = checkedRanges(reply, asked, committed);
    const type = lookup.tokenTypes.indexOf(tokenType);
    const prefix = tagPrefix({ ...scope, tokenType });
    const known = splitElements(column.evaluated, persons).map((element, person) => {
      const unblinded = suite.backend.group.multiply(
        lookup.unblinders[person]?.[type] as Uint8Array,
        element,
      );
      return rangeHolds(ranges[column.bits === 0 ? 0 : person] as Uint8Array, tagOf(prefix, unblinded));
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
