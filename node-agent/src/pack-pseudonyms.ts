import type { Pseudonym } from '@hitmachine/protocol';
import { ELEMENT_BYTES, maskBucketHash } from '@hitmachine/protocol/arithmetic';

/** What pseudonyms are made with. */
export interface MakerKeys {
  /** The gateway's evaluation key, which its proofs are held against. */
  readonly gatewayKey: Uint8Array;
  /** k_n */
  readonly nodeKey: Uint8Array;
  readonly maskKey: Uint8Array;
}

/** Pseudonyms one after another as a page of the store has them, their bucket hashes under the mask. */
export function packPseudonyms(
  pseudonyms: readonly Pseudonym[],
  maskKey: Uint8Array,
): { readonly elements: Uint8Array; readonly maskedHashes: Uint16Array } {
  const elements = new Uint8Array(pseudonyms.length * ELEMENT_BYTES);
  const maskedHashes = new Uint16Array(pseudonyms.length);
  pseudonyms.forEach(({ element, bucketHash }, i) => {
    elements.set(element, i * ELEMENT_BYTES);
    maskedHashes[i] = maskBucketHash(maskKey, element, bucketHash);
  });
  return { elements, maskedHashes };
}
