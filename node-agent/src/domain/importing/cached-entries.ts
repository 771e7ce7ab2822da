import { createHash, createHmac, hkdfSync } from 'node:crypto';
import type { Backend } from '@hitmachine/protocol';
import { ELEMENT_BYTES, HitError, concatBytes, uintToBytes } from '@hitmachine/protocol';
import type { EntryCache } from '../../ports/entry-cache.ts';
import type { StoredPseudonym } from '../../ports/pseudonym-store.ts';
import type { AgencyKeys } from '../keys.ts';
import type { PreparedToken, TokenBatch } from './token-batches.ts';
import { BATCH_TOKENS } from './token-batches.ts';

const FINGERPRINT_BYTES = 16;
const NONCE_BYTES = 12;

/**
 * Entries that earlier imports of a register have made, so that clients who did not change cost no cryptography. The
 * keys come from the node's key and from the gateway's evaluation key: with either of them new, nothing fits any more.
 * Entries are sealed, since M is the same in all registers of an agency, that of the persons asked about among them:
 * who holds the source must not read there who was asked about. The nonce is part of the fingerprint: under one key it
 * always goes with the same entry.
 */
export class CachedEntries {
  readonly #cache: EntryCache;
  readonly #backend: Backend;
  readonly #fingerprintKey: Uint8Array;
  readonly #sealKey: Uint8Array;

  constructor(
    cache: EntryCache,
    backend: Backend,
    keys: Pick<AgencyKeys, 'nodeKey'>,
    scope: { readonly register: string; readonly evaluationKey: string },
  ) {
    this.#cache = cache;
    this.#backend = backend;
    const derive = (label: string): Uint8Array =>
      new Uint8Array(
        hkdfSync(
          'sha256',
          keys.nodeKey.reveal(),
          scope.evaluationKey,
          `hitmachine-v1 entry-cache ${label} ${scope.register}`,
          32,
        ),
      );
    this.#fingerprintKey = derive('fingerprint');
    this.#sealKey = derive('seal');
    cache.begin(createHash('sha256').update(derive('fit')).digest());
  }

  /** Hands those that are known to `found`, and gives the others, in batches as full as can be. */
  async *missing(
    batches: Iterable<TokenBatch>,
    found: (tokenType: string, pseudonyms: readonly StoredPseudonym[]) => Promise<void>,
  ): AsyncGenerator<TokenBatch> {
    const open = new Map<string, PreparedToken[]>();
    for (const { tokenType, tokens } of batches) {
      const left = open.get(tokenType) ?? [];
      open.set(tokenType, left);
      const known: StoredPseudonym[] = [];
      for (const one of tokens) {
        const entry = this.#find(tokenType, one.token);
        if (entry === undefined) left.push(one);
        else known.push({ ...entry, until: one.until });
      }
      if (known.length > 0) await found(tokenType, known);
      if (left.length >= BATCH_TOKENS) yield { tokenType, tokens: left.splice(0, BATCH_TOKENS) };
    }
    for (const [tokenType, tokens] of open) if (tokens.length > 0) yield { tokenType, tokens };
  }

  keep(tokenType: string, tokens: readonly PreparedToken[], pseudonyms: readonly StoredPseudonym[]): void {
    tokens.forEach(({ token }, i) => {
      const { element, maskedHash } = pseudonyms[i] as StoredPseudonym;
      const fingerprint = this.#fingerprint(tokenType, token);
      const entry = concatBytes(element, uintToBytes(maskedHash, 2));
      const nonce = fingerprint.subarray(0, NONCE_BYTES);
      this.#cache.keep(fingerprint, this.#backend.aead.seal(this.#sealKey, nonce, fingerprint, entry));
    });
  }

  finish(): void {
    this.#cache.finish();
  }

  #find(tokenType: string, token: Uint8Array): StoredPseudonym | undefined {
    const fingerprint = this.#fingerprint(tokenType, token);
    const sealed = this.#cache.find(fingerprint);
    if (sealed === undefined) return undefined;
    try {
      const nonce = fingerprint.subarray(0, NONCE_BYTES);
      const entry = this.#backend.aead.open(this.#sealKey, nonce, fingerprint, Uint8Array.from(sealed));
      const hash = new DataView(entry.buffer, entry.byteOffset).getUint16(ELEMENT_BYTES);
      return { element: entry.slice(0, ELEMENT_BYTES), maskedHash: hash };
    } catch (error) {
      // Damaged: it is made again, and takes the place of this one.
      if (error instanceof HitError) return undefined;
      throw error;
    }
  }

  #fingerprint(tokenType: string, token: Uint8Array): Uint8Array {
    return createHmac('sha256', this.#fingerprintKey)
      .update(`${tokenType}\n`)
      .update(token)
      .digest()
      .subarray(0, FINGERPRINT_BYTES);
  }
}
