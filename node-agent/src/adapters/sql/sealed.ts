import type { Backend, Random, Secret } from '@hitmachine/protocol';
import { utf8ToBytes } from '@hitmachine/protocol';

const NONCE_BYTES = 12;

/** Keeps values unreadable for who has the database file alone; each is bound to the place where it stands. */
export interface Sealer {
  seal(place: string, value: unknown): Uint8Array;
  /** Throws `decryption-failed` for what was changed, moved, or sealed under another key. */
  open(place: string, sealed: Uint8Array): unknown;
}

/** Seals JSON under the key of the agency's own log: a random nonce, and then the ciphertext. */
export function logKeySealer(backend: Backend, logKey: Secret<Uint8Array>, random: Random): Sealer {
  const associated = (place: string): Uint8Array => utf8ToBytes(`hitmachine-v1 ${place}`);
  return {
    seal(place, value) {
      const nonce = random(NONCE_BYTES);
      const plaintext = utf8ToBytes(JSON.stringify(value));
      const ciphertext = backend.aead.seal(logKey.reveal(), nonce, associated(place), plaintext);
      return Buffer.concat([nonce, ciphertext]);
    },
    open(place, sealed) {
      const [nonce, ciphertext] = [sealed.slice(0, NONCE_BYTES), sealed.slice(NONCE_BYTES)];
      const plaintext = backend.aead.open(logKey.reveal(), nonce, associated(place), ciphertext);
      return JSON.parse(new TextDecoder().decode(plaintext)) as unknown;
    },
  };
}
