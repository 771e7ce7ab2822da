import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { HitError, Secret, utf8ToBytes } from '@hitmachine/protocol';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The seeds of the gateway as far as they go into these keys; `replicaRoot` where an evaluation key was forgotten. */
interface SharedSeeds {
  readonly identitySeed: Secret<Uint8Array>;
  readonly evaluationSeed: Secret<Uint8Array>;
  readonly replicaRoot?: Secret<Uint8Array> | undefined;
}

/** What replicas of one gateway know and nobody else: whoever holds the gateway's seeds. */
export interface ReplicaSecrets {
  /** The pre-shared key of the links between replicas. */
  readonly link: Secret<Uint8Array>;
  /** Seals what replicas keep for each other in a store that others may read or write. */
  readonly store: StoreSeal;
}

/**
 * What the keys that replicas share are made of (HKDF-SHA-256, RFC 5869 section 2.2): of the seeds as they were before an
 * evaluation key was forgotten, so that replicas still know each other while one after the other forgets it. Nothing leads
 * back to a seed.
 */
export function replicaRoot(seeds: SharedSeeds, federation: string): Secret<Uint8Array> {
  if (seeds.replicaRoot !== undefined) return seeds.replicaRoot;
  const seed = Buffer.concat([seeds.identitySeed.reveal(), seeds.evaluationSeed.reveal()]);
  return new Secret(extract(sha256, seed, utf8ToBytes(federation)));
}

/**
 * Derives the keys that replicas share from the gateway's seeds (RFC 5869 section 2.3), each under its own label, so that
 * every replica has them.
 */
export function replicaSecrets(seeds: SharedSeeds, federation: string): ReplicaSecrets {
  const root = replicaRoot(seeds, federation).reveal();
  const key = (label: string): Secret<Uint8Array> =>
    new Secret(expand(sha256, root, utf8ToBytes(`hitmachine-v1 replicas ${label}`), 32));
  return { link: key('link'), store: new StoreSeal(key('seal'), key('names')) };
}

/** Seals values for a store that is not trusted (AES-256-GCM), and makes names in it that say nothing. */
export class StoreSeal {
  readonly #key: Secret<Uint8Array>;
  readonly #names: Secret<Uint8Array>;

  constructor(key: Secret<Uint8Array>, names: Secret<Uint8Array>) {
    this.#key = key;
    this.#names = names;
  }

  /** Seals a value to its place, so that it opens nowhere else. */
  seal(place: string, value: Uint8Array): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key.reveal(), nonce).setAAD(Buffer.from(place));
    return Buffer.concat([nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()]);
  }

  /** Opens what was sealed to a place. Throws `storage-failed` when that was altered or put there from elsewhere. */
  open(place: string, sealed: Uint8Array): Uint8Array {
    try {
      const nonce = sealed.subarray(0, NONCE_BYTES);
      const end = sealed.length - TAG_BYTES;
      const decipher = createDecipheriv('aes-256-gcm', this.#key.reveal(), nonce, {
        authTagLength: TAG_BYTES,
      })
        .setAAD(Buffer.from(place))
        .setAuthTag(sealed.subarray(end));
      return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, end)), decipher.final()]);
    } catch (cause) {
      throw new HitError('storage-failed', 'what replicas keep for each other was altered', { cause });
    }
  }

  /** A name for something in the store, from which it cannot be told what it names. */
  name(...parts: readonly string[]): string {
    const digest = createHmac('sha256', this.#names.reveal()).update(JSON.stringify(parts)).digest();
    return digest.subarray(0, 16).toString('base64url');
  }
}
