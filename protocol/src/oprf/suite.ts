import { expand_message_xmd } from '@noble/curves/abstract/hash-to-curve.js';
import type { Backend } from '../backend/backend.ts';
import { concatBytes, uintToBytes, utf8ToBytes } from '../bytes.ts';
import { HitError } from '../errors.ts';

/** The modes of RFC 9497 that we use: plain, and verifiable (with a proof). */
export type Mode = 'oprf' | 'voprf';

/** A backend with the domain separation of one mode of ristretto255-SHA512 (RFC 9497 section 4.1). */
export interface Suite {
  readonly mode: Mode;
  readonly backend: Backend;
  /** `contextString`: RFC 9497 section 3.1. */
  readonly context: Uint8Array;
}

export function createSuite(mode: Mode, backend: Backend): Suite {
  const context = concatBytes(
    utf8ToBytes('OPRFV1-'),
    uintToBytes(mode === 'oprf' ? 0 : 1, 1),
    utf8ToBytes('-ristretto255-SHA512'),
  );
  return { mode, backend, context };
}

/** SHA-512 by the backend, in the form in which expand_message_xmd takes a hash. */
const hashOf = ({ backend }: Suite): CHash =>
  Object.assign((message: Uint8Array) => backend.sha512(message), { outputLen: 64, blockLen: 128 }) as CHash;
type CHash = Parameters<typeof expand_message_xmd>[3];

/** HashToGroup (RFC 9497 section 4.1): expand_message_xmd with SHA-512 to 64 bytes, then the ristretto255 map. */
export function hashToGroup(suite: Suite, input: Uint8Array): Uint8Array {
  const dst = concatBytes(utf8ToBytes('HashToGroup-'), suite.context);
  return suite.backend.group.fromUniformBytes(expand_message_xmd(input, dst, 64, hashOf(suite)));
}

/** HashToScalar (RFC 9497 section 4.1). `label` replaces "HashToScalar-" where the RFC does (DeriveKeyPair). */
export function hashToScalar(suite: Suite, input: Uint8Array, label = 'HashToScalar-'): Uint8Array {
  const dst = concatBytes(utf8ToBytes(label), suite.context);
  return suite.backend.group.reduceScalar(expand_message_xmd(input, dst, 64, hashOf(suite)));
}

/** Joins parts, each with its two-byte length in front: the transcripts of RFC 9497. */
export function lengthPrefixed(...parts: Uint8Array[]): Uint8Array {
  return concatBytes(...parts.flatMap((part) => [uintToBytes(part.length, 2), part]));
}

const isZero = (scalar: Uint8Array): boolean => scalar.every((byte) => byte === 0);

export interface KeyPair {
  readonly secretKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** DeriveKeyPair (RFC 9497 section 3.2.1): from a 32-byte seed and public `info`. */
export function deriveKeyPair(suite: Suite, seed: Uint8Array, info: Uint8Array): KeyPair {
  if (seed.length !== 32) throw new HitError('field-invalid', 'a key seed has 32 bytes');
  const input = concatBytes(seed, lengthPrefixed(info));
  for (let counter = 0; counter <= 255; counter++) {
    const secretKey = hashToScalar(suite, concatBytes(input, uintToBytes(counter, 1)), 'DeriveKeyPair');
    if (!isZero(secretKey)) return { secretKey, publicKey: suite.backend.group.multiplyBase(secretKey) };
  }
  throw new HitError('internal', 'no key could be derived from the seed');
}

/** A uniform scalar that is not zero (RFC 9497 section 2.1 RandomScalar), by reduction of 64 random bytes. */
export function randomScalar(suite: Suite, random: (length: number) => Uint8Array): Uint8Array {
  for (;;) {
    const scalar = suite.backend.group.reduceScalar(random(64));
    if (!isZero(scalar)) return scalar;
  }
}
