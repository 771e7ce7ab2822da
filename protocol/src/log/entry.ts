import { z } from 'zod';
import { constantTimeEqual, utf8ToBytes } from '../bytes.ts';
import type { ErrorCode } from '../errors.ts';
import { ERRORS, HitError } from '../errors.ts';
import { GATEWAY_RULES } from '../policy/rules.ts';
import { SIGNALS } from '../policy/signals.ts';
import { DELIVERY_FAILURES, DELIVERY_OUTCOMES } from '../wire/delivery.ts';
import { base64Pattern, base64Schema, slugPattern, slugSchema } from '../wire/fields.ts';
import { parseValue, readJson } from '../wire/json.ts';
import { LIMITS } from '../wire/limits.ts';

/** Bytes of the longest entry: what a bundle of the C2SP tlog-tiles layout can hold. */
export const MAX_ENTRY_BYTES = 65_535;

const base64TextPattern = /^[\w-]*$/;
const base64Text = z.string().max(MAX_ENTRY_BYTES).regex(base64TextPattern, 'base64url without padding');

/** The RFC 9421 signature base of an agency's request, and its signature over it. */
const evidenceSchema = z.strictObject({ base: base64Text, signature: base64Schema(64) });
/**
 * The body of the signed request as it came in; its SHA-256 stands in the signature base. Left out where it holds a
 * secret (an enrolment's token) or blinded clients by the thousand.
 */
const bodySchema = z.string().max(MAX_ENTRY_BYTES);

const errorCodes = Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]];
const agency = slugSchema;
const lookupId = base64Schema(16);
/** Random, so that nobody can guess an entry from its hash. */
export const ENTRY_ID_BYTES = 16;
const id = base64Schema(ENTRY_ID_BYTES);

/** Entries of requests that were refused. */
export const REFUSED_EVENTS = [
  'lookup-refused',
  'evaluation-refused',
  'tables-refused',
  'registers-refused',
  'key-change-refused',
  'signal-refused',
  'review-refused',
] as const;

const outcomes = [...DELIVERY_OUTCOMES, ...DELIVERY_FAILURES, 'abandoned'] as const;

/** What a reader of the log did, in the words of the console. */
const readings = ['search', 'entry', 'figures', 'witnesses', 'export'] as const;

const eventSchemas = [
  z.strictObject({
    event: z.literal('log-opened'),
    federation: slugSchema,
    identityKey: base64Schema(32),
    /** SHA-256 over the entries of a log that was kept before this one, where there was one. */
    before: base64Schema(32).optional(),
  }),
  z.strictObject({
    event: z.literal('roster'),
    version: z.int().min(1),
    /** SHA-256 of the signed document's payload. */
    digest: base64Schema(32),
    /** What is other than in the version before. */
    changed: z
      .array(z.enum(['gateway-keys', 'policy', 'members', 'agencies', 'agency-keys', 'registers']))
      .max(6),
  }),
  z.strictObject({
    /** A policy or a list of members was published; rosters that carry the document come after it. */
    event: z.enum(['policy', 'members']),
    version: z.int().min(1),
    /** SHA-256 of the signed document's payload. */
    digest: base64Schema(32),
    /** Identifiers of the keys that signed it. */
    signers: z.array(slugSchema).min(1).max(8),
  }),
  z.strictObject({ event: z.literal('agency-invited'), agency, again: z.boolean() }),
  /** An enrolment token that nobody had used works no longer. */
  z.strictObject({ event: z.literal('invitation-revoked'), agency }),
  z.strictObject({ event: z.literal('agency-removed'), agency, enrolled: z.boolean() }),
  z.strictObject({
    event: z.literal('enrolment'),
    agency,
    identityKey: base64Schema(32),
    evidence: evidenceSchema,
  }),
  z.strictObject({ event: z.literal('registers'), agency, body: bodySchema, evidence: evidenceSchema }),
  z.strictObject({ event: z.literal('key-change'), agency, body: bodySchema, evidence: evidenceSchema }),
  z.strictObject({ event: z.literal('tables'), agency, body: bodySchema, evidence: evidenceSchema }),
  z.strictObject({
    event: z.literal('evaluation'),
    agency,
    register: slugSchema,
    elements: z.int().min(1).max(LIMITS.importBatch),
    evidence: evidenceSchema,
  }),
  z.strictObject({
    event: z.literal('lookup'),
    agency,
    lookupId,
    body: bodySchema,
    evidence: evidenceSchema,
  }),
  z.strictObject({
    event: z.literal('canary'),
    agency,
    lookupId,
    body: bodySchema,
    evidence: evidenceSchema,
  }),
  z.strictObject({
    event: z.literal('answer'),
    id,
    /** The agency that asked. */
    agency,
    lookupId,
    node: slugSchema,
    /** SHA-256 of the signature base of the request that opened the lookup: the ticket's request digest. */
    request: base64Schema(32),
    /** `abandoned`: the asker went away before there was an outcome. */
    outcome: z.enum(outcomes),
    milliseconds: z.int().min(0),
  }),
  z.strictObject({
    /** A sequence of lookups stood out to the gateway. */
    event: z.literal('signal'),
    id,
    agency,
    /** Pseudonym of the professional, as in the lookups. */
    professional: base64Schema(16),
    signal: z.enum(SIGNALS),
    /** Persons that it took. */
    count: z.int().min(1),
  }),
  z.strictObject({ event: z.literal('signal-reported'), agency, body: bodySchema, evidence: evidenceSchema }),
  z.strictObject({ event: z.literal('review'), agency, body: bodySchema, evidence: evidenceSchema }),
  z.strictObject({
    event: z.enum(REFUSED_EVENTS),
    agency,
    code: z.enum(errorCodes),
    /** The rule of the policy that refused, where it was one. */
    rule: z.enum(GATEWAY_RULES).optional(),
    /** The refusals of this kind that the entry stands for, where it is more than one; `evidence` is the latest. */
    count: z.int().min(2).optional(),
    evidence: evidenceSchema,
  }),
  z.strictObject({
    event: z.literal('witness-refused'),
    /** The witness. */
    agency,
    /** Entries in the log that the witness did not want to sign for. */
    size: z.int().min(0),
    alarm: z.enum(['fork', 'rollback', 'refused']),
  }),
  z.strictObject({
    event: z.literal('log-read'),
    id,
    /** The reader's subject at the identity provider. */
    reader: z.string().min(1).max(255),
    reading: z.enum(readings),
    /** What was asked for: filters, or the index of an entry. */
    detail: z.string().max(1_000),
  }),
  z.strictObject({
    event: z.literal('access-refused'),
    id,
    reader: z.string().min(1).max(255),
    path: z.string().max(1_000),
  }),
] as const;

