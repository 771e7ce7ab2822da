import { x25519 } from '@noble/curves/ed25519.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Kem, Session } from '@hitmachine/protocol';
import {
  acceptSession,
  concatBytes,
  hexToBytes,
  openAnswer,
  openQuestion,
  openSession,
  sealAnswer,
  sealQuestion,
  sessionKeyFromSeed,
  sessionKeySchema,
  sessionOpeningCodec,
  uintToBytes,
  utf8ToBytes,
} from '@hitmachine/protocol';
import vectors from '../../protocol/vectors/session.json' with { type: 'json' };
import { expectCode, rejectionOf, seeded, sodium } from './support.ts';

const NOW = 1_767_225_600_000;
const HOUR = 3_600_000;
const identitySeed = seeded('asker')(32);
const identityKey = sodium.signatures.publicKey(identitySeed);

describe.each(['x25519', 'mlkem768-x25519'] as const)('a session with %s', (kem: Kem) => {
  let secretKey: Uint8Array;
  let session: Session;
  let opening: Uint8Array;
  let open: () => ReturnType<typeof openSession>;
  const accept = (change: object = {}, bytes = opening, now = NOW): Promise<Session> =>
    acceptSession(
      sodium,
      { asker: 'gemeente', identityKey, node: 'politie', kem, secretKey, ...change },
      bytes,
      now,
    );

  beforeAll(async () => {
    const pair = await sessionKeyFromSeed(kem, seeded('node')(32));
    secretKey = pair.secretKey;
    expect(sessionKeySchema.parse(pair.sessionKey)).toEqual(pair.sessionKey);
    const parties = { asker: 'gemeente', identitySeed, node: 'politie', nodeKey: pair.sessionKey };
    const random = seeded('session identifiers');
    open = () => openSession(sodium, parties, NOW, random);
    ({ session, opening } = await open());
  });

  test('both sides have the same keys', async () => {
    expect(await accept()).toEqual(session);
    expect(session).toMatchObject({ asker: 'gemeente', node: 'politie', expiresAt: NOW + HOUR });
    expect(session.questionKey).not.toEqual(session.answerKey);
  });

  test('every session has keys and an identifier of its own', async () => {
    const { session: other } = await open();
    for (const part of ['id', 'questionKey', 'answerKey'] as const)
      expect(other[part]).not.toEqual(session[part]);
  });

  test('it holds for an hour, give or take a minute in front', async () => {
    await accept({}, opening, NOW - 60_000);
    await accept({}, opening, NOW + HOUR);
    for (const late of [-60_001, HOUR + 1])
      expect((await rejectionOf(() => accept({}, opening, NOW + late))).code).toBe('signature-expired');
  });

  test('an opening by or for somebody else is refused', async () => {
    const others = [
      { asker: 'reclassering' },
      { node: 'reclassering' },
      { identityKey: sodium.signatures.publicKey(seeded('other')(32)) },
    ];
    for (const other of others)
      expect((await rejectionOf(() => accept(other))).code).toBe('signature-invalid');
  });

  test('any changed byte is refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 255 }), async (place, change) => {
        const at = place % opening.length;
        const changed = opening.map((byte, i) => (i === at ? byte ^ change : byte));
        const { code } = await rejectionOf(() => accept({}, changed));
        expect(['signature-invalid', 'malformed']).toContain(code);
      }),
      { numRuns: 60 },
    );
  });

  test('an encapsulation that the asker has signed but that is none', async () => {
    const { signature: _, ...unsigned } = sessionOpeningCodec.decode(opening);
    for (const length of [0, 1, unsigned.encapsulated.length - 1, unsigned.encapsulated.length + 1]) {
      const changed = resign({ ...unsigned, encapsulated: new Uint8Array(length) });
      expect((await rejectionOf(() => accept({}, changed))).code).toBe('decryption-failed');
    }
  });

  test('an opening moved to another identifier gives other keys', async () => {
    const { signature: _, ...unsigned } = sessionOpeningCodec.decode(opening);
    const moved = await accept({}, resign({ ...unsigned, sessionId: seeded('moved')(16) }));
    expect(moved.questionKey).not.toEqual(session.questionKey);
  });
});

/** Signs a changed opening again, as a dishonest asker could. */
function resign(unsigned: Omit<ReturnType<typeof sessionOpeningCodec.decode>, 'signature'>): Uint8Array {
  const draft = sessionOpeningCodec.encode({ ...unsigned, signature: new Uint8Array(64) });
  const signed = concatBytes(utf8ToBytes('hitmachine-v1 session-opening\n'), draft.slice(0, -64));
  return concatBytes(draft.slice(0, -64), sodium.signatures.sign(identitySeed, signed));
}

