import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, uintToBytes, utf8ToBytes } from '../bytes.ts';

/** SHA-256, where the runtime has one that is faster. */
type Hash = (message: Uint8Array) => Uint8Array;

/** One entry of an agency's own log as it is stored: its content is sealed under the agency's own key. */
export interface AgencyLogContent {
  /** Counts up from 1 without gaps. */
  readonly sequence: number;
  /** Milliseconds since 1970; never before the entry in front of it. */
  readonly at: number;
  readonly event: string;
  readonly lookupKey: string;
  readonly nonce: Uint8Array;
  readonly sealed: Uint8Array;
}

/** The last entry of an agency's own log, and the hash that stands for all of them. */
export interface AgencyLogHead {
  /** 0 for a log without entries. */
  readonly sequence: number;
  /** 32 bytes. */
  readonly chain: Uint8Array;
}

/** What stands before the first entry. */
export const AGENCY_LOG_START: AgencyLogHead = { sequence: 0, chain: new Uint8Array(32) };

const DAY_MS = 86_400_000;
const CONTENT = utf8ToBytes('hitmachine-v1 agency-log content');
const CHAIN = utf8ToBytes('hitmachine-v1 agency-log chain');

/** The first millisecond of the day (UTC) of a time: what is left of it once the content is removed. */
export const startOfDay = (at: number): number => at - (at % DAY_MS);

const sized = (bytes: Uint8Array): Uint8Array => concatBytes(uintToBytes(bytes.length, 4), bytes);

/**
 * Stands for an entry's content when that is gone. It covers the sealed bytes, with a random nonce, and not what they
 * say: nobody can find out by trying what was removed.
 */
export function agencyLogContentHash(content: AgencyLogContent, hash: Hash = sha256): Uint8Array {
  const { sequence, at, event, lookupKey, nonce, sealed } = content;
  return hash(
    concatBytes(
      CONTENT,
      uintToBytes(sequence, 8),
      uintToBytes(at, 8),
      ...[utf8ToBytes(event), utf8ToBytes(lookupKey), nonce, sealed].map(sized),
    ),
  );
}

/**
 * The chain up to and with an entry. The day is in it beside the content's hash, so that it cannot be changed either
 * when the content is gone: who removed content of yesterday cannot say that it was years old.
 */
export function agencyLogChain(
  previous: Uint8Array,
  at: number,
  contentHash: Uint8Array,
  hash: Hash = sha256,
): Uint8Array {
  return hash(concatBytes(CHAIN, previous, uintToBytes(Math.floor(at / DAY_MS), 4), contentHash));
}
