import { utf8 } from '@scure/base';
import { z } from 'zod';
import type { Backend } from '../backend/backend.ts';
import { decodeBase64, encodeBase64, utf8ToBytes } from '../bytes.ts';
import { HitError } from '../errors.ts';
import type { CommittedTable } from '../log/bucket-tree.ts';
import type { LogKey } from '../log/checkpoint.ts';
import { MAX_ENTRY_BYTES, decodeEntry } from '../log/entry.ts';
import type { Sha256 } from '../log/merkle.ts';
import { ED25519, formatNote, parseNote, signaturesOf } from '../log/note.ts';
import { formatReceipt, parseReceipt, verifyReceipt } from '../log/receipt.ts';
import { TAG_BYTES } from '../pseudonym/pseudonym.ts';
import { MAX_PREFIX_BITS } from '../pseudonym/size-class.ts';
import { blob, message, struct } from './codec.ts';
import { base64Schema, slugSchema, tokenTypeSchema } from './fields.ts';
import { checkLoggedRequest } from './http-signature.ts';
import { parseJson } from './json.ts';
import { LIMITS } from './limits.ts';
import type { Logged } from './lookup.ts';

/** Where a node sends its commitment; the signature over the request names it. */
export const TABLES_PATH = '/v1/tables';

const committedSchema = z.strictObject({
  register: slugSchema,
  tokenType: tokenTypeSchema,
  bits: z.int().min(0).max(MAX_PREFIX_BITS),
  /** Tags in a bucket. */
  capacity: z
    .int()
    .min(1)
    .max(LIMITS.answerRanges / TAG_BYTES),
  /** Root of the tree over the table's buckets. */
  root: base64Schema(32),
});

/** A table of a register: no two of one commitment may be alike, or the node could pick. */
const keyOf = (register: string, tokenType: string): string => `${register} ${tokenType}`;

/**
 * What a node will answer from in one epoch: all its tables, each by the root over its buckets. It signs the request
 * that brings this to the gateway's log, and answers from these tables once it stands there.
 */
export const tableCommitmentSchema = z.strictObject({
  format: z.literal('hitmachine-tables-1'),
  epoch: z.int().min(1),
  /** The day (Dutch time, yyyy-mm-dd) for which the tables were made. */
  day: z.iso.date(),
  tables: z
    .array(committedSchema)
    .max(LIMITS.registersPerAgency * LIMITS.tokenTypes)
    .refine(
      (tables) =>
        new Set(tables.map(({ register, tokenType }) => keyOf(register, tokenType))).size === tables.length,
      'a table stands twice',
    ),
  /** The newest entry of the agency's own log, so that it cannot be written anew: how many, and the chain up to there. */
  logHead: z.strictObject({ sequence: z.int().min(0), chain: base64Schema(32) }).optional(),
});
export type TableCommitment = z.infer<typeof tableCommitmentSchema>;

/** A commitment as the answers carry it: the entry of the gateway's log and its receipt. */
const loggedCodec = message<{ readonly leaf: Uint8Array; readonly receipt: Uint8Array }>(
  struct({ leaf: blob(MAX_ENTRY_BYTES), receipt: blob(LIMITS.receiptBytes) }),
  LIMITS.commitmentBytes,
);

/**
 * The commitment that a node puts into its answers, from what the gateway gave it. Of the checkpoint's signatures only
 * those of the log itself are kept: witnesses come and go, and the size of an answer must not. Nothing is checked, but
 * that there is such a signature. Throws `malformed` or `signature-invalid`.
 */
export function packCommitment({ entry, receipt }: Logged, { origin, publicKey }: LogKey): Uint8Array {
  const parsed = parseReceipt(receipt);
  const note = parseNote(parsed.checkpoint);
  const signatures = signaturesOf(note, { name: origin, type: ED25519, publicKey });
  if (signatures.length === 0)
    throw new HitError('signature-invalid', `the checkpoint is not signed with the key of ${origin}`);
  const checkpoint = formatNote({ text: note.text, signatures });
  return loggedCodec.encode({
    leaf: decodeBase64(entry),
    receipt: utf8ToBytes(formatReceipt({ ...parsed, checkpoint })),
  });
}

/** A commitment that was found to stand in the log. */
export interface OpenedCommitment {
  /** Number of the entry in the gateway's log. */
  readonly index: number;
  /** Milliseconds since 1970, by the gateway's clock. */
  readonly at: number;
  /** The checkpoint that the receipt is for: to be compared with others that were seen. */
  readonly checkpoint: string;
  /** The request body as the node signed it. */
  readonly body: string;
  readonly commitment: TableCommitment;
}

