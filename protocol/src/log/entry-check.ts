import { sha256 } from '@noble/hashes/sha2.js';
import type { Backend } from '../backend/backend.ts';
import { ELEMENT_BYTES } from '../backend/backend.ts';
import { decodeBase64, encodeBase64, utf8ToBytes } from '../bytes.ts';
import { HitError } from '../errors.ts';
import type { LoggedRequest } from '../wire/http-signature.ts';
import { readLoggedRequest } from '../wire/http-signature.ts';
import { parseJson } from '../wire/json.ts';
import type { LookupTerms } from '../policy/decide.ts';
import { lookupRequestSchema } from '../wire/lookup.ts';
import { registersUpdateSchema } from '../wire/enrolment.ts';
import { CANARY_PURPOSE } from '../policy/purpose.ts';
import type { KeyChange } from '../wire/key-change.ts';
import { keyChangeSchema } from '../wire/key-change.ts';
import type { Review } from '../wire/notices.ts';
import {
  KEY_CHANGE_PATH,
  REVIEWS_PATH,
  SIGNALS_PATH,
  reviewSchema,
  signalReportSchema,
} from '../wire/notices.ts';
import { TABLES_PATH, tableCommitmentSchema } from '../wire/table-commitment.ts';
import type { CommitmentFacts } from './commitment-check.ts';
import type { LogEntry, LogEventName } from './entry.ts';
import { decodeEntry } from './entry.ts';

/**
 * What an entry of the log says, and whether that holds by itself, whatever stands around it: its encoding, and the
 * agency's signed request in it. Independent of all other entries, so that many can be read at once; what they must be
 * to each other is for `LogCheck`.
 */
export interface EntryFacts {
  /** The entry without request and body; undefined when it cannot be read. */
  readonly said: SaidEntry | undefined;
  /** Why the entry is not right by itself, in plain words; undefined when it is. */
  readonly problem: string | undefined;
  readonly request?: RequestFacts;
  readonly lookup?: LookupFacts;
  readonly commitment?: CommitmentFacts;
  readonly review?: Review;
  /** Of a change of registers: what they are from then on, as {@link sortedJson}. */
  readonly registers?: string;
  readonly keyChange?: KeyChange;
}

export interface LookupFacts {
  /** What was asked for. */
  readonly terms: LookupTerms;
  /** The agencies whose registers it addresses. */
  readonly nodes: readonly string[];
  /** SHA-256 of what the asker signed, base64url: the answers to it name this. */
  readonly requestDigest: string;
}

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
export type SaidEntry = Without<LogEntry, 'body' | 'evidence'>;

/** A signed request in an entry. Times in seconds since 1970. */
export interface RequestFacts {
  readonly created: number;
  readonly expires: number;
  readonly nonce: string;
  /** The key of the agency, base64url, under which the signature holds; undefined when there is none such. */
  readonly signedWith: string | undefined;
}

/** The keys that an agency has ever had, base64url, the likeliest first. */
export type KeysOf = (agency: string) => readonly string[];

/** The request that each event comes from. */
const REQUESTS: Partial<Readonly<Record<LogEventName, readonly [method: string, path: string]>>> = {
  enrolment: ['POST', '/v1/enrolments'],
  registers: ['PUT', '/v1/registers'],
  'registers-refused': ['PUT', '/v1/registers'],
  'key-change': ['POST', KEY_CHANGE_PATH],
  'key-change-refused': ['POST', KEY_CHANGE_PATH],
  tables: ['POST', TABLES_PATH],
  'tables-refused': ['POST', TABLES_PATH],
  evaluation: ['POST', '/v1/evaluations'],
  'evaluation-refused': ['POST', '/v1/evaluations'],
  lookup: ['POST', '/v1/lookups'],
  canary: ['POST', '/v1/lookups'],
  'lookup-refused': ['POST', '/v1/lookups'],
  'signal-reported': ['POST', SIGNALS_PATH],
  'signal-refused': ['POST', SIGNALS_PATH],
  review: ['POST', REVIEWS_PATH],
  'review-refused': ['POST', REVIEWS_PATH],
};

