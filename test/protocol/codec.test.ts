import { readdir, readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  LIMITS,
  agentFrameCodec,
  answerCodec,
  deliveryReportCodec,
  questionCodec,
  questionsCodec,
  sealedQuestionCodec,
  ticketCodec,
} from '@hitmachine/protocol';
import { acceptsOrRefuses, expectCode } from './support.ts';
import { WIRE_CASES } from './wire-arbitraries.ts';

describe.each(WIRE_CASES)('the codec of a $name', ({ codec, values }) => {
  test('decode after encode is the identity', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(codec.decode(codec.encode(value))).toEqual(value);
      }),
    );
  });

  test('what is cut off or longer is refused', () => {
    fc.assert(
      fc.property(values, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 8 }), (value, cut, more) => {
        const bytes = codec.encode(value);
        expectCode(() => codec.decode(bytes.slice(0, cut % bytes.length)), 'malformed');
        expectCode(() => codec.decode(Uint8Array.of(...bytes, ...more)), 'malformed');
      }),
    );
  });

  const decodesCanonically = (bytes: Uint8Array): void => {
    const decoded = acceptsOrRefuses(() => codec.decode(bytes));
    if (decoded !== undefined) expect(codec.encode(decoded.value)).toEqual(bytes);
  };

  test('with changed bits there is still one encoding, or a coded error', () => {
    fc.assert(
      fc.property(values, fc.array(fc.nat(), { minLength: 1, maxLength: 4 }), (value, bits) => {
        const bytes = codec.encode(value).slice();
        for (const bit of bits) {
          const at = (bit >> 3) % bytes.length;
          bytes[at] = (bytes[at] as number) ^ (1 << (bit & 7));
        }
        decodesCanonically(bytes);
      }),
      { numRuns: 300 },
    );
  });

  test('of random bytes, too', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), decodesCanonically), { numRuns: 300 });
    // Mostly zeros: lengths that fit, so that the decoder comes further.
    const sparse = fc.array(fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.nat(3), fc.nat(255)));
    fc.assert(
      fc.property(
        sparse.map((bytes) => Uint8Array.from(bytes)),
        decodesCanonically,
      ),
      { numRuns: 500 },
    );
  });
});

test('every codec of the protocol is tested here', async () => {
  const folder = new URL('../../protocol/src/wire/', import.meta.url);
  const sources = await Promise.all(
    (await readdir(folder)).map((name) => readFile(new URL(name, folder), 'utf8')),
  );
  const codecs = sources.flatMap((source) => source.match(/export const \w+Codec = message/g) ?? []);
  // The unsigned opening is the opening without its last field; acceptSession stands and falls with it.
  expect(codecs.length).toBe(WIRE_CASES.length + 1);
});

