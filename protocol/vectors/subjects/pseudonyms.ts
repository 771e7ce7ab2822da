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
    't_e and the answer key k_n*t_e of a node. tag: what stands for the element t_e*M in a table of a scope.',
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
      z.strictObject({ nodeKey: hex, epoch: z.number() }),
      (backend, { nodeKey, epoch }) => {
        const suite = createSuite('voprf', backend);
        return {
          epochFactor: epochFactor(suite, nodeKey, epoch),
          answerKey: answerKey(suite, nodeKey, epoch),
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
    const vectors = tokens.flatMap((token, i): Case[] => {
      const gatewayElement = noble.group.multiply(gatewayKey, hashToGroup(suite, token));
      const [today, tomorrow] = [1, 2].map((epoch) =>
        noble.group.multiply(answerKey(suite, nodeKey, epoch), gatewayElement),
      );
      const name = `citizen service number ${i + 1}`;
      return [
        { name, operation: 'import-token', input: { gatewayElement, nodeKey } },
        { name: `${name}, epoch 1`, operation: 'tag', input: { scope, element: today } },
        {
          name: `${name}, epoch 2`,
          operation: 'tag',
          input: { scope: { ...scope, epoch: 2 }, element: tomorrow },
        },
        {
          name: `${name}, another register`,
          operation: 'tag',
          input: { scope: { ...scope, register: 'schuldhulp' }, element: today },
        },
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
        ...[1, 2, 20_000, 2 ** 53 - 1].map((epoch): Case => ({
          name: `epoch ${epoch}`,
          operation: 'epoch-keys',
          input: { nodeKey, epoch },
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
          input: { nodeKey, epoch: -1 },
          error: 'field-invalid',
        },
      ],
    };
  },
};