/**
 * Checks a commitment that came with an answer: that its entry is one of this node, that the node signed it as a
 * commitment, and that it stands in the gateway's log. Throws `malformed`, `field-invalid`, `signature-invalid` or
 * `log-proof-invalid`; the detail says which of them does not hold.
 */
export function openCommitment(
  backend: Backend,
  log: LogKey,
  node: { readonly id: string; readonly identityKey: Uint8Array },
  packed: Uint8Array,
): OpenedCommitment {
  const { leaf, receipt } = loggedCodec.decode(packed);
  const entry = decodeEntry(leaf);
  if (entry.event !== 'tables' || entry.agency !== node.id)
    throw new HitError('log-proof-invalid', `the entry is not a table commitment of ${node.id}`);
  const { body, evidence } = entry;
  const signed = checkLoggedRequest(backend, node.identityKey, node.id, {
    base: decodeBase64(evidence.base),
    signature: decodeBase64(evidence.signature, 64),
    body: utf8ToBytes(body),
  });
  // A request for something else may have a body that reads like a commitment.
  if (signed.method !== 'POST' || signed.path !== TABLES_PATH)
    throw new HitError('signature-invalid', `${node.id} signed this as a request for something else`);
  const { index, checkpoint } = verifyReceipt(backend, log, leaf, readText(receipt));
  const commitment = parseJson(tableCommitmentSchema, utf8ToBytes(body));
  checkEpoch(commitment, entry.at);
  return { index, at: entry.at, checkpoint, body, commitment };
}

/**
 * Epochs only rise, so one far ahead would be the last that an agency can commit to. Throws `field-invalid` for one
 * that is not within {@link LIMITS.epochAheadMs} of the time `at` of its entry.
 */
export function checkEpoch({ epoch }: Pick<TableCommitment, 'epoch'>, at: number): void {
  const highest = at + LIMITS.epochAheadMs;
  if (epoch <= highest) return;
  const detail = `at most ${highest}: ten minutes after the time at which it is committed to`;
  throw new HitError('field-invalid', `epoch: ${detail}`, { fields: [{ field: 'epoch', detail }] });
}

/**
 * The refusal (`already-exists`) of a commitment to an epoch that is not above the one that stands. Names that one, so
 * that a node which does not know it, since its clock was put back or its database lost, can go on above it.
 */
export function epochTaken(epoch: number, standing: number): HitError {
  const detail =
    standing === epoch
      ? `other tables are committed to for epoch ${epoch}; take a number above it`
      : `epoch ${standing} is committed to already, and epochs only rise; take a number above it`;
  return new HitError('already-exists', `epoch: ${detail}`, {
    fields: [{ field: 'epoch', detail: `above ${standing}` }],
  });
}

/** The epoch that stands, as a refusal of {@link epochTaken} names it. */
export function standingEpochIn({ code, fields }: HitError): number | undefined {
  const detail = fields.find(({ field }) => field === 'epoch')?.detail ?? '';
  const [, digits] = (code === 'already-exists' && /^above ([1-9]\d{0,15})$/.exec(detail)) || [];
  return digits === undefined ? undefined : Number(digits);
}

function readText(bytes: Uint8Array): string {
  try {
    return utf8.encode(bytes);
  } catch (cause) {
    throw new HitError('malformed', 'the receipt is not UTF-8', { cause });
  }
}

/** What an answer is held against: the tables of one epoch. */
export interface CommittedTables {
  readonly epoch: number;
  table(register: string, tokenType: string): CommittedTable | undefined;
  /** A faster SHA-256 than that of this package, where there is one. */
  readonly sha256?: Sha256 | undefined;
}

/** The tables of a commitment, by register and token type. */
export function committedTables({ epoch, tables }: TableCommitment, sha256?: Sha256): CommittedTables {
  const byName = new Map(
    tables.map(({ register, tokenType, bits, capacity, root }) => [
      keyOf(register, tokenType),
      { bits, capacity, root: decodeBase64(root, 32) },
    ]),
  );
  return { epoch, table: (register, tokenType) => byName.get(keyOf(register, tokenType)), sha256 };
}

/** The table of a commitment as JSON has it. */
export const committedTable = (
  register: string,
  tokenType: string,
  { bits, capacity, root }: CommittedTable,
): TableCommitment['tables'][number] => ({ register, tokenType, bits, capacity, root: encodeBase64(root) });
