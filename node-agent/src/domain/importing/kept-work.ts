import { createHmac, hkdfSync } from 'node:crypto';
import type { Backend, Random, Suite } from '@hitmachine/protocol';
import { ELEMENT_BYTES, HitError, concatBytes, uintToBytes } from '@hitmachine/protocol';
import type { KeptBatches } from '../../ports/kept-batches.ts';
import type { PseudonymPage } from '../../ports/pseudonym-store.ts';
import type { AgencyKeys } from '../keys.ts';
import type { TokenBatch } from './token-batches.ts';
import { BATCH_TOKENS } from './token-batches.ts';

const NONCE_BYTES = 12;

/**
 * What an import that was interrupted has done already. A batch is known again by a keyed digest of all its tokens and
 * of the gateway's key, so neither the order of the source nor its name matters, and what another file said is never
 * taken for what this one says. Only full batches are kept: the digest of a few tokens could be found by trying numbers,
 * that of 256 together cannot. What is kept is sealed, so that the file shows nothing of the order either.
 */
export class KeptWork {
  readonly #store: KeptBatches;
  readonly #backend: Backend;
  readonly #random: Random;
  readonly #evaluationKey: string;
  readonly #digestKey: Uint8Array;
  readonly #sealKey: Uint8Array;

  constructor(
    store: KeptBatches,
    deps: {
      readonly suite: Suite;
      readonly keys: Pick<AgencyKeys, 'nodeKey'>;
      readonly random: Random;
    },
    evaluationKey: string,
  ) {
    this.#store = store;
    this.#backend = deps.suite.backend;
    this.#random = deps.random;
    this.#evaluationKey = evaluationKey;
    const derive = (label: string): Uint8Array =>
      new Uint8Array(hkdfSync('sha256', deps.keys.nodeKey.reveal(), '', `hitmachine-v1 ${label}`, 32));
    this.#digestKey = derive('kept-import digest');
    this.#sealKey = derive('kept-import seal');
  }

  /** The pseudonyms of a batch that was finished before. */
  recall(batch: TokenBatch): PseudonymPage | undefined {
    if (batch.tokens.length !== BATCH_TOKENS) return undefined;
    const digest = this.#digestOf(batch);
    const kept = this.#store.find(digest);
    if (kept === undefined) return undefined;
    const [nonce, sealed] = [kept.subarray(0, NONCE_BYTES), kept.subarray(NONCE_BYTES)];
    try {
      return unpack(this.#backend.aead.open(this.#sealKey, nonce, digest, sealed));
    } catch (error) {
      // Cut off, or of other keys: it is made again.
      if (error instanceof HitError) return undefined;
      throw error;
    }
  }

  keep(batch: TokenBatch, page: PseudonymPage): void {
    if (batch.tokens.length !== BATCH_TOKENS) return;
    const digest = this.#digestOf(batch);
    const nonce = this.#random(NONCE_BYTES);
    this.#store.keep(digest, this.#backend.aead.seal(this.#sealKey, nonce, digest, pack(page), nonce));
  }

  #digestOf({ tokenType, tokens }: TokenBatch): Uint8Array {
    const hmac = createHmac('sha256', this.#digestKey).update(`${this.#evaluationKey} ${tokenType}\n`);
    for (const { token } of tokens) hmac.update(uintToBytes(token.length, 2)).update(token);
    return hmac.digest();
  }
}

function pack({ elements, maskedHashes }: PseudonymPage): Uint8Array {
  return concatBytes(elements, ...Array.from(maskedHashes, (hash) => uintToBytes(hash, 2)));
}

function unpack(bytes: Uint8Array): PseudonymPage {
  const elements = bytes.slice(0, BATCH_TOKENS * ELEMENT_BYTES);
  const hashes = new DataView(bytes.buffer, bytes.byteOffset + elements.length);
  return {
    elements,
    maskedHashes: Uint16Array.from({ length: BATCH_TOKENS }, (_, i) => hashes.getUint16(2 * i)),
  };
}
