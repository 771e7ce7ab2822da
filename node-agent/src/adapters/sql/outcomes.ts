import type { Backend, Random } from '@hitmachine/protocol';
import { decodeBase64, encodeBase64, utf8ToBytes } from '@hitmachine/protocol';
import type { AgencyEvent } from '../../ports/agency-log.ts';
import type { Run } from '../database.ts';

type AskedDetail = Extract<AgencyEvent, { event: 'asked' }>['detail'];

/** How the detail of an `asked` entry is written: its outcomes under a key of their own. */
type SealedDetail = Omit<AskedDetail, 'outcomes'> & { readonly sealedOutcomes: string };

const NONCE_BYTES = 12;

const bound = (lookupKey: string): Uint8Array => utf8ToBytes(`hitmachine-v1 outcomes ${lookupKey}`);

/**
 * The outcomes of lookups, each under a key of its own that goes before the entry does. Without the key nobody can read
 * them any more, while the entry, and the chain through it, stays as it was written. Removing the content
 * instead would leave a hole in the chain that cannot be told from tampering.
 */
export class Outcomes {
  readonly #backend: Backend;
  readonly #random: Random;

  constructor(backend: Backend, random: Random) {
    this.#backend = backend;
    this.#random = random;
  }

  /** The detail as it is to be written; its outcomes can be read up to and including the day `until`. */
  async seal(
    run: Run,
    lookupKey: string,
    { outcomes, ...detail }: AskedDetail,
    until: string,
  ): Promise<SealedDetail> {
    const [key, nonce] = [this.#random(32), this.#random(NONCE_BYTES)];
    const plaintext = utf8ToBytes(JSON.stringify(outcomes));
    const sealed = this.#backend.aead.seal(key, nonce, bound(lookupKey), plaintext);
    await run('INSERT INTO outcome_keys (lookup_key, key, until) VALUES ($1, $2, $3)', [
      lookupKey,
      key,
      until,
    ]);
    return { ...detail, sealedOutcomes: encodeBase64(new Uint8Array([...nonce, ...sealed])) };
  }

  /** The detail as it was given, or without outcomes when their time is over. Throws `decryption-failed`. */
  async open(run: Run, lookupKey: string, detail: unknown): Promise<AskedDetail> {
    if (!('sealedOutcomes' in (detail as object))) return detail as AskedDetail;
    const { sealedOutcomes, ...rest } = detail as SealedDetail;
    const { rows } = await run('SELECT key FROM outcome_keys WHERE lookup_key = $1', [lookupKey]);
    const key = rows[0]?.['key'] as Uint8Array | undefined;
    if (key === undefined) return { ...rest, outcomes: [], outcomesRemoved: true };
    const bytes = decodeBase64(sealedOutcomes);
    const [nonce, sealed] = [bytes.subarray(0, NONCE_BYTES), bytes.subarray(NONCE_BYTES)];
    const plaintext = this.#backend.aead.open(key, nonce, bound(lookupKey), sealed);
    return {
      ...rest,
      outcomes: JSON.parse(new TextDecoder().decode(plaintext)) as AskedDetail['outcomes'],
    };
  }
}
