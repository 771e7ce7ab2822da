import sodium from 'libsodium-wrappers-sumo';
import { concatBytes } from '../bytes.ts';
import { HitError } from '../errors.ts';
import type { Backend } from './backend.ts';
import { SCALAR_BYTES } from './backend.ts';

/** The group order, 2^252 + 27742317777372353535851937790883648493, little-endian (RFC 9496 section 4). */
const ORDER = Uint8Array.from([
  0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
]);

/** libsodium silently reduces scalars and clears their top bit; RFC 9497 wants them refused instead. */
function checkScalar(bytes: Uint8Array, zeroAllowed = false): Uint8Array {
  if (!(bytes instanceof Uint8Array) || bytes.length !== SCALAR_BYTES) throw new HitError('scalar-invalid');
  let borrow = 0;
  let bits = 0;
  for (let i = 0; i < SCALAR_BYTES; i++) {
    const byte = bytes[i] as number;
    bits |= byte;
    borrow = byte - (ORDER[i] as number) - borrow < 0 ? 1 : 0;
  }
  if (borrow === 0 || (bits === 0 && !zeroAllowed)) throw new HitError('scalar-invalid');
  return bytes;
}

/** Every libsodium group function throws on a malformed, non-canonical or identity element; give that our code. */
function onElements(compute: () => Uint8Array): Uint8Array {
  let result: Uint8Array;
  try {
    result = compute();
  } catch (cause) {
    throw cause instanceof HitError ? cause : new HitError('element-invalid', undefined, { cause });
  }
  return result;
}

function notIdentity(element: Uint8Array): Uint8Array {
  let bits = 0;
  for (let i = 0; i < element.length; i++) bits |= element[i] as number;
  if (bits === 0) throw new HitError('element-invalid');
  return element;
}

const implementation: Backend = {
  name: 'sodium',
  sha256: (message) => sodium.crypto_hash_sha256(message),
  sha512: (message) => sodium.crypto_hash_sha512(message),
  group: {
    multiply: (k, element) =>
      onElements(() => sodium.crypto_scalarmult_ristretto255(checkScalar(k), notIdentity(element))),
    multiplyBase: (k) => onElements(() => sodium.crypto_scalarmult_ristretto255_base(checkScalar(k))),
    add: (a, b) =>
      onElements(() => notIdentity(sodium.crypto_core_ristretto255_add(notIdentity(a), notIdentity(b)))),
    fromUniformBytes(bytes) {
      // libsodium would read on beyond the end.
      if (bytes.length !== 64) throw new HitError('element-invalid');
      return onElements(() => notIdentity(sodium.crypto_core_ristretto255_from_hash(bytes)));
    },
    reduceScalar(bytes) {
      if (bytes.length !== 64) throw new HitError('scalar-invalid');
      return sodium.crypto_core_ristretto255_scalar_reduce(bytes);
    },
    multiplyScalars: (a, b) => sodium.crypto_core_ristretto255_scalar_mul(checkScalar(a), checkScalar(b)),
    subtractScalars: (a, b) =>
      sodium.crypto_core_ristretto255_scalar_sub(checkScalar(a, true), checkScalar(b, true)),
    invertScalar: (a) => sodium.crypto_core_ristretto255_scalar_invert(checkScalar(a)),
  },
  aead: {
    seal(key, nonce, associated, plaintext, front) {
      const sealed = sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
        plaintext,
        associated,
        null,
        nonce,
        key,
      );
      return front === undefined ? sealed : concatBytes(front, sealed);
    },
    open(key, nonce, associated, ciphertext) {
      try {
        return sodium.crypto_aead_chacha20poly1305_ietf_decrypt(null, ciphertext, associated, nonce, key);
      } catch (cause) {
        throw new HitError('decryption-failed', undefined, { cause });
      }
    },
  },
  signatures: {
    publicKey: (seed) => sodium.crypto_sign_seed_keypair(seed).publicKey,
    sign: (seed, message) =>
      sodium.crypto_sign_detached(message, sodium.crypto_sign_seed_keypair(seed).privateKey),
    verify(publicKey, message, signature) {
      try {
        return sodium.crypto_sign_verify_detached(signature, message, publicKey);
      } catch {
        return false;
      }
    },
  },
};

/** The fast implementation, on libsodium. Resolves once the WebAssembly module is compiled. */
export async function loadSodium(): Promise<Backend> {
  await sodium.ready;
  return implementation;
}
