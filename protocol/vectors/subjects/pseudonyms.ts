import { z } from 'zod';
import {
  answerKey,
  bucketHash,
  bucketMaskKey,
  bucketNumber,
  createSuite,
  deriveKeyPair,
  encodeToken,
  epochFactor,
  hashToGroup,
  maskBucketHash,
  noble,
  tagOf,
  tagPrefix,
  utf8ToBytes,
} from '../../src/index.ts';
import { expand } from '../deterministic.ts';
import type { Case, Subject } from '../format.ts';
import { hex, operation } from '../format.ts';

const scopeSchema = z.strictObject({
  agency: z.string(),
  register: z.string(),
  tokenType: z.string(),
  epoch: z.number(),
});

/** From the gateway's half of a pseudonym to the tag in a table. */
export const pseudonyms: Subject = {
  description:
    'Pseudonyms. import-token: what a node keeps of E = k_g*H(token): the bucket hash, M = k_n*E, the key that masks ' +
    'bucket hashes, and the masked bucket hash that it stores. bucket-number: a prefix of a bucket hash. epoch-keys: ' +
    't_e and the answer key k_n*t_e of one table of a node. tag: what stands for the element t_e*M in a table of a scope.',
  operations: {
    'import-token': operation(z.strictObject({ gatewayElement: hex, nodeKey: hex }), (backend, given) => {
      const element = backend.group.multiply(given.nodeKey, given.gatewayElement);
      const maskKey = bucketMaskKey(given.nodeKey);
      const hash = bucketHash(given.gatewayElement);
      return {
        bucketHash: hash,
        element,
        maskKey,
        storedBucketHash: maskBucketHash(maskKey, element, hash),
      };
    }),
    'bucket-number': operation(
      z.strictObject({ bucketHash: z.number(), bits: z.number() }),
      (_, { bucketHash: hash, bits }) => bucketNumber(hash, bits),
    ),
    'epoch-keys': operation(
      z.strictObject({ nodeKey: hex, scope: scopeSchema }),
      (backend, { nodeKey, scope }) => {
        const suite = createSuite('voprf', backend);
        return {
          epochFactor: epochFactor(suite, nodeKey, scope),
          answerKey: answerKey(suite, nodeKey, scope),
        };
      },
    ),
    tag: operation(z.strictObject({ scope: scopeSchema, element: hex }), (_, { scope, element }) => {
      const prefix = tagPrefix(scope);
      return { prefix, tag: tagOf(prefix, element) };
    }),
  },
  async cases() {
    const suite = createSuite('voprf', noble);
    const random = expand('pseudonyms');
    const { secretKey: gatewayKey } = deriveKeyPair(suite, random(32), utf8ToBytes('gateway'));
    const { secretKey: nodeKey } = deriveKeyPair(suite, random(32), utf8ToBytes('node'));
    const scope = { agency: 'gemeente', register: 'leerplicht', tokenType: 'bsn', epoch: 1 };
    const tokens = ['123456782', '111222333'].map((bsn) => encodeToken('person', 'bsn', [bsn]));
    const scopes: readonly (readonly [name: string, scope: z.output<typeof scopeSchema>])[] = [
      ['epoch 1', scope],
      ['epoch 2', { ...scope, epoch: 2 }],
      ['another register', { ...scope, register: 'schuldhulp' }],
      ['another token type', { ...scope, tokenType: 'name+birthdate' }],
      ['another agency', { ...scope, agency: 'politie' }],
      ['the last epoch', { ...scope, epoch: 2 ** 53 - 1 }],
    ];
    const vectors = tokens.flatMap((token, i): Case[] => {
      const gatewayElement = noble.group.multiply(gatewayKey, hashToGroup(suite, token));
      const name = `citizen service number ${i + 1}`;
      return [
        { name, operation: 'import-token', input: { gatewayElement, nodeKey } },
        ...scopes.map(([where, given]): Case => ({
          name: `${name}, ${where}`,
          operation: 'tag',
          input: {
            scope: given,
            element: noble.group.multiply(answerKey(suite, nodeKey, given), gatewayElement),
          },
        })),
      ];
    });
    return {
      vectors: [
        ...vectors,
        ...[0, 1, 5, 10, 16].map((bits): Case => ({
          name: `${bits} bits`,
          operation: 'bucket-number',
          input: { bucketHash: 0xabcd, bits },
        })),
        ...scopes.map(([name, given]): Case => ({
          name,
          operation: 'epoch-keys',
          input: { nodeKey, scope: given },
        })),
      ],
      negative: [
        {
          name: 'the identity as element',
          operation: 'import-token',
          input: { gatewayElement: '00'.repeat(32), nodeKey },
          error: 'element-invalid',
        },
        {
          name: 'zero as key',
          operation: 'import-token',
          input: { gatewayElement: noble.group.multiplyBase(nodeKey), nodeKey: '00'.repeat(32) },
          error: 'scalar-invalid',
        },
        {
          name: 'an epoch below zero',
          operation: 'epoch-keys',
          input: { nodeKey, scope: { ...scope, epoch: -1 } },
          error: 'field-invalid',
        },
      ],
    };
  },
};
