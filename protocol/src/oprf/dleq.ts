import { SCALAR_BYTES } from '../backend/backend.ts';
import type { Random } from '../bytes.ts';
import { concatBytes, constantTimeEqual, uintToBytes, utf8ToBytes } from '../bytes.ts';
import { HitError } from '../errors.ts';
import type { Suite } from './suite.ts';
import { hashToScalar, lengthPrefixed, randomScalar } from './suite.ts';

/** Bytes of a proof: the scalars c and s. */
export const PROOF_BYTES = 2 * SCALAR_BYTES;

/**
 * GenerateProof (RFC 9497 section 2.2.1): shows in 64 bytes that every `evaluated[i]` is `key·elements[i]` for
 * the key behind `publicKey`, whatever the number of elements. Not constant-size in work: one multiplication an
 * element, plus three.
 */
export function prove(
  suite: Suite,
  key: Uint8Array,
  publicKey: Uint8Array,
  elements: readonly Uint8Array[],
  evaluated: readonly Uint8Array[],
  random: Random,
): Uint8Array {
  return proveWith(suite, key, publicKey, elements, evaluated, randomScalar(suite, random));
}

/** {@link prove} with a given nonce; for known-answer tests. A nonce used twice gives the key away. */
export function proveWith(
  suite: Suite,
  key: Uint8Array,
  publicKey: Uint8Array,
  elements: readonly Uint8Array[],
  evaluated: readonly Uint8Array[],
  nonce: Uint8Array,
): Uint8Array {
  const { group } = suite.backend;
  const m = combine(suite, weights(suite, publicKey, elements, evaluated), elements);
  const z = group.multiply(key, m);
  const c = challenge(suite, publicKey, m, z, group.multiplyBase(nonce), group.multiply(nonce, m));
  return concatBytes(c, group.subtractScalars(nonce, group.multiplyScalars(c, key)));
}

/** VerifyProof (RFC 9497 section 2.2.2). Throws `proof-invalid`, also for a proof that is not well-formed. */
export function verifyProof(
  suite: Suite,
  publicKey: Uint8Array,
  elements: readonly Uint8Array[],
  evaluated: readonly Uint8Array[],
  proof: Uint8Array,
): void {
  if (proof.length !== PROOF_BYTES || elements.length !== evaluated.length || elements.length === 0)
    throw new HitError('proof-invalid');
  const c = proof.subarray(0, SCALAR_BYTES);
  const s = proof.subarray(SCALAR_BYTES);
  const { group } = suite.backend;
  let expected: Uint8Array;
  try {
    const d = weights(suite, publicKey, elements, evaluated);
    const m = combine(suite, d, elements);
    const z = combine(suite, d, evaluated);
    const t2 = group.add(group.multiplyBase(s), group.multiply(c, publicKey));
    const t3 = group.add(group.multiply(s, m), group.multiply(c, z));
    expected = challenge(suite, publicKey, m, z, t2, t3);
  } catch (cause) {
    throw new HitError('proof-invalid', undefined, { cause });
  }
  if (!constantTimeEqual(expected, c)) throw new HitError('proof-invalid');
}

/** The weights d_i of ComputeComposites: they bind the proof to each single pair. */
function weights(
  suite: Suite,
  publicKey: Uint8Array,
  elements: readonly Uint8Array[],
  evaluated: readonly Uint8Array[],
): Uint8Array[] {
  const seedDst = concatBytes(utf8ToBytes('Seed-'), suite.context);
  const seed = suite.backend.sha512(lengthPrefixed(publicKey, seedDst));
  return elements.map((element, i) =>
    hashToScalar(
      suite,
      concatBytes(
        lengthPrefixed(seed),
        uintToBytes(i, 2),
        lengthPrefixed(element, evaluated[i] as Uint8Array),
        utf8ToBytes('Composite'),
      ),
    ),
  );
}

function combine(suite: Suite, factors: readonly Uint8Array[], elements: readonly Uint8Array[]): Uint8Array {
  const { group } = suite.backend;
  return elements
    .map((element, i) => group.multiply(factors[i] as Uint8Array, element))
    .reduce((sum, term) => group.add(sum, term));
}

function challenge(suite: Suite, ...parts: Uint8Array[]): Uint8Array {
  return hashToScalar(suite, concatBytes(lengthPrefixed(...parts), utf8ToBytes('Challenge')));
}
