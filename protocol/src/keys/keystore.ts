import { hkdf } from '@noble/hashes/hkdf.js';
import { scryptAsync } from '@noble/hashes/scrypt.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { z } from 'zod';
import type { Backend } from '../backend/backend.ts';
import type { Random } from '../bytes.ts';
import { decodeBase64, encodeBase64, utf8ToBytes } from '../bytes.ts';
import { HitError } from '../errors.ts';
import { parseJson } from '../wire/json.ts';

/** What opens a key store: a file of 32 random bytes, or a passphrase that a person chose. */
export type Unlock =
  | { readonly type: 'key-file'; readonly key: Uint8Array }
  | { readonly type: 'passphrase'; readonly passphrase: string };

/** Secrets at rest: JSON, sealed with ChaCha20-Poly1305 under a key from the key file (HKDF) or passphrase (scrypt). */
export const sealedKeystoreSchema = z.strictObject({
  format: z.literal('hitmachine-keystore-1'),
  unlock: z.enum(['key-file', 'passphrase']),
  salt: z.string(),
  nonce: z.string(),
  ciphertext: z.string(),
});
export type SealedKeystore = z.infer<typeof sealedKeystoreSchema>;

const CONTEXT = utf8ToBytes('hitmachine-v1 keystore');

/**
 * 32 bytes of key from what opens a key store, for `context` alone: HKDF of a key file, scrypt of a passphrase. `salt` is
 * fresh for everything that is sealed, which for a passphrase keeps contexts apart as well.
 */
export async function keyFromUnlock(
  unlock: Unlock,
  salt: Uint8Array,
  context: Uint8Array,
): Promise<Uint8Array> {
  if (unlock.type === 'key-file') return hkdf(sha256, unlock.key, salt, context, 32);
  return scryptAsync(unlock.passphrase.normalize('NFKC'), salt, { N: 2 ** 15, r: 8, p: 3, dkLen: 32 });
}

/** Seals named secrets (each some bytes) for storage. */
export async function sealKeystore(
  backend: Backend,
  unlock: Unlock,
  secrets: Readonly<Record<string, Uint8Array>>,
  random: Random,
): Promise<SealedKeystore> {
  const salt = random(16);
  const nonce = random(12);
  const plaintext = utf8ToBytes(
    JSON.stringify(
      Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, encodeBase64(value)])),
    ),
  );
  // The salt is fresh each time, so the key is too, and no nonce can repeat under it.
  const ciphertext = backend.aead.seal(await keyFromUnlock(unlock, salt, CONTEXT), nonce, CONTEXT, plaintext);
  return {
    format: 'hitmachine-keystore-1',
    unlock: unlock.type,
    salt: encodeBase64(salt),
    nonce: encodeBase64(nonce),
    ciphertext: encodeBase64(ciphertext),
  };
}

/** Opens a sealed key store. Throws `keystore-invalid`, saying which of the possible causes it is. */
export async function openKeystore(
  backend: Backend,
  unlock: Unlock,
  sealed: unknown,
): Promise<Record<string, Uint8Array>> {
  const { success, data } = sealedKeystoreSchema.safeParse(sealed);
  if (!success) throw new HitError('keystore-invalid', 'this is not a key store of this program');
  if (data.unlock !== unlock.type)
    throw new HitError(
      'keystore-invalid',
      `this key store was sealed with a ${data.unlock}, not with a ${unlock.type}`,
    );
  let plaintext: Uint8Array;
  try {
    const key = await keyFromUnlock(unlock, decodeBase64(data.salt), CONTEXT);
    plaintext = backend.aead.open(key, decodeBase64(data.nonce), CONTEXT, decodeBase64(data.ciphertext));
  } catch (cause) {
    throw new HitError(
      'keystore-invalid',
      `the ${unlock.type} is not the one that the key store was sealed with`,
      { cause },
    );
  }
  const secrets = parseJson(z.record(z.string(), z.string()), plaintext);
  return Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, decodeBase64(value)]));
}