describe('the limits', () => {
  const persons = LIMITS.persons;
  const tokenTypes = Array.from({ length: LIMITS.tokenTypes }, (_, i) => `${'t'.repeat(31)}${i}`);
  const name = 'n'.repeat(40);

  test('the largest question fits, and sealed too', () => {
    const bytes = questionCodec.encode({
      elements: tokenTypes.map((tokenType) => ({ tokenType, elements: new Uint8Array(32 * persons) })),
      registers: Array.from({ length: LIMITS.registersPerAgency }, () => ({
        register: name,
        columns: tokenTypes.map((tokenType) => ({
          tokenType,
          bits: 10,
          buckets: Array.from({ length: persons }, () => 1_023),
        })),
      })),
    });
    const opening = new Uint8Array(1_500);
    const ciphertext = new Uint8Array(bytes.length + 16);
    sealedQuestionCodec.encode({
      node: name,
      sessionId: new Uint8Array(16),
      counter: 1,
      opening,
      ciphertext,
    });
  });

  test('the largest ticket fits', () => {
    ticketCodec.encode({
      version: 1,
      lookupId: new Uint8Array(16),
      asker: name,
      node: name,
      registers: Array.from({ length: LIMITS.registersPerAgency }, () => name),
      purpose: name,
      role: name,
      grounds: 'break-glass',
      persons,
      elementDigests: tokenTypes.map((tokenType) => ({ tokenType, digest: new Uint8Array(32) })),
      requestDigest: new Uint8Array(32),
      rosterVersion: Number.MAX_SAFE_INTEGER,
      policyVersion: Number.MAX_SAFE_INTEGER,
      issuedAt: Number.MAX_SAFE_INTEGER,
      expiresAt: Number.MAX_SAFE_INTEGER,
    });
  });

  test('an answer with the whole table of a register of a million fits', () => {
    const evaluated = new Uint8Array(32 * persons);
    const ranges = new Uint8Array(8 * 1_173 * 1_024);
    const bytes = answerCodec.encode({
      type: 'answered',
      epoch: 1,
      commitment: new Uint8Array(LIMITS.commitmentBytes),
      registers: [
        {
          type: 'tables',
          register: name,
          contact: new Uint8Array(LIMITS.contactBytes),
          columns: [
            {
              tokenType: 'bsn',
              evaluated,
              bits: 0,
              rangeTags: 1_173 * 1_024,
              ranges,
              paths: new Uint8Array(),
            },
          ],
        },
      ],
    });
    const ciphertext = new Uint8Array(bytes.length + 28);
    deliveryReportCodec.encode({ node: name, outcome: 'answered', ciphertext });
  });

  test('the largest answer that a node makes fits, and sealed too', () => {
    const column = (tokenType: string, ranges: Uint8Array) => ({
      tokenType,
      evaluated: new Uint8Array(32 * persons),
      bits: 10,
      rangeTags: 1,
      ranges,
      paths: new Uint8Array(320),
    });
    const [first, ...others] = tokenTypes as [string, ...string[]];
    const register = (ranges: Uint8Array) => ({
      type: 'tables' as const,
      register: name,
      contact: new Uint8Array(LIMITS.contactBytes),
      columns: [column(first, ranges), ...others.map((type) => column(type, new Uint8Array()))],
    });
    const registers = Array.from({ length: LIMITS.registersPerAgency }, (_, i) =>
      register(new Uint8Array(i === 0 ? LIMITS.answerRanges : 0)),
    );
    const commitment = new Uint8Array(LIMITS.commitmentBytes);
    answerCodec.encode({ type: 'answered', epoch: Number.MAX_SAFE_INTEGER, commitment, registers });
    const ciphertext = new Uint8Array(LIMITS.answerBytes + 28);
    deliveryReportCodec.encode({ node: name, outcome: 'answered', ciphertext });
    agentFrameCodec.encode({ type: 'reply', delivery: 1, outcome: 'answered', ciphertext });
  });

  test('one question for each of 2,000 agencies fits one body', () => {
    const questions = Array.from({ length: LIMITS.agencies }, () => ({
      node: name,
      sessionId: new Uint8Array(16),
      counter: 1,
      opening: new Uint8Array(1_400),
      ciphertext: new Uint8Array(4_000),
    }));
    questionsCodec.encode({ questions });
    expectCode(
      () => questionsCodec.encode({ questions: [...questions, questions[0] as (typeof questions)[0]] }),
      'malformed',
    );
  });

  test('a value that does not fit is refused at encoding', () => {
    const report = { node: 'politie', outcome: 'answered' as const, ciphertext: undefined };
    expectCode(() => deliveryReportCodec.encode({ ...report, node: 'n'.repeat(41) }), 'malformed');
    expectCode(() => deliveryReportCodec.encode({ ...report, node: 'é' }), 'malformed');
    const sealed = {
      node: 'n',
      sessionId: new Uint8Array(16),
      counter: 1,
      opening: undefined,
      ciphertext: new Uint8Array(),
    };
    expectCode(() => sealedQuestionCodec.encode({ ...sealed, sessionId: new Uint8Array(15) }), 'malformed');
    expectCode(() => sealedQuestionCodec.encode({ ...sealed, counter: -1 }), 'field-invalid');
    expectCode(() => sealedQuestionCodec.encode({ ...sealed, opening: new Uint8Array(4_097) }), 'malformed');
  });
});
