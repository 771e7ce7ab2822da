import { hkdfSync } from 'node:crypto';
import type { Backend, Random } from '@hitmachine/protocol';
import { HitError, Secret, concatBytes, decodeBase64, encodeBase64, utf8ToBytes } from '@hitmachine/protocol';
import type { z } from 'zod';

const NONCE_BYTES = 12;

/** Seals small values so that a browser can keep them: it can neither read nor change them. */
export class CookieSeal {
  readonly #backend: Backend;
  readonly #random: Random;
  readonly #key: Secret<Uint8Array>;

  /**
   * The key is derived from a seed of the service (HKDF, RFC 5869) for one kind of pages, named by `label`, so that
   * every replica opens the same.
   */
  constructor(backend: Backend, seed: Secret<Uint8Array>, label: string, random: Random) {
    this.#backend = backend;
    this.#random = random;
    const key = hkdfSync('sha256', seed.reveal(), '', `hitmachine-v1 ${label} cookies`, 32);
    this.#key = new Secret(new Uint8Array(key));
  }

  /** `purpose` keeps one kind of cookie from being taken for another. */
  seal(purpose: string, value: unknown): string {
    const nonce = this.#random(NONCE_BYTES);
    const plaintext = utf8ToBytes(JSON.stringify(value));
    const sealed = this.#backend.aead.seal(this.#key.reveal(), nonce, utf8ToBytes(purpose), plaintext);
    return encodeBase64(concatBytes(nonce, sealed));
  }

  /** What was sealed for this purpose; undefined for anything else. */
  open<T>(purpose: string, schema: z.ZodType<T>, cookie: string | undefined): T | undefined {
    if (cookie === undefined) return undefined;
    try {
      const bytes = decodeBase64(cookie);
      const plaintext = this.#backend.aead.open(
        this.#key.reveal(),
        bytes.slice(0, NONCE_BYTES),
        utf8ToBytes(purpose),
        bytes.slice(NONCE_BYTES),
      );
      return schema.safeParse(JSON.parse(new TextDecoder().decode(plaintext))).data;
    } catch (error) {
      if (error instanceof HitError) return undefined;
      throw error;
    }
  }
}