test('the keys are an HPKE export as RFC 9180 has it, written a second time', () => {
  const vector = vectors.vectors.find(
    ({ operation, name }) => operation === 'accept-session' && name === 'x25519',
  );
  const input = vector?.input as Record<'secretKey' | 'opening', string>;
  const { encapsulated, sessionId } = sessionOpeningCodec.decode(hexToBytes(input.opening));
  const secretKey = hexToBytes(input.secretKey);
  const ascii = (text: string): Uint8Array => concatBytes(uintToBytes(text.length, 1), utf8ToBytes(text));
  const info = concatBytes(
    utf8ToBytes('hitmachine-v1 session'),
    ascii('gemeente'),
    ascii('politie'),
    sessionId,
  );

  const version = utf8ToBytes('HPKE-v1');
  const nothing = new Uint8Array();
  const labelled = (suiteId: Uint8Array) => ({
    extract: (salt: Uint8Array, label: string, secret: Uint8Array) =>
      extract(sha256, concatBytes(version, suiteId, utf8ToBytes(label), secret), salt),
    expand: (key: Uint8Array, label: string, context: Uint8Array, length: number) =>
      expand(
        sha256,
        key,
        concatBytes(uintToBytes(length, 2), version, suiteId, utf8ToBytes(label), context),
        length,
      ),
  });
  // Section 4.1: DHKEM(X25519, HKDF-SHA256), 0x0020.
  const kem = labelled(concatBytes(utf8ToBytes('KEM'), uintToBytes(0x20, 2)));
  const shared = kem.expand(
    kem.extract(nothing, 'eae_prk', x25519.getSharedSecret(secretKey, encapsulated)),
    'shared_secret',
    concatBytes(encapsulated, x25519.getPublicKey(secretKey)),
    32,
  );
  // Section 5.1: the key schedule in base mode, with HKDF-SHA256 and ChaCha20-Poly1305.
  const hpke = labelled(concatBytes(utf8ToBytes('HPKE'), ...[0x20, 1, 3].map((id) => uintToBytes(id, 2))));
  const context = concatBytes(
    Uint8Array.of(0),
    hpke.extract(nothing, 'psk_id_hash', nothing),
    hpke.extract(nothing, 'info_hash', info),
  );
  const exporter = hpke.expand(hpke.extract(shared, 'secret', nothing), 'exp', context, 32);
  // Section 5.3: the export.
  const exported = hpke.expand(exporter, 'sec', utf8ToBytes('hitmachine-v1 session keys'), 64);
  const output = vector?.output as Record<'questionKey' | 'answerKey', string>;
  expect(exported).toEqual(hexToBytes(output.questionKey + output.answerKey));
});

describe('sealing', () => {
  const random = seeded('sealing');
  const session: Session = {
    id: random(16),
    asker: 'gemeente',
    node: 'politie',
    questionKey: random(32),
    answerKey: random(32),
    expiresAt: NOW,
  };
  const bytes = fc.uint8Array({ maxLength: 200 });

  test('opens what was sealed, for the same counter and ticket alone', () => {
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        fc.maxSafeNat(),
        bytes,
        bytes,
        bytes,
        (counter, other, ticket, otherTicket, text) => {
          const question = sealQuestion(sodium, session, counter, ticket, text);
          const answer = sealAnswer(sodium, session, counter, ticket, text, random);
          expect(openQuestion(sodium, session, counter, ticket, question)).toEqual(text);
          expect(openAnswer(sodium, session, counter, ticket, answer)).toEqual(text);
          expect([question.length, answer.length]).toEqual([text.length + 16, text.length + 28]);
          const fails = (run: () => unknown): void => expectCode(run, 'decryption-failed');
          if (other !== counter) {
            fails(() => openQuestion(sodium, session, other, ticket, question));
            fails(() => openAnswer(sodium, session, other, ticket, answer));
          }
          if (Buffer.compare(ticket, otherTicket) !== 0) {
            fails(() => openQuestion(sodium, session, counter, otherTicket, question));
            fails(() => openAnswer(sodium, session, counter, otherTicket, answer));
          }
          fails(() => openAnswer(sodium, session, counter, ticket, question));
          fails(() => openQuestion(sodium, session, counter, ticket, answer));
        },
      ),
    );
  });

  test('two answers to one counter share no key stream', () => {
    const [first, second] = [1, 2].map(() =>
      sealAnswer(sodium, session, 1, new Uint8Array(), new Uint8Array(32), random),
    ) as [Uint8Array, Uint8Array];
    expect(first.slice(0, 12)).not.toEqual(second.slice(0, 12));
    expect(first.slice(12, 44)).not.toEqual(second.slice(12, 44));
  });

  test('any changed bit is refused', () => {
    const ticket = random(50);
    const question = sealQuestion(sodium, session, 1, ticket, random(30));
    const answer = sealAnswer(sodium, session, 1, ticket, random(30), random);
    const flipped = (sealed: Uint8Array, bit: number): Uint8Array =>
      sealed.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
    for (let bit = 0; bit < 8 * question.length; bit++)
      expectCode(() => openQuestion(sodium, session, 1, ticket, flipped(question, bit)), 'decryption-failed');
    for (let bit = 0; bit < 8 * answer.length; bit++)
      expectCode(() => openAnswer(sodium, session, 1, ticket, flipped(answer, bit)), 'decryption-failed');
    for (let length = 0; length < answer.length; length++)
      expectCode(() => openAnswer(sodium, session, 1, ticket, answer.slice(0, length)), 'decryption-failed');
  });
});
