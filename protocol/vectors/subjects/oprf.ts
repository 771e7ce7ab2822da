import { z } from 'zod';
import {
  blindWith,
  createSuite,
  deriveKeyPair,
  encodeToken,
  evaluate,
  finalize,
  noble,
  proveWith,
  unblind,
  utf8ToBytes,
  verifyProof,
} from '../../src/index.ts';
import { expand } from '../deterministic.ts';
import type { Case, NegativeCase, Subject } from '../format.ts';
import { hex, operation } from '../format.ts';

const batch = { publicKey: hex, elements: z.array(hex), evaluated: z.array(hex) };

const NOT_ELEMENTS: readonly (readonly [name: string, hex: string])[] = [
  ['the identity', '00'.repeat(32)],
  ['a field element that is not reduced', `ed${'ff'.repeat(30)}7f`],
  ['the top bit set', `e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2df6`],
  ['a negative field element', `01${'00'.repeat(31)}`],
  ['s = -1', `ec${'ff'.repeat(30)}7f`],
  ['31 bytes', 'e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d'],
  ['33 bytes', 'e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d7600'],
];

const NOT_SCALARS: readonly (readonly [name: string, hex: string])[] = [
  ['zero', '00'.repeat(32)],
  ['the order', `edd3f55c1a631258d69cf7a2def9de14${'00'.repeat(15)}10`],
  ['2^256 - 1', 'ff'.repeat(32)],
  ['31 bytes', '01'.repeat(31)],
];

/** The verifiable OPRF of RFC 9497, beyond the RFC's own vectors: our inputs, larger batches, refusals. */
export const oprf: Subject = {
  description:
    'RFC 9497 with ristretto255-SHA512 in mode VOPRF, whose context string is used everywhere, also where no proof is ' +
    'asked for. derive-key-pair, blind (with a given scalar), evaluate, unblind and finalize as in the RFC; prove ' +
    'takes the nonce r of GenerateProof; verify-proof gives true or fails.',
  operations: {
    'derive-key-pair': operation(z.strictObject({ seed: hex, info: hex }), (backend, { seed, info }) =>
      deriveKeyPair(createSuite('voprf', backend), seed, info),
    ),
    blind: operation(
      z.strictObject({ input: hex, scalar: hex }),
      (backend, { input, scalar }) => blindWith(createSuite('voprf', backend), input, scalar).element,
    ),
    evaluate: operation(z.strictObject({ key: hex, element: hex }), (backend, { key, element }) =>
      evaluate(createSuite('voprf', backend), key, element),
    ),
    unblind: operation(z.strictObject({ scalar: hex, evaluated: hex }), (backend, { scalar, evaluated }) =>
      unblind(createSuite('voprf', backend), scalar, evaluated),
    ),
    finalize: operation(
      z.strictObject({ input: hex, scalar: hex, evaluated: hex }),
      (backend, { input, scalar, evaluated }) =>
        finalize(createSuite('voprf', backend), input, scalar, evaluated),
    ),
    prove: operation(z.strictObject({ ...batch, key: hex, nonce: hex }), (backend, given) =>
      proveWith(
        createSuite('voprf', backend),
        given.key,
        given.publicKey,
        given.elements,
        given.evaluated,
        given.nonce,
      ),
    ),
    'verify-proof': operation(z.strictObject({ ...batch, proof: hex }), (backend, given) => {
      verifyProof(
        createSuite('voprf', backend),
        given.publicKey,
        given.elements,
        given.evaluated,
        given.proof,
      );
      return true;
    }),
  },
  async cases() {
    const suite = createSuite('voprf', noble);
    const random = expand('oprf');
    const scalar = (): Uint8Array => noble.group.reduceScalar(random(64));
    const seed = random(32);
    const info = utf8ToBytes('gateway evaluation key');
    const { secretKey: key, publicKey } = deriveKeyPair(suite, seed, info);
    const inputs = ['123456782', '111222333', '999999990'].map((bsn) => encodeToken('person', 'bsn', [bsn]));
    const blinds = inputs.map(scalar);
    const elements = inputs.map((input, i) => blindWith(suite, input, blinds[i] as Uint8Array).element);
    const evaluated = elements.map((element) => evaluate(suite, key, element));
    const nonce = scalar();
    const proof = proveWith(suite, key, publicKey, elements, evaluated, nonce);
    const [input, blind, element, reply] = [inputs, blinds, elements, evaluated].map(([first]) => first);
    const vectors: Case[] = [
      { name: 'key from a seed', operation: 'derive-key-pair', input: { seed, info } },
      { name: 'key from a seed, no info', operation: 'derive-key-pair', input: { seed, info: '' } },
      ...inputs.map((given, i): Case => ({
        name: `citizen service number ${i + 1}`,
        operation: 'blind',
        input: { input: given, scalar: blinds[i] },
      })),
      { name: 'one element', operation: 'evaluate', input: { key, element } },
      { name: 'one element', operation: 'unblind', input: { scalar: blind, evaluated: reply } },
      { name: 'an RFC output', operation: 'finalize', input: { input, scalar: blind, evaluated: reply } },
      { name: 'a batch of three', operation: 'prove', input: { key, publicKey, elements, evaluated, nonce } },
      {
        name: 'a batch of three',
        operation: 'verify-proof',
        input: { publicKey, elements, evaluated, proof },
      },
    ];
    const negative: NegativeCase[] = [
      ...NOT_ELEMENTS.map(([name, bad]): NegativeCase => ({
        name: `an element that is no element: ${name}`,
        operation: 'evaluate',
        input: { key, element: bad },
        error: 'element-invalid',
      })),
      ...NOT_SCALARS.map(([name, bad]): NegativeCase => ({
        name: `a scalar that is none: ${name}`,
        operation: 'evaluate',
        input: { key: bad, element },
        error: 'scalar-invalid',
      })),
      ...(
        [
          ['a changed byte', { proof: proof.map((byte, i) => (i === 40 ? byte ^ 1 : byte)) }],
          ['another key', { publicKey: noble.group.multiplyBase(nonce) }],
          ['the replies in another order', { evaluated: [...evaluated].reverse() }],
          ['a reply too few', { evaluated: evaluated.slice(1) }],
          ['nothing proved', { elements: [], evaluated: [] }],
          ['a proof cut off', { proof: proof.slice(0, 63) }],
          ['c and s not below the order', { proof: 'ff'.repeat(64) }],
          ['a reply that is the identity', { evaluated: ['00'.repeat(32), ...evaluated.slice(1)] }],
        ] as const
      ).map(([name, change]): NegativeCase => ({
        name: `a proof that proves nothing: ${name}`,
        operation: 'verify-proof',
        input: { publicKey, elements, evaluated, proof, ...change },
        error: 'proof-invalid',
      })),
    ];
    return { vectors, negative };
  },
};
