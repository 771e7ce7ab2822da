import { sha512 } from '@noble/hashes/sha2.js';
import type { Random } from '../bytes.ts';
import { concatBytes, utf8ToBytes } from '../bytes.ts';
import type { Suite } from './suite.ts';
import { hashToGroup, lengthPrefixed, randomScalar } from './suite.ts';

/** A blinded input: what may leave the asker, and the scalar that must not. */
export interface Blinded {
  readonly blind: Uint8Array;
  readonly element: Uint8Array;
}

/**
 * Blind (RFC 9497 section 3.3.1): r·H(input). With a uniform r the element is uniform too, so it tells nothing
 * about the input, not even to an unbounded reader.
 */
export function blind(suite: Suite, input: Uint8Array, random: Random): Blinded {
  return blindWith(suite, input, randomScalar(suite, random));
}

/** {@link blind} with a given scalar; for known-answer tests. */
export function blindWith(suite: Suite, input: Uint8Array, scalar: Uint8Array): Blinded {
  return { blind: scalar, element: suite.backend.group.multiply(scalar, hashToGroup(suite, input)) };
}

/** BlindEvaluate without its proof (RFC 9497 section 3.3.1): key·element. */
export function evaluate(suite: Suite, key: Uint8Array, element: Uint8Array): Uint8Array {
  return suite.backend.group.multiply(key, element);
}

/** Removes the blind: key·H(input) from key·r·H(input). */
export function unblind(suite: Suite, scalar: Uint8Array, evaluated: Uint8Array): Uint8Array {
  const { group } = suite.backend;
  return group.multiply(group.invertScalar(scalar), evaluated);
}

/** Finalize (RFC 9497 section 3.3.1), used where an RFC output is wanted; matching goes on with the element itself. */
export function finalize(
  suite: Suite,
  input: Uint8Array,
  scalar: Uint8Array,
  evaluated: Uint8Array,
): Uint8Array {
  const unblinded = unblind(suite, scalar, evaluated);
  return sha512(concatBytes(lengthPrefixed(input, unblinded), utf8ToBytes('Finalize')));
}
