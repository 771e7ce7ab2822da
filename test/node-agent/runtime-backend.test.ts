import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Aead } from '@hitmachine/protocol';
import { HitError, concatBytes, decodeBase64, encodeBase64, loadSodium, noble } from '@hitmachine/protocol';
import { fromBase64, toBase64 } from '@hitmachine/service';
import { secureRandom } from '../../node-agent/src/random.ts';
import { onRuntime, runtimeAead } from '../../node-agent/src/runtime-backend.ts';
import { sha256 } from '../../node-agent/src/sha256.ts';

const sodium = await loadSodium();
const runtime = onRuntime(sodium);
const [key, nonce, associated] = [secureRandom(32), secureRandom(12), secureRandom(70)];
/** Around every length at which something changes: none, a block, the runtime's own, a piece, a block of memory. */
const LENGTHS = [
  0, 1, 63, 64, 65, 4_080, 4_095, 4_096, 4_097, 16_400, 32_767, 32_768, 32_769, 65_536, 150_000,
];

function refuses(open: () => unknown): void {
  expect(open).toThrow(HitError);
  expect(open).toThrow(expect.objectContaining({ code: 'decryption-failed' }) as Error);
}

const flipped = (bytes: Uint8Array, at: number): Uint8Array =>
  Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 1 : byte));

describe('sealing by the runtime', () => {
  it.each(LENGTHS)('gives the bytes of the others, for %i', (length) => {
    const text = secureRandom(length);
    const front = secureRandom(12);
    const sealed = noble.aead.seal(key, nonce, associated, text, front);
    for (const aead of [sodium.aead, runtimeAead, runtime.aead]) {
      expect(new Uint8Array(aead.seal(key, nonce, associated, text, front))).toEqual(sealed);
      expect(new Uint8Array(aead.seal(key, nonce, associated, text))).toEqual(sealed.subarray(12));
      expect(new Uint8Array(aead.open(key, nonce, associated, sealed.subarray(12)))).toEqual(text);
    }
  });

  it('does so for any text and without associated data', () => {
    const bytes = fc.uint8Array({ maxLength: 6_000, size: 'max' });
    fc.assert(
      fc.property(bytes, bytes, (text, ad) => {
        const sealed = sodium.aead.seal(key, nonce, ad, text);
        expect(new Uint8Array(runtimeAead.seal(key, nonce, ad, text))).toEqual(sealed);
        expect(new Uint8Array(runtimeAead.open(key, nonce, ad, sealed))).toEqual(text);
      }),
      { numRuns: 100 },
    );
  });

  it('keeps messages apart that were sealed one after another', () => {
    const texts = Array.from({ length: 60 }, (_, i) => secureRandom(100 * i));
    const sealed = texts.map((text) => runtimeAead.seal(key, nonce, associated, text));
    const opened = sealed.map((message) => runtimeAead.open(key, nonce, associated, message));
    expect(opened.map((text) => new Uint8Array(text))).toEqual(texts);
  });

  it.each([
    ['directly', runtimeAead],
    ['as the agent has it', runtime.aead],
  ] as readonly [string, Aead][])('opens nothing that was changed, %s', (_, aead) => {
    const sealed = aead.seal(key, nonce, associated, secureRandom(5_000));
    for (const at of [0, 2_500, 4_999, 5_000, 5_015])
      refuses(() => aead.open(key, nonce, associated, flipped(sealed, at)));
    refuses(() => aead.open(flipped(key, 3), nonce, associated, sealed));
    refuses(() => aead.open(key, flipped(nonce, 3), associated, sealed));
    refuses(() => aead.open(key, nonce, flipped(associated, 3), sealed));
    refuses(() => aead.open(key.subarray(1), nonce, associated, sealed));
    refuses(() => aead.open(key, nonce.subarray(1), associated, sealed));
    for (const length of [0, 15, 16, 5_015])
      refuses(() => aead.open(key, nonce, associated, sealed.slice(0, length)));
    refuses(() => aead.open(key, nonce, associated, Uint8Array.of(...sealed, 0)));
  });
});

it('hashes as the others do', () => {
  for (const length of LENGTHS) {
    const message = secureRandom(length);
    const digests = [noble, sodium, runtime].map((backend) => new Uint8Array(backend.sha256(message)));
    expect(digests[1]).toEqual(digests[0]);
    expect(digests[2]).toEqual(digests[0]);
  }
});

describe('random bytes', () => {
  it('are never given out twice, whatever is asked for in between', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 3_000; i++) {
      const bytes = secureRandom([8, 12, 16, 32, 64, 65][i % 6] as number);
      for (let at = 0; at + 8 <= bytes.length; at += 8)
        seen.add(Buffer.from(bytes.subarray(at, at + 8)).toString('hex'));
    }
    // 1, 1, 2, 4, 8 and 8 parts.
    expect(seen.size).toBe(500 * 24);
  });

  it('are not zeroed behind the back of who holds them', () => {
    const bytes = secureRandom(32);
    const copy = bytes.slice();
    for (let i = 0; i < 1_000; i++) secureRandom(32);
    expect(bytes).toEqual(copy);
  });
});

describe('base64url by the runtime', () => {
  it('reads and writes what the protocol does, for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(toBase64(bytes)).toBe(encodeBase64(bytes));
        expect(new Uint8Array(fromBase64(encodeBase64(bytes)))).toEqual(bytes);
      }),
    );
  });

  it('refuses any text that the protocol refuses', () => {
    const letter = fc.constantFrom(...'AQgwZz09-_+/= \n\u00e9');
    fc.assert(
      fc.property(fc.string({ unit: letter, maxLength: 8 }), (text) => {
        const read = (decode: (text: string) => Uint8Array): unknown => {
          try {
            return [...decode(text)];
          } catch (error) {
            return (error as HitError).code;
          }
        };
        expect(read(fromBase64)).toEqual(read(decodeBase64));
      }),
      { numRuns: 500 },
    );
  });
});

describe('SHA-256 by the runtime', () => {
  it.each([0, 1, 31, 64, 4_095, 4_096, 4_097, 100_000])('is that of the protocol, for %i bytes', (length) => {
    const [first, second] = [secureRandom(1), secureRandom(length)];
    const expected = noble.sha256(concatBytes(first, second));
    expect(new Uint8Array(sha256(first, second))).toEqual(expected);
    expect(new Uint8Array(runtime.sha256(concatBytes(first, second)))).toEqual(expected);
  });
});
