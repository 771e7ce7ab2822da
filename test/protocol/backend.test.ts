import { sha512 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Backend, Group } from '@hitmachine/protocol';
import { AEAD_TAG_BYTES, bytesToHex, hexToBytes, noble, utf8ToBytes } from '@hitmachine/protocol';
import rfc from './rfc9496.json' with { type: 'json' };
import { BACKENDS, expectCode, scalarOf, seeded, sodium } from './support.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const RUNS = { numRuns: 25 };

/** The order of the group, little-endian (RFC 9496 section 4). */
const ORDER = hexToBytes('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010');
const ZERO = new Uint8Array(32);
const ONE = Uint8Array.of(1, ...new Uint8Array(31));
const orderPlus = (add: number): Uint8Array => ORDER.map((byte, i) => (i === 0 ? byte + add : byte));

const scalars = bytes(64).map((seed) => sodium.group.reduceScalar(seed));
const elements = bytes(64).map((seed) => sodium.group.fromUniformBytes(seed));

const BAD_SCALARS = [
  ['the order', ORDER],
  ['the order + 1', orderPlus(1)],
  ['2^255 - 1', Uint8Array.of(...new Uint8Array(31).fill(255), 127)],
  ['one with its top bit set', Uint8Array.of(1, ...new Uint8Array(30), 128)],
  ['31 bytes', ONE.slice(0, 31)],
  ['33 bytes', Uint8Array.of(...ONE, 0)],
  ['no bytes', new Uint8Array()],
] as const;

const BAD_ELEMENTS = [
  ...rfc.badEncodings.flatMap(({ reason, encodings }) =>
    encodings.map((hex) => [reason, hexToBytes(hex)] as const),
  ),
  ['the identity', ZERO],
  ['31 bytes', hexToBytes(rfc.multiplesOfGenerator[1] as string).slice(0, 31)],
  ['33 bytes', Uint8Array.of(...hexToBytes(rfc.multiplesOfGenerator[1] as string), 0)],
  ['no bytes', new Uint8Array()],
] as const;

describe('both backends give the same bytes', () => {
  const same = (compute: (backend: Backend) => unknown): void =>
    expect(compute(sodium)).toEqual(compute(noble));

  test('for the group', () => {
    fc.assert(
      fc.property(scalars, elements, elements, bytes(64), (k, a, b, uniform) => {
        same(({ group }) => group.multiply(k, a));
        same(({ group }) => group.multiplyBase(k));
        same(({ group }) => group.add(a, b));
        same(({ group }) => group.fromUniformBytes(uniform));
      }),
      RUNS,
    );
  });

  test('for scalars', () => {
    fc.assert(
      fc.property(scalars, scalars, bytes(64), (a, b, wide) => {
        same(({ group }) => group.reduceScalar(wide));
        same(({ group }) => group.multiplyScalars(a, b));
        same(({ group }) => group.subtractScalars(a, b));
        same(({ group }) => group.invertScalar(a));
      }),
      { numRuns: 100 },
    );
  });

  test('for scalars at the edges', () => {
    const edges = [ONE, orderPlus(-1), orderPlus(-2)];
    for (const a of edges) {
      same(({ group }) => group.multiplyBase(a));
      same(({ group }) => group.invertScalar(a));
      for (const b of [...edges, ZERO]) same(({ group }) => group.subtractScalars(a, b));
      for (const b of edges) same(({ group }) => group.multiplyScalars(a, b));
    }
    for (const wide of [new Uint8Array(64), new Uint8Array(64).fill(255), Uint8Array.of(...ORDER, ...ZERO)])
      same(({ group }) => group.reduceScalar(wide));
  });

  test('for sealing, of empty texts too', () => {
    fc.assert(
      fc.property(
        bytes(32),
        bytes(12),
        fc.uint8Array(),
        fc.uint8Array({ maxLength: 200 }),
        (key, nonce, ad, text) => {
          same(({ aead }) => aead.seal(key, nonce, ad, text));
        },
      ),
      { numRuns: 100 },
    );
  });

  test('for signatures', () => {
    fc.assert(
      fc.property(bytes(32), fc.uint8Array(), (seed, message) => {
        same(({ signatures }) => signatures.publicKey(seed));
        same(({ signatures }) => signatures.sign(seed, message));
      }),
      RUNS,
    );
  });
});

