import { ristretto255_oprf } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  PROOF_BYTES,
  blindWith,
  createSuite,
  deriveKeyPair,
  evaluate,
  finalize,
  prove,
  verifyProof,
} from '@hitmachine/protocol';
import { BACKENDS, expectCode, scalarOf, seeded, sodium } from './support.ts';

const theirs = ristretto255_oprf.voprf;

/** A batch of blinded elements with their evaluations, computed with our own code. */
function batchOf(size: number, label: string) {
  const suite = createSuite('voprf', sodium);
  const keys = deriveKeyPair(suite, seeded(label)(32), seeded('info')(8));
  const inputs = Array.from({ length: size }, (_, i) => seeded(`${label} ${i}`)(20));
  const blinds = inputs.map((_, i) => scalarOf(`${label} ${i}`));
  const elements = inputs.map((input, i) => blindWith(suite, input, blinds[i] as Uint8Array).element);
  return {
    keys,
    inputs,
    blinds,
    elements,
    evaluated: elements.map((e) => evaluate(suite, keys.secretKey, e)),
  };
}

describe.each(BACKENDS)('proofs on $name against @noble/curves', (backend) => {
  const suite = createSuite('voprf', backend);

  test('both derive the same key', () => {
    const [seed, info] = [seeded('seed')(32), seeded('info')(9)];
    expect(deriveKeyPair(suite, seed, info)).toEqual(theirs.deriveKeyPair(seed, info));
  });

  test.each([1, 2, 5])('we accept theirs, a batch of %i', (size) => {
    const { keys, elements } = batchOf(size, `theirs ${size}`);
    const { evaluated, proof } = theirs.blindEvaluateBatch(keys.secretKey, keys.publicKey, elements);
    verifyProof(suite, keys.publicKey, elements, evaluated, proof);
    expectCode(
      () =>
        verifyProof(
          suite,
          keys.publicKey,
          elements,
          [...evaluated].reverse(),
          proof.map((b) => b ^ 1),
        ),
      'proof-invalid',
    );
  });

  test.each([1, 2, 5])('they accept ours, a batch of %i', (size) => {
    const { keys, inputs, blinds, elements, evaluated } = batchOf(size, `ours ${size}`);
    const proof = prove(suite, keys.secretKey, keys.publicKey, elements, evaluated, seeded('nonce'));
    const items = inputs.map((input, i) => ({
      input,
      blind: blinds[i] as Uint8Array,
      blinded: elements[i] as Uint8Array,
      evaluated: evaluated[i] as Uint8Array,
    }));
    const outputs = theirs.finalizeBatch(items, keys.publicKey, proof);
    expect(outputs).toEqual(items.map((item) => finalize(suite, item.input, item.blind, item.evaluated)));
    const changed = proof.map((byte, i) => (i === 3 ? byte ^ 4 : byte));
    expect(() => theirs.finalizeBatch(items, keys.publicKey, changed)).toThrow();
  });

  test('a changed byte of the proof, whichever', () => {
    const { keys, elements, evaluated } = batchOf(2, 'changed');
    const proof = prove(suite, keys.secretKey, keys.publicKey, elements, evaluated, seeded('changed nonce'));
    fc.assert(
      fc.property(fc.nat(PROOF_BYTES - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = proof.map((byte, i) => (i === at ? byte ^ change : byte));
        expectCode(() => verifyProof(suite, keys.publicKey, elements, evaluated, changed), 'proof-invalid');
      }),
      { numRuns: 15 },
    );
  });

  test('a key of its own for one element of the batch', () => {
    const { keys, elements, evaluated } = batchOf(3, 'mixed');
    const other = evaluate(suite, scalarOf('another key'), elements[1] as Uint8Array);
    const wrong = evaluated.map((element, i) => (i === 1 ? other : element));
    const proof = prove(suite, keys.secretKey, keys.publicKey, elements, wrong, seeded('mixed nonce'));
    expectCode(() => verifyProof(suite, keys.publicKey, elements, wrong, proof), 'proof-invalid');
  });
});
