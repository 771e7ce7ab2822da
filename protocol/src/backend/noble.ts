import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { ed25519, ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, constantTimeEqual } from '../bytes.ts';
import { HitError } from '../errors.ts';
import type { Backend } from './backend.ts';
import { AEAD_TAG_BYTES } from './backend.ts';

const { Point } = ristretto255;
const { Fn } = Point;

function point(bytes: Uint8Array): InstanceType<typeof Point> {
  let decoded;
  try {
    decoded = Point.fromBytes(bytes);
  } catch (cause) {
    throw new HitError('element-invalid', undefined, { cause });
  }
  if (decoded.is0()) throw new HitError('element-invalid');
  return decoded;
}

function bytesOf(element: InstanceType<typeof Point>): Uint8Array {
  if (element.is0()) throw new HitError('element-invalid');
  return element.toBytes();
}

function anyScalar(bytes: Uint8Array): bigint {
  try {
    return Fn.fromBytes(bytes);
  } catch (cause) {
    throw new HitError('scalar-invalid', undefined, { cause });
  }
}

function scalar(bytes: Uint8Array): bigint {
  const value = anyScalar(bytes);
  if (value === 0n) throw new HitError('scalar-invalid');
  return value;
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/**
 * sB − kA = R without the cofactor, and R not of small order: what libsodium demands and @noble/curves does not, so
 * that both implementations agree also on signatures that somebody made up from points of small order.
 */
function fulfilsStrictEquation(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const { Point: Edwards } = ed25519;
  const commitment = signature.subarray(0, 32);
  if (Edwards.fromBytes(commitment).isSmallOrder()) return false;
  const k = Edwards.Fn.create(littleEndian(sha512(concatBytes(commitment, publicKey, message))));
  const s = Edwards.Fn.fromBytes(signature.subarray(32));
  const expected = Edwards.BASE.multiplyUnsafe(s).subtract(Edwards.fromBytes(publicKey).multiplyUnsafe(k));
  return constantTimeEqual(expected.toBytes(), commitment);
}

/** The reference implementation, on @noble/curves and @noble/ciphers. Available at once, everywhere. */
export const noble: Backend = {
  name: 'noble',
  sha256: (message) => sha256(message),
  sha512: (message) => sha512(message),
  group: {
    multiply: (k, element) => bytesOf(point(element).multiply(scalar(k))),
    multiplyBase: (k) => bytesOf(Point.BASE.multiply(scalar(k))),
    add: (a, b) => bytesOf(point(a).add(point(b))),
    fromUniformBytes(bytes) {
      if (bytes.length !== 64) throw new HitError('element-invalid');
      return bytesOf(ristretto255_hasher.deriveToCurve!(bytes));
    },
    reduceScalar(bytes) {
      if (bytes.length !== 64) throw new HitError('scalar-invalid');
      return Fn.toBytes(Fn.create(littleEndian(bytes)));
    },
    multiplyScalars: (a, b) => Fn.toBytes(Fn.mul(scalar(a), scalar(b))),
    subtractScalars: (a, b) => Fn.toBytes(Fn.sub(anyScalar(a), anyScalar(b))),
    invertScalar: (a) => Fn.toBytes(Fn.inv(scalar(a))),
  },
  aead: {
    seal(key, nonce, associated, plaintext, front = new Uint8Array(0)) {
      const sealed = new Uint8Array(front.length + plaintext.length + AEAD_TAG_BYTES);
      sealed.set(front);
      chacha20poly1305(key, nonce, associated).encrypt(plaintext, sealed.subarray(front.length));
      return sealed;
    },
    open(key, nonce, associated, ciphertext) {
      try {
        return chacha20poly1305(key, nonce, associated).decrypt(ciphertext);
      } catch (cause) {
        throw new HitError('decryption-failed', undefined, { cause });
      }
    },
  },
  signatures: {
    publicKey: (seed) => ed25519.getPublicKey(seed),
    sign: (seed, message) => ed25519.sign(message, seed),
    verify(publicKey, message, signature) {
      try {
        return (
          ed25519.verify(signature, message, publicKey, { zip215: false }) &&
          fulfilsStrictEquation(publicKey, message, signature)
        );
      } catch {
        return false;
      }
    },
  },
};