describe.each(BACKENDS)('the group of $name', ({ group }) => {
  const element = group.multiplyBase(scalarOf('element'));
  const scalar = scalarOf('scalar');

  test('multiples of the generator (RFC 9496 appendix A.1)', () => {
    const [, generator, ...multiples] = rfc.multiplesOfGenerator.map(hexToBytes);
    multiples.forEach((expected, i) => {
      expect(group.multiplyBase(Uint8Array.of(i + 2, ...new Uint8Array(31)))).toEqual(expected);
    });
    expect(group.multiplyBase(ONE)).toEqual(generator);
    expect(group.add(multiples[0] as Uint8Array, multiples[1] as Uint8Array)).toEqual(multiples[3]);
  });

  test.each(rfc.uniformBytes.vectors)('the one-way map of "$text"', ({ text, element: expected }) => {
    expect(bytesToHex(group.fromUniformBytes(sha512(utf8ToBytes(text))))).toBe(expected);
  });

  test('the laws of a group', () => {
    fc.assert(
      fc.property(scalars, scalars, elements, (a, b, e) => {
        expect(group.multiply(a, group.multiply(b, e))).toEqual(
          group.multiply(group.multiplyScalars(a, b), e),
        );
        expect(group.multiply(group.invertScalar(a), group.multiply(a, e))).toEqual(e);
        expect(group.add(group.multiply(group.subtractScalars(a, b), e), group.multiply(b, e))).toEqual(
          group.multiply(a, e),
        );
      }),
      { numRuns: 5 },
    );
  });

  const onElements: readonly (readonly [string, (bad: Uint8Array) => unknown])[] = [
    ['multiply', (bad) => group.multiply(scalar, bad)],
    ['add, on the left', (bad) => group.add(bad, element)],
    ['add, on the right', (bad) => group.add(element, bad)],
  ];
  describe.each(onElements)('%s', (_, run) => {
    test.each(BAD_ELEMENTS)('refuses %s (%#)', (__, bad) => expectCode(() => run(bad), 'element-invalid'));
  });

  const onScalars: readonly (readonly [string, (bad: Uint8Array) => unknown])[] = [
    ['multiply', (bad) => group.multiply(bad, element)],
    ['multiplyBase', (bad) => group.multiplyBase(bad)],
    ['multiplyScalars, on the left', (bad) => group.multiplyScalars(bad, scalar)],
    ['multiplyScalars, on the right', (bad) => group.multiplyScalars(scalar, bad)],
    ['invertScalar', (bad) => group.invertScalar(bad)],
    ['subtractScalars, on the left', (bad) => group.subtractScalars(bad, scalar)],
    ['subtractScalars, on the right', (bad) => group.subtractScalars(scalar, bad)],
  ];
  describe.each(onScalars)('%s', (name, run) => {
    const refused = name.startsWith('subtract') ? BAD_SCALARS : [['zero', ZERO] as const, ...BAD_SCALARS];
    test.each(refused)('refuses %s', (_, bad) => expectCode(() => run(bad), 'scalar-invalid'));
  });

  test('a sum that is the identity', () => {
    const negative = group.multiply(orderPlus(-1), element);
    expectCode(() => group.add(element, negative), 'element-invalid');
  });

  test.each([0, 32, 63, 65])('%i bytes where 64 are needed', (length) => {
    expectCode(() => group.fromUniformBytes(new Uint8Array(length)), 'element-invalid');
    expectCode(() => group.reduceScalar(new Uint8Array(length)), 'scalar-invalid');
  });

  test('uniform bytes that map to the identity', () => {
    expectCode(() => group.fromUniformBytes(new Uint8Array(64)), 'element-invalid');
  });

  test('random bytes are taken or refused, and by both alike', () => {
    const outcome = (other: Group, encoded: Uint8Array): string => {
      try {
        return bytesToHex(other.multiply(scalar, encoded));
      } catch (error) {
        return String(error);
      }
    };
    fc.assert(
      fc.property(bytes(32), (encoded) => {
        expect(outcome(group, encoded)).toBe(outcome(sodium.group, encoded));
      }),
      { numRuns: 60 },
    );
  });
});

describe.each(BACKENDS)('sealing with $name', ({ aead }) => {
  const [key, nonce, ad, text] = [32, 12, 5, 40].map((length, i) => seeded(`aead ${i}`)(length)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const sealed = aead.seal(key, nonce, ad, text);

  test('opens what it sealed', () => {
    expect(sealed.length).toBe(text.length + AEAD_TAG_BYTES);
    expect(aead.open(key, nonce, ad, sealed)).toEqual(text);
  });

  test('refuses whatever was changed', () => {
    const flip = (source: Uint8Array, at: number): Uint8Array =>
      source.map((byte, i) => (i === at % source.length ? byte ^ (1 << (at % 8)) : byte));
    for (let at = 0; at < sealed.length; at++) {
      expectCode(() => aead.open(key, nonce, ad, flip(sealed, at)), 'decryption-failed');
      expectCode(() => aead.open(flip(key, at), nonce, ad, sealed), 'decryption-failed');
      expectCode(() => aead.open(key, flip(nonce, at), ad, sealed), 'decryption-failed');
      expectCode(() => aead.open(key, nonce, flip(ad, at), sealed), 'decryption-failed');
      expectCode(() => aead.open(key, nonce, ad, sealed.slice(0, at)), 'decryption-failed');
    }
    expectCode(() => aead.open(key, nonce, ad, Uint8Array.of(...sealed, 0)), 'decryption-failed');
    expectCode(() => aead.open(key.slice(1), nonce, ad, sealed), 'decryption-failed');
    expectCode(() => aead.open(key, nonce.slice(1), ad, sealed), 'decryption-failed');
  });
});
