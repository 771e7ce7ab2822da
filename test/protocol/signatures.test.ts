import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, noble } from '@hitmachine/protocol';
import { BACKENDS, seeded, sodium } from './support.ts';

const { Point } = ed25519;
const message = seeded('signed message')(50);
const seed = seeded('identity')(32);
const publicKey = noble.signatures.publicKey(seed);
const signature = noble.signatures.sign(seed, message);

describe.each(BACKENDS)('signatures of $name', ({ signatures }) => {
  test('its own are accepted', () => {
    expect(signatures.verify(publicKey, message, signatures.sign(seed, message))).toBe(true);
  });

  test('any changed bit is refused', () => {
    fc.assert(
      fc.property(fc.nat(511), fc.nat(255), fc.nat(399), (inSignature, inKey, inMessage) => {
        const flip = (bytes: Uint8Array, bit: number): Uint8Array =>
          bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
        expect(signatures.verify(publicKey, message, flip(signature, inSignature))).toBe(false);
        expect(signatures.verify(flip(publicKey, inKey), message, signature)).toBe(false);
        expect(signatures.verify(publicKey, flip(message, inMessage), signature)).toBe(false);
      }),
      { numRuns: 20 },
    );
  });

  test('wrong lengths are refused, not thrown', () => {
    expect(signatures.verify(publicKey, message, signature.slice(1))).toBe(false);
    expect(signatures.verify(publicKey, message, new Uint8Array())).toBe(false);
    expect(signatures.verify(publicKey.slice(1), message, signature)).toBe(false);
  });

  test('s + L for s: the same signature in another form', () => {
    const s = littleEndian(signature.slice(32)) + Point.Fn.ORDER;
    const encoded = Uint8Array.from({ length: 32 }, (_, i) => Number((s >> BigInt(8 * i)) & 0xffn));
    expect(signatures.verify(publicKey, message, concatBytes(signature.slice(0, 32), encoded))).toBe(false);
  });
});

const littleEndian = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

/** A point of order eight: where implementations of Ed25519 have always differed. */
const TORSION = Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a');

/** A signature by the holder of `secret`, with points of small order added to the key and to R. */
function crafted(secret: bigint, nonce: bigint, inKey: number, inCommitment: number) {
  const times = (point: InstanceType<typeof Point>, factor: bigint) =>
    point.multiplyUnsafe(Point.Fn.create(factor));
  const key = times(Point.BASE, secret)
    .add(times(TORSION, BigInt(inKey)))
    .toBytes();
  const commitment = times(Point.BASE, nonce)
    .add(times(TORSION, BigInt(inCommitment)))
    .toBytes();
  const k = Point.Fn.create(littleEndian(sha512(concatBytes(commitment, key, message))));
  const s = Point.Fn.create(nonce + k * secret);
  return { key, signature: concatBytes(commitment, Point.Fn.toBytes(s)) };
}

describe('both backends judge crafted signatures alike', () => {
  const judge = ({ key, signature: made }: ReturnType<typeof crafted>): readonly boolean[] =>
    BACKENDS.map(({ signatures }) => signatures.verify(key, message, made));

  test('an honest one is accepted', () => expect(judge(crafted(5n, 7n, 0, 0))).toEqual([true, true]));

  test.each([0, 1, 2, 3, 4, 5, 6, 7])('R of small order (%i)', (part) => {
    expect(judge(crafted(5n, 0n, 0, part))).toEqual([false, false]);
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7])('a key of small order (%i)', (part) => {
    expect(judge(crafted(0n, 7n, part, 0))).toEqual([false, false]);
  });

  test('points with a part of small order, which cofactored equations let through', () => {
    const verdicts = new Set<boolean>();
    for (let nonce = 1n; nonce <= 24n; nonce++)
      for (const [inKey, inCommitment] of [
        [1, 0],
        [0, 1],
        [1, 1],
        [4, 4],
      ] as const) {
        const [byNoble, bySodium] = judge(crafted(123_456_789n, nonce, inKey, inCommitment));
        expect(byNoble).toBe(bySodium);
        verdicts.add(byNoble as boolean);
      }
    expect(verdicts.size).toBe(2);
  });

  test('an encoding of R that is not canonical', () => {
    const { key, signature: made } = crafted(5n, 0n, 0, 0);
    const notReduced = Uint8Array.of(0xee, ...new Uint8Array(30).fill(0xff), 0x7f);
    for (const { signatures } of BACKENDS)
      expect(signatures.verify(key, message, concatBytes(notReduced, made.slice(32)))).toBe(false);
    expect(sodium.signatures.verify(publicKey, message, signature)).toBe(true);
  });
});
