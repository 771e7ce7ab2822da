import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SignatureHeaders } from '@hitmachine/protocol';
import { checkRequest, claimedKeyId, encodeBase64, signRequest, utf8ToBytes } from '@hitmachine/protocol';
import { BACKENDS, errorOf, expectCode, seeded, sodium } from './support.ts';

const NOW = 1_767_225_600_000;
const seed = seeded('http identity')(32);
const publicKey = sodium.signatures.publicKey(seed);
const request = { method: 'POST', path: '/v1/lookups', body: utf8ToBytes('{"persons":1}') };
const { headers, base } = signRequest(sodium, seed, 'gemeente', request, NOW, seeded('http nonce'));

const check = (
  change: Partial<typeof request> = {},
  changed: Partial<SignatureHeaders> = {},
  now = NOW,
): unknown => checkRequest(sodium, publicKey, { ...headers, ...changed }, { ...request, ...change }, now);

/** Another text of the same kind: one character replaced, inserted or left out. */
const edited = (text: string) =>
  fc
    .record({
      at: fc.nat(text.length),
      kind: fc.constantFrom('replace', 'insert', 'remove'),
      character: fc.oneof(
        fc.constantFrom(...text),
        fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
      ),
    })
    .map(({ at, kind, character }) => {
      const rest = text.slice(at + (kind === 'insert' ? 0 : 1));
      return text.slice(0, at) + (kind === 'remove' ? '' : character) + rest;
    })
    .filter((other) => other !== text);

describe('a signed request', () => {
  test.each(BACKENDS)('is accepted by $name, and tells who, when and what', (backend) => {
    const checked = checkRequest(backend, publicKey, headers, request, NOW);
    expect(checked).toMatchObject({ keyId: 'gemeente', created: NOW / 1000, expires: NOW / 1000 + 60 });
    expect(checked.nonce).toBe(encodeBase64(seeded('http nonce')(16)));
    expect(checked.base).toEqual(base);
    expect(claimedKeyId(headers['signature-input'])).toBe('gemeente');
  });

  test('has a fresh nonce each time', () => {
    const random = seeded('nonces');
    const nonces = Array.from({ length: 20 }, () => {
      const signed = signRequest(sodium, seed, 'gemeente', request, NOW, random);
      return checkRequest(sodium, publicKey, signed.headers, request, NOW).nonce;
    });
    expect(new Set(nonces).size).toBe(20);
  });

  test('any other method or path is refused', () => {
    fc.assert(
      fc.property(edited('POST'), (method) => expectCode(() => check({ method }), 'signature-invalid')),
    );
    fc.assert(
      fc.property(edited('/v1/lookups'), (path) => expectCode(() => check({ path }), 'signature-invalid')),
    );
  });

  test('any other body is refused', () => {
    fc.assert(fc.property(fc.uint8Array(), (body) => expectCode(() => check({ body }), 'signature-invalid')));
    for (let bit = 0; bit < request.body.length * 8; bit++) {
      const body = request.body.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      expectCode(() => check({ body }), 'signature-invalid');
    }
  });

  test.each(['content-digest', 'signature-input', 'signature'] as const)(
    'any other %s is refused',
    (name) => {
      fc.assert(
        fc.property(edited(headers[name]), (value) => {
          expectCode(() => check({}, { [name]: value }), 'signature-invalid');
        }),
        { numRuns: 400 },
      );
    },
  );

  test.each(['content-digest', 'signature-input', 'signature'] as const)(
    'without %s it is refused',
    (name) => {
      const without = { ...headers, [name]: undefined };
      expectCode(() => checkRequest(sodium, publicKey, without, request, NOW), 'signature-invalid');
    },
  );

  test('headers of two requests cannot be mixed', () => {
    const other = signRequest(
      sodium,
      seed,
      'gemeente',
      { ...request, path: '/v1/evaluations' },
      NOW,
      seeded('other'),
    );
    for (const name of ['signature-input', 'signature'] as const)
      expectCode(() => check({}, { [name]: other.headers[name] }), 'signature-invalid');
  });

  test('random headers only ever give coded errors', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (digest, input, signature) => {
        const random = { 'content-digest': digest, 'signature-input': input, signature };
        expect(errorOf(() => checkRequest(sodium, publicKey, random, request, NOW)).code).toBe(
          'signature-invalid',
        );
        expect(errorOf(() => claimedKeyId(input)).code).toBe('signature-invalid');
      }),
    );
  });
});

describe('the time window', () => {
  test('is from a minute before the signature to two minutes after it', () => {
    fc.assert(
      fc.property(fc.integer({ min: -200_000, max: 200_000 }), (late) => {
        const inside = late >= -60_000 && late <= 120_000;
        if (inside) check({}, {}, NOW + late);
        else expectCode(() => check({}, {}, NOW + late), 'signature-expired');
      }),
    );
    for (const edge of [-60_000, 120_000]) check({}, {}, NOW + edge);
    for (const edge of [-60_001, 120_001]) expectCode(() => check({}, {}, NOW + edge), 'signature-expired');
  });

  test('cannot be made longer by the signer', () => {
    const parameters = (headers['signature-input'].match(/^hit=(.*)$/)?.[1] as string).replace(
      `expires=${NOW / 1000 + 60}`,
      `expires=${NOW / 1000 + 61}`,
    );
    const text = new TextDecoder()
      .decode(base)
      .replace(/"@signature-params": .*$/, `"@signature-params": ${parameters}`);
    const signature = Buffer.from(sodium.signatures.sign(seed, utf8ToBytes(text))).toString('base64');
    expectCode(
      () => check({}, { 'signature-input': `hit=${parameters}`, signature: `hit=:${signature}:` }),
      'signature-expired',
    );
  });
});
