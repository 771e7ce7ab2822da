import type { KeyPair, Secret } from '@hitmachine/protocol';

/** One k_g, and its public half (base64url) by which it is known. */
export interface EvaluationPair {
  readonly key: string;
  readonly pair: Secret<KeyPair>;
}

/**
 * Multiplies by one of the gateway's keys. `elements` are 32-byte encodings, one after another; so is the result, in the
 * same order.
 *
 * Rejects with `element-invalid`, naming the element as `elements[i]`, for one that is malformed, not canonical or
 * the identity; nothing is returned then. Deadline: none of its own, but it must not keep the event loop busy for
 * longer than a lookup of the largest household takes.
 */
export interface Evaluator {
  /**
   * With a proof (RFC 9497 section 2.2.1) that the key was used, when asked for. `key`: its public half, base64url; rejects
   * with `not-ready` for one that this process does not have.
   */
  evaluate(
    elements: Uint8Array,
    options: { readonly proof: boolean; readonly key: string },
  ): Promise<{ readonly evaluated: Uint8Array; readonly proof: Uint8Array | undefined }>;
}
