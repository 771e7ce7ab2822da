import type { AgencyLogContent, AgencyLogHead, Backend, Random, Secret } from '@hitmachine/protocol';
import {
  AGENCY_LOG_START,
  HitError,
  agencyLogChain,
  agencyLogContentHash,
  concatBytes,
  uintToBytes,
  utf8ToBytes,
} from '@hitmachine/protocol';
import type { Binding } from '../../ports/agency-log.ts';
import type { Run, Value } from '../database.ts';
import { forRows, places } from '../database.ts';

const SEALED = utf8ToBytes('hitmachine-v1 agency-log sealed');
const NONCE_BYTES = 12;
const COLUMNS = 8;
const insertEntries = forRows(
  (rows) =>
    `INSERT INTO log (sequence, at, event, lookup_key, nonce, sealed, content_hash, chain)
     VALUES ${places(rows, COLUMNS)}`,
);

/**
 * What an entry's details are sealed to: its own place, and through the chain everything before it. So whoever writes
 * the file without the key cannot put a chain of right hashes over entries that were moved or left out.
 */
const boundTo = (content: Omit<AgencyLogContent, 'nonce' | 'sealed'>, previous: Uint8Array): Uint8Array =>
  concatBytes(
    SEALED,
    previous,
    uintToBytes(content.sequence, 8),
    uintToBytes(content.at, 8),
    utf8ToBytes(`${content.event} ${content.lookupKey}`),
  );

/** As entries were sealed before there was a chain. */
const boundLoosely = ({ event, lookupKey }: AgencyLogContent): Uint8Array =>
  utf8ToBytes(`hitmachine-v1 log ${event} ${lookupKey}`);

/** What an entry is sealed with. */
export interface LogSealing {
  readonly backend: Backend;
  readonly logKey: Secret<Uint8Array>;
  readonly random: Random;
}

/** The last entry, which the next follows. */
export interface LogTip extends AgencyLogHead {
  /** Milliseconds since 1970. */
  readonly at: number;
}

export async function tipOf(run: Run): Promise<LogTip> {
  const { rows } = await run('SELECT sequence, at, chain FROM log ORDER BY sequence DESC LIMIT 1');
  return (rows[0] as unknown as LogTip | undefined) ?? { ...AGENCY_LOG_START, at: 0 };
}

/** Entries of one transaction: each is sealed behind the one before it, and all are written in one statement. */
export class LogEntries {
  readonly #sealing: LogSealing;
  #tip: LogTip;
  #values: Value[] = [];

  constructor(sealing: LogSealing, tip: LogTip) {
    this.#sealing = sealing;
    this.#tip = tip;
  }

  add(event: string, lookupKey: string, detail: unknown, now: number): void {
    const { backend, logKey, random } = this.#sealing;
    const { sequence, at, chain: previous } = this.#tip;
    const place = { sequence: sequence + 1, at: Math.max(now, at), event, lookupKey };
    const nonce = random(NONCE_BYTES);
    const plaintext = utf8ToBytes(JSON.stringify(detail));
    const sealed = backend.aead.seal(logKey.reveal(), nonce, boundTo(place, previous), plaintext);
    const hash = (message: Uint8Array): Uint8Array => backend.sha256(message);
    const contentHash = agencyLogContentHash({ ...place, nonce, sealed }, hash);
    const chain = agencyLogChain(previous, place.at, contentHash, hash);
    this.#values.push(place.sequence, place.at, event, lookupKey, nonce, sealed, contentHash, chain);
    this.#tip = { sequence: place.sequence, at: place.at, chain };
  }

  async write(run: Run): Promise<void> {
    if (this.#values.length === 0) return;
    await run(insertEntries(this.#values.length / COLUMNS), this.#values);
    this.#values = [];
  }
}

/** The details of an entry behind the one whose chain is `previous`. Throws `decryption-failed`. */
export function openEntry(
  { backend, logKey }: LogSealing,
  content: AgencyLogContent,
  previous: Uint8Array,
): { detail: unknown; binding: Binding } {
  const under = (associated: Uint8Array): unknown => {
    const plaintext = backend.aead.open(logKey.reveal(), content.nonce, associated, content.sealed);
    return JSON.parse(new TextDecoder().decode(plaintext));
  };
  try {
    return { detail: under(boundTo(content, previous)), binding: 'chained' };
  } catch (error) {
    if (!(error instanceof HitError)) throw error;
    return { detail: under(boundLoosely(content)), binding: 'loose' };
  }
}
