import { sha512 } from '@noble/hashes/sha2.js';
import type { Group } from '../backend/backend.ts';
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

/** 1/a for each of some scalars, with one inversion and three products each (Montgomery's trick). */
export function invertScalars(group: Group, scalars: readonly Uint8Array[]): Uint8Array[] {
  const products: Uint8Array[] = [];
  for (const scalar of scalars)
    products.push(
      products.length === 0 ? scalar : group.multiplyScalars(products.at(-1) as Uint8Array, scalar),
    );
  const last = products.at(-1);
  if (last === undefined) return [];
  const inverses = new Array<Uint8Array>(scalars.length);
  let rest = group.invertScalar(last);
  for (let i = scalars.length - 1; i > 0; i--) {
    inverses[i] = group.multiplyScalars(rest, products[i - 1] as Uint8Array);
    rest = group.multiplyScalars(rest, scalars[i] as Uint8Array);
  }
  inverses[0] = rest;
  return inverses;
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