/** What happened: a closed list of events, each with exactly its fields. Nothing in them is about a person. */
export const logEventSchema = z.discriminatedUnion('event', eventSchemas);
export type LogEvent = z.infer<typeof logEventSchema>;
export type LogEventName = LogEvent['event'];
export type LogReading = (typeof readings)[number];

/** An event with the gateway's time, in milliseconds since 1970; it never goes back from one entry to the next. */
export type LogEntry = { readonly at: number } & LogEvent;

const logEntrySchema: z.ZodType<LogEntry> = z.discriminatedUnion(
  'event',
  // Each with the time in front: what is written is what is read.
  eventSchemas.map((schema) => z.strictObject({ at: z.int().min(0), ...schema.shape })) as never,
);

const patterns = {
  slug: slugPattern,
  text: base64TextPattern,
  bytes16: base64Pattern(16),
  bytes32: base64Pattern(32),
  bytes64: base64Pattern(64),
} as const;
const fits = (pattern: keyof typeof patterns, value: unknown): boolean =>
  typeof value === 'string' && value.length <= MAX_ENTRY_BYTES && patterns[pattern].test(value);
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;
const hasFields = (value: object, count: number): boolean => Object.keys(value).length === count;
const knownOutcomes: ReadonlySet<string> = new Set(outcomes);

/**
 * The text of a lookup or an answer that is as it should be, and undefined for all else: nearly all of a log are
 * these, and the schema takes longer over one than all the rest of storing or reading it. What fits a pattern needs no
 * escapes.
 */
function quickText(entry: LogEntry): string | undefined {
  if (!isCount(entry.at)) return undefined;
  if (entry.event === 'lookup' || entry.event === 'canary') {
    const { at, event, agency, lookupId, body, evidence } = entry;
    if (!hasFields(entry, 6) || typeof body !== 'string' || body.length > MAX_ENTRY_BYTES) return undefined;
    if (!fits('slug', agency) || !fits('bytes16', lookupId)) return undefined;
    if (typeof evidence !== 'object' || evidence === null || !hasFields(evidence, 2)) return undefined;
    const { base, signature } = evidence;
    if (!fits('text', base) || !fits('bytes64', signature)) return undefined;
    return `{"at":${at},"event":"${event}","agency":"${agency}","lookupId":"${lookupId}","body":${JSON.stringify(body)},"evidence":{"base":"${base}","signature":"${signature}"}}`;
  }
  if (entry.event !== 'answer') return undefined;
  const { at, id, agency, lookupId, node, request, outcome, milliseconds } = entry;
  if (!hasFields(entry, 9) || !isCount(milliseconds) || !knownOutcomes.has(outcome)) return undefined;
  if (!fits('bytes16', id) || !fits('slug', agency) || !fits('bytes16', lookupId)) return undefined;
  if (!fits('slug', node) || !fits('bytes32', request)) return undefined;
  return `{"at":${at},"event":"answer","id":"${id}","agency":"${agency}","lookupId":"${lookupId}","node":"${node}","request":"${request}","outcome":"${outcome}","milliseconds":${milliseconds}}`;
}

/**
 * The leaf of an entry: compact JSON in UTF-8, fields in the order of the schema, so that an entry has one encoding.
 * A runtime may bring a quicker `toBytes`. Throws `field-invalid`, or `body-too-large` above {@link MAX_ENTRY_BYTES}.
 */
export function encodeEntry(
  entry: LogEntry,
  toBytes: (text: string) => Uint8Array = utf8ToBytes,
): Uint8Array {
  const leaf = toBytes(quickText(entry) ?? JSON.stringify(parseValue(logEntrySchema, entry)));
  if (leaf.length > MAX_ENTRY_BYTES)
    throw new HitError(
      'body-too-large',
      `the log takes entries of at most ${MAX_ENTRY_BYTES} bytes: address fewer registers at once`,
    );
  return leaf;
}

/** The entry that stands in a leaf. Throws `malformed` or `field-invalid`. */
export function decodeEntry(leaf: Uint8Array): LogEntry {
  if (leaf.length > MAX_ENTRY_BYTES) throw new HitError('malformed', 'an entry of the log is too long');
  const value = readJson(leaf);
  const quick = isObject(value) ? quickText(value as LogEntry) : undefined;
  const entry = quick === undefined ? parseValue(logEntrySchema, value) : (value as LogEntry);
  if (!constantTimeEqual(utf8ToBytes(quick ?? JSON.stringify(entry)), leaf))
    throw new HitError('malformed', 'an entry of the log is not written as it should be');
  return entry;
}