/** Reads a leaf and checks it by itself. Never throws for what stands in it. */
export function checkEntry(backend: Backend, leaf: Uint8Array, keysOf: KeysOf): EntryFacts {
  let entry: LogEntry;
  try {
    entry = decodeEntry(leaf);
  } catch (error) {
    return { said: undefined, problem: `it cannot be read: ${detailOf(error)}` };
  }
  if (!('evidence' in entry)) return { said: entry, problem: undefined };
  const { evidence, ...rest } = entry;
  const { body, ...said } = 'body' in rest ? rest : { ...rest, body: undefined };
  const bytes = body === undefined ? undefined : utf8ToBytes(body);
  try {
    const base = decodeBase64(evidence.base);
    const signature = decodeBase64(evidence.signature, 64);
    const request = readLoggedRequest(entry.agency, { base, ...(bytes && { body: bytes }) });
    requirePlace(entry.event, request);
    const candidates = entry.event === 'enrolment' ? [entry.identityKey] : keysOf(entry.agency);
    const signedWith = candidates.find((key) =>
      backend.signatures.verify(decodeBase64(key, 32), base, signature),
    );
    const { created, expires, nonce } = request;
    const facts = { said, request: { created, expires, nonce, signedWith } };
    const problem =
      signedWith !== undefined
        ? undefined
        : candidates.length === 0
          ? `${entry.agency} had no key when this was logged, so it cannot have signed it`
          : `${entry.agency} did not sign this: the signature fits none of its keys`;
    if (body === undefined || bytes === undefined) return { ...facts, problem };
    requireCompact(body);
    return { ...facts, problem, ...readBody(entry.event, bytes, base) };
  } catch (error) {
    return { said, problem: detailOf(error) };
  }
}

function requirePlace(event: LogEventName, { method, path }: LoggedRequest): void {
  const place = REQUESTS[event];
  if (place === undefined) throw new HitError('internal', `there is no request for the event ${event}`);
  if (method !== place[0] || path !== place[1])
    throw new HitError(
      'signature-invalid',
      `what was signed is a request for something else: ${method} ${path}`,
    );
}

/** What a signed body says. Throws `malformed` or `field-invalid` for one that is not of its kind. */
function readBody(event: LogEventName, body: Uint8Array, base: Uint8Array): Partial<EntryFacts> {
  if (event === 'registers')
    return { registers: sortedJson(parseJson(registersUpdateSchema, body).registers) };
  if (event === 'key-change') return { keyChange: parseJson(keyChangeSchema, body) };
  if (event === 'review') return { review: parseJson(reviewSchema, body) };
  if (event === 'signal-reported') {
    parseJson(signalReportSchema, body);
    return {};
  }
  if (event === 'tables') {
    const { epoch, tables, logHead } = parseJson(tableCommitmentSchema, body);
    const named = tables.map(({ register, tokenType }) => ({ register, tokenType }));
    return { commitment: { epoch, tables: named, logHead } };
  }
  const { elements, caseCommitment: _, ...terms } = parseJson(lookupRequestSchema, body);
  const { purpose, registers, tokenTypes, persons } = terms;
  if ((event === 'canary') !== (purpose === CANARY_PURPOSE))
    throw new HitError('field-invalid', `a lookup for the purpose ${purpose} is not the event ${event}`);
  const bytes = persons * tokenTypes.length * ELEMENT_BYTES;
  const found = decodeBase64(elements).length;
  if (found !== bytes)
    throw new HitError(
      'field-invalid',
      `it has ${found} bytes of elements, where every person and token type has ${ELEMENT_BYTES}: ${bytes}`,
    );
  const nodes = [...new Set(registers.map((name) => name.slice(0, name.indexOf('/'))))];
  return { lookup: { terms, nodes, requestDigest: encodeBase64(sha256(base)) } };
}

/** A second member of the same name would stand in the log unseen. Throws `malformed`. */
function requireCompact(body: string): void {
  let compact: string | undefined;
  try {
    compact = JSON.stringify(JSON.parse(body));
  } catch {
    // Told below: it is not JSON at all.
  }
  if (compact !== body)
    throw new HitError('malformed', 'the body is not compact JSON with every member once');
}

function detailOf(error: unknown): string {
  if (!(error instanceof HitError)) throw error;
  return error.detail;
}

/** JSON with the fields of every object in one order: two values are alike when their texts are. */
export const sortedJson = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
