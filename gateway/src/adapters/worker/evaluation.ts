import type { KeyPair, Suite } from '@hitmachine/protocol';
import { HitError, evaluate, proveEvaluation, splitElements } from '@hitmachine/protocol';
import type { Random } from '@hitmachine/protocol';

export interface EvaluationResult {
  readonly evaluated: Uint8Array;
  readonly proof: Uint8Array | undefined;
}

/** k_g times every element, with a proof when asked for. Throws `element-invalid`, naming the element. */
export function evaluateAll(
  suite: Suite,
  key: KeyPair,
  elements: Uint8Array,
  options: { readonly proof: boolean; readonly random: Random },
): EvaluationResult {
  const evaluated = new Uint8Array(elements.length);
  splitElements(elements).forEach((element, i) => {
    try {
      evaluated.set(evaluate(suite, key.secretKey, element), i * element.length);
    } catch (cause) {
      if (!(cause instanceof HitError) || cause.code !== 'element-invalid') throw cause;
      const field = `elements[${i}]`;
      const detail = 'malformed, not canonical, or the identity';
      throw new HitError('element-invalid', `${field}: ${detail}`, { fields: [{ field, detail }], cause });
    }
  });
  const proof = options.proof ? proveEvaluation(suite, key, elements, evaluated, options.random) : undefined;
  return { evaluated, proof };
}
