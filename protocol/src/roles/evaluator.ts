import { prove } from '../oprf/dleq.ts';
import type { KeyPair, Suite } from '../oprf/suite.ts';
import type { Random } from '../bytes.ts';
import { elementDigest } from '../wire/ticket.ts';
import { mapElements, splitElements } from './elements.ts';

/** The gateway's half: k_g times every element. `elements` are concatenated; so is the result. */
export function evaluateElements(suite: Suite, key: Uint8Array, elements: Uint8Array): Uint8Array {
  return mapElements(elements, (element) => suite.backend.group.multiply(key, element));
}

/** One proof for a whole evaluation. */
export function proveEvaluation(
  suite: Suite,
  key: KeyPair,
  elements: Uint8Array,
  evaluated: Uint8Array,
  random: Random,
): Uint8Array {
  return prove(
    suite,
    key.secretKey,
    key.publicKey,
    splitElements(elements),
    splitElements(evaluated),
    random,
  );
}

/** Picks the elements of one token type out of a lookup's elements (which stand per person, then per type). */
export function columnOf(elements: Uint8Array, tokenTypes: readonly string[], tokenType: string): Uint8Array {
  const parts = splitElements(elements);
  const offset = tokenTypes.indexOf(tokenType);
  const column = parts.filter((_, i) => i % tokenTypes.length === offset);
  const result = new Uint8Array(column.length * 32);
  column.forEach((element, i) => result.set(element, i * 32));
  return result;
}

/** The digests that every ticket of a lookup carries. */
export function elementDigests(
  evaluated: Uint8Array,
  tokenTypes: readonly string[],
  evaluationKey?: Uint8Array,
): { readonly tokenType: string; readonly digest: Uint8Array }[] {
  return tokenTypes.map((tokenType) => ({
    tokenType,
    digest: elementDigest(tokenType, columnOf(evaluated, tokenTypes, tokenType), evaluationKey),
  }));
}
