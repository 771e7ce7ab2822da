import { z } from 'zod';
import { checkRequest, noble, signRequest, utf8ToBytes } from '../../src/index.ts';
import { expand, handOut } from '../deterministic.ts';
import type { NegativeCase, Subject } from '../format.ts';
import { hex, operation } from '../format.ts';

const request = { method: z.string(), path: z.string(), body: hex, now: z.number() };
const headersSchema = z.strictObject({
  'content-digest': z.string().optional(),
  'signature-input': z.string().optional(),
  signature: z.string().optional(),
});

/** Signed requests, in our one profile of RFC 9421. */
export const httpSignature: Subject = {
  description:
    'Signed requests. sign-request: `nonce` are the 16 random bytes, `now` is in milliseconds; the output has the ' +
    'headers and the signature base. check-request: what a receiver does; the output is what it learns, or it fails.',
  operations: {
    'sign-request': operation(
      z.strictObject({ ...request, identitySeed: hex, keyId: z.string(), nonce: hex }),
      (backend, { identitySeed, keyId, nonce, now, ...head }) =>
        signRequest(backend, identitySeed, keyId, head, now, handOut(nonce)),
    ),
    'check-request': operation(
      z.strictObject({ ...request, publicKey: hex, headers: headersSchema }),
      (backend, { publicKey, headers, now, ...head }) =>
        checkRequest(
          backend,
          publicKey,
          {
            'content-digest': headers['content-digest'],
            'signature-input': headers['signature-input'],
            signature: headers.signature,
          },
          head,
          now,
        ),
    ),
  },
  async cases() {
    const random = expand('http-signature');
    const identitySeed = random(32);
    const nonce = random(16);
    const now = 1_767_225_600_123;
    const head = { method: 'POST', path: '/v1/lookups', body: utf8ToBytes('{"persons":1}') };
    const { headers } = signRequest(noble, identitySeed, 'gemeente', head, now, handOut(nonce));
    const publicKey = noble.signatures.publicKey(identitySeed);
    const checked = { ...head, now, publicKey, headers };
    const refused = (
      name: string,
      change: object,
      error: NegativeCase['error'] = 'signature-invalid',
    ): NegativeCase => ({ name, operation: 'check-request', input: { ...checked, ...change }, error });
    const input = headers['signature-input'];
    return {
      vectors: [
        {
          name: 'with a body',
          operation: 'sign-request',
          input: { ...head, now, identitySeed, nonce, keyId: 'gemeente' },
        },
        {
          name: 'without a body',
          operation: 'sign-request',
          input: { method: 'GET', path: '/v1/roster', body: '', now, identitySeed, nonce, keyId: 'gemeente' },
        },
        { name: 'at once', operation: 'check-request', input: checked },
        { name: 'two minutes late', operation: 'check-request', input: { ...checked, now: now + 119_877 } },
      ],
      negative: [
        refused('another method', { method: 'PUT' }),
        refused('another path', { path: '/v1/lookup' }),
        refused('another body', { body: utf8ToBytes('{"persons":2}') }),
        refused('another key', { publicKey: noble.signatures.publicKey(random(32)) }),
        refused('no signature', { headers: { ...headers, signature: undefined } }),
        refused('no signature input', { headers: { ...headers, 'signature-input': undefined } }),
        refused('no digest', { headers: { ...headers, 'content-digest': undefined } }),
        refused('another key identifier', {
          headers: { ...headers, 'signature-input': input.replace('gemeente', 'politie') },
        }),
        refused('less signed than asked for', {
          headers: { ...headers, 'signature-input': input.replace(' "content-digest"', '') },
        }),
        refused('another algorithm', {
          headers: { ...headers, 'signature-input': input.replace('ed25519', 'hmac-sha256') },
        }),
        refused('the same signature in another spelling', {
          headers: {
            ...headers,
            signature: headers.signature.replace(/(.)==:$/, (_, last: string) => `${nextLetter(last)}==:`),
          },
        }),
        refused('more than two minutes late', { now: now + 120_878 }, 'signature-expired'),
        refused('more than a minute early', { now: now - 60_124 }, 'signature-expired'),
      ],
    };
  },
};

/** The letter behind one of A, Q, g, w: it differs in bits that are not part of the value. */
const nextLetter = (letter: string): string => String.fromCharCode(letter.charCodeAt(0) + 1);
