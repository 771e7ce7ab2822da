import { SCALAR_BYTES } from '../backend/backend.ts';
import { verifyProof } from '../oprf/dleq.ts';
import { blind, invertScalars } from '../oprf/oprf.ts';
import type { Suite } from '../oprf/suite.ts';
import type { Random } from '../bytes.ts';
import { concatBytes } from '../bytes.ts';
import { bucketHash } from '../pseudonym/pseudonym.ts';
import { splitElements } from './elements.ts';

/** What a node keeps of one token of one client: 16 bits of a hash and M = k_n·k_g·H(y). */
export interface Pseudonym {
  readonly bucketHash: number;
  readonly element: Uint8Array;
}

/** A batch on its way through the gateway; the blinds stay with the importer. */
export interface ImportBatch {
  /** Concatenated scalars. */
  readonly blinds: Uint8Array;
  /** Concatenated blinded elements: what the gateway gets to see. */
  readonly elements: Uint8Array;
}

/** Blinds encoded tokens for one evaluation request. */
export function blindBatch(suite: Suite, tokens: readonly Uint8Array[], random: Random): ImportBatch {
  const blinded = tokens.map((token) => blind(suite, token, random));
  return {
    blinds: concatBytes(...blinded.map(({ blind: scalar }) => scalar)),
    elements: concatBytes(...blinded.map(({ element }) => element)),
  };
}

/**
 * Turns the gateway's reply into pseudonyms, in the order of the tokens. The proof is checked first: an evaluation
 * under a wrong key would poison the register in silence. Throws `proof-invalid`.
 */
export function finishBatch(
  suite: Suite,
  gatewayKey: Uint8Array,
  nodeKey: Uint8Array,
  batch: ImportBatch,
  evaluated: Uint8Array,
  proof: Uint8Array,
): Pseudonym[] {
  const blinded = splitElements(batch.elements);
  const replies = splitElements(evaluated, blinded.length);
  verifyProof(suite, gatewayKey, blinded, replies, proof);
  const { group } = suite.backend;
  const blinds = blinded.map((_, i) => batch.blinds.subarray(i * SCALAR_BYTES, (i + 1) * SCALAR_BYTES));
  const inverses = invertScalars(group, blinds);
  return replies.map((reply, i) => {
    const gatewayElement = group.multiply(inverses[i] as Uint8Array, reply);
    return { bucketHash: bucketHash(gatewayElement), element: group.multiply(nodeKey, gatewayElement) };
  });
}
