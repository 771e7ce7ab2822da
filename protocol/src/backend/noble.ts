import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { ed25519, ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js';
import { HitError } from '../errors.ts';
import type { Backend } from './backend.ts';

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

/** The reference implementation, on @noble/curves and @noble/ciphers. Available at once, everywhere. */
export const noble: Backend = {
  name: 'noble',
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
      let value = 0n;
      for (let i = 63; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] as number);
      return Fn.toBytes(Fn.create(value));
    },
    multiplyScalars: (a, b) => Fn.toBytes(Fn.mul(scalar(a), scalar(b))),
    subtractScalars: (a, b) => Fn.toBytes(Fn.sub(anyScalar(a), anyScalar(b))),
    invertScalar: (a) => Fn.toBytes(Fn.inv(scalar(a))),
  },
  aead: {
    seal: (key, nonce, associated, plaintext) => chacha20poly1305(key, nonce, associated).encrypt(plaintext),
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
        // Strict RFC 8032 rules, so that both implementations agree on every signature.
        return ed25519.verify(signature, message, publicKey, { zip215: false });
      } catch {
        return false;
      }
    },
  },
};
