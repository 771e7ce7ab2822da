import { describe, expect, test } from 'vitest';
import type { Mode } from '@hitmachine/protocol';
import {
  blindWith,
  bytesToHex,
  createSuite,
  deriveKeyPair,
  evaluate,
  finalize,
  hexToBytes,
  proveWith,
  verifyProof,
} from '@hitmachine/protocol';
import rfc from './rfc9497.json' with { type: 'json' };
import { BACKENDS } from './support.ts';

/** Some vectors have a proof and some do not; JSON alone does not say that they are of one kind. */
interface Vector {
  readonly inputs: readonly string[];
  readonly blinds: readonly string[];
  readonly blindedElements: readonly string[];
  readonly evaluatedElements: readonly string[];
  readonly outputs: readonly string[];
  readonly proof?: string;
  readonly proofNonce?: string;
}

test('the data holds both modes, and a batch', () => {
  expect(rfc.suites.map(({ mode, vectors }) => [mode, vectors.length])).toEqual([
    ['oprf', 2],
    ['voprf', 3],
  ]);
  expect(rfc.suites.flatMap(({ vectors }) => vectors.map(({ inputs }) => inputs.length))).toContain(2);
});

describe.each(BACKENDS)('RFC 9497 Appendix A.1 on $name', (backend) => {
  describe.each(rfc.suites)('$mode', ({ mode, seed, keyInfo, secretKey, publicKey, vectors }) => {
    const suite = createSuite(mode as Mode, backend);
    const key = hexToBytes(secretKey);

    test('key derivation', () => {
      const pair = deriveKeyPair(suite, hexToBytes(seed), hexToBytes(keyInfo));
      expect(bytesToHex(pair.secretKey)).toBe(secretKey);
      if (publicKey !== undefined) expect(bytesToHex(pair.publicKey)).toBe(publicKey);
    });

    test.each(vectors as readonly Vector[])('vector %#', (vector) => {
      const inputs = vector.inputs.map(hexToBytes);
      const blinds = vector.blinds.map(hexToBytes);
      const blinded = inputs.map((input, i) => blindWith(suite, input, blinds[i] as Uint8Array).element);
      expect(blinded.map(bytesToHex)).toEqual(vector.blindedElements);
      const evaluated = blinded.map((element) => evaluate(suite, key, element));
      expect(evaluated.map(bytesToHex)).toEqual(vector.evaluatedElements);
      const outputs = inputs.map((input, i) =>
        finalize(suite, input, blinds[i] as Uint8Array, evaluated[i] as Uint8Array),
      );
      expect(outputs.map(bytesToHex)).toEqual(vector.outputs);
      if (mode === 'oprf') return;
      const proofKey = hexToBytes(publicKey as string);
      const nonce = hexToBytes(vector.proofNonce as string);
      const proof = proveWith(suite, key, proofKey, blinded, evaluated, nonce);
      expect(bytesToHex(proof)).toBe(vector.proof);
      verifyProof(suite, proofKey, blinded, evaluated, proof);
    });
  });
});
