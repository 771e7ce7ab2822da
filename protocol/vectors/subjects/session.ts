import { x25519 } from '@noble/curves/ed25519.js';
import { z } from 'zod';
import type { Kem } from '../../src/index.ts';
import {
  acceptSession,
  concatBytes,
  hexToBytes,
  noble,
  sessionKeyFromSeed,
  utf8ToBytes,
} from '../../src/index.ts';
import { expand } from '../deterministic.ts';
import type { Case, NegativeCase, Subject } from '../format.ts';
import { hex, operation } from '../format.ts';
import { Layout } from '../layout.ts';
import { RECORDED_ENCAPSULATION, RECORDED_NODE_SEED } from '../recorded-encapsulation.ts';

const kemSchema = z.enum(['mlkem768-x25519', 'x25519']);
const ISSUED_AT = 1_767_225_600_000;
const HOUR = 3_600_000;

export interface OpeningParts {
  readonly version: number;
  readonly sessionId: Uint8Array;
  readonly asker: string;
  readonly node: string;
  readonly encapsulated: Uint8Array;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** Lays out and signs an opening as an asker does, but with a given encapsulation. */
export function layOpening(opening: OpeningParts, identitySeed: Uint8Array): Layout {
  const layout = new Layout()
    .uint('version', 1, opening.version)
    .raw('sessionId', opening.sessionId)
    .text('asker', opening.asker)
    .text('node', opening.node)
    .blob('encapsulated', opening.encapsulated)
    .uint('issuedAt', 8, opening.issuedAt)
    .uint('expiresAt', 8, opening.expiresAt);
  const signed = concatBytes(utf8ToBytes('hitmachine-v1 session-opening\n'), layout.bytes());
  return layout.raw('signature', noble.signatures.sign(identitySeed, signed));
}

/** The bytes that every vector of this file stands on. */
async function parties(kem: Kem): Promise<{
  readonly identitySeed: Uint8Array;
  readonly secretKey: Uint8Array;
  readonly opening: OpeningParts;
}> {
  const random = expand(`session ${kem}`);
  const seed = kem === 'x25519' ? random(32) : RECORDED_NODE_SEED;
  const { secretKey } = await sessionKeyFromSeed(kem, seed);
  // An encapsulation to X25519 is the public key of a fresh pair (RFC 9180 section 4.1).
  const encapsulated =
    kem === 'x25519' ? x25519.getPublicKey(random(32)) : hexToBytes(RECORDED_ENCAPSULATION);
  return {
    identitySeed: random(32),
    secretKey,
    opening: {
      version: 1,
      sessionId: random(16),
      asker: 'gemeente',
      node: 'politie',
      encapsulated,
      issuedAt: ISSUED_AT,
      expiresAt: ISSUED_AT + HOUR,
    },
  };
}

/** Pairwise sessions. */
export const session: Subject = {
  description:
    'Sessions. session-key-from-seed: the HPKE key pair of a node. accept-session: what a node makes of an opening at ' +
    'the time `now` (milliseconds). The opening is an HPKE encapsulation (base mode, HKDF-SHA256; info is ' +
    '"hitmachine-v1 session", the length and text of asker and node, and the session identifier), signed with ' +
    'Ed25519 over "hitmachine-v1 session-opening" and a line feed and all bytes in front of the signature. The 64 ' +
    'exported bytes for "hitmachine-v1 session keys" are the question key and the answer key.',
  operations: {
    'session-key-from-seed': operation(z.strictObject({ kem: kemSchema, seed: hex }), (_, { kem, seed }) =>
      sessionKeyFromSeed(kem, seed),
    ),
    'accept-session': operation(
      z.strictObject({
        asker: z.string(),
        identityKey: hex,
        node: z.string(),
        kem: kemSchema,
        secretKey: hex,
        opening: hex,
        now: z.number(),
      }),
      (backend, { opening, now, ...pair }) => acceptSession(backend, pair, opening, now),
    ),
  },
  async cases() {
    const both = await Promise.all(
      kemSchema.options.map(async (kem) => {
        const { identitySeed, secretKey, opening } = await parties(kem);
        const layout = layOpening(opening, identitySeed);
        const identityKey = noble.signatures.publicKey(identitySeed);
        const input = {
          asker: 'gemeente',
          identityKey,
          node: 'politie',
          kem,
          secretKey,
          opening: layout.bytes(),
        };
        return { kem, identitySeed, opening, layout, input: { ...input, now: ISSUED_AT + 1_000 } };
      }),
    );
    const negative = both.flatMap(({ kem, identitySeed, opening, input }): NegativeCase[] => {
      const bytes = input.opening;
      const refused = (name: string, change: object, error: NegativeCase['error']): NegativeCase => ({
        name: `${kem}: ${name}`,
        operation: 'accept-session',
        input: { ...input, ...change },
        error,
      });
      const changed = (change: Partial<OpeningParts>): object => ({
        opening: layOpening({ ...opening, ...change }, identitySeed).bytes(),
      });
      return [
        refused('for another node', { node: 'reclassering' }, 'signature-invalid'),
        refused('of another asker', { asker: 'reclassering' }, 'signature-invalid'),
        refused('another identity', { identityKey: expand('other')(32) }, 'signature-invalid'),
        refused('another version', changed({ version: 2 }), 'signature-invalid'),
        refused(
          'a changed byte',
          { opening: bytes.map((byte, i) => (i === 5 ? byte ^ 1 : byte)) },
          'signature-invalid',
        ),
        refused('an hour late', { now: ISSUED_AT + HOUR + 1 }, 'signature-expired'),
        refused('too early', { now: ISSUED_AT - 60_001 }, 'signature-expired'),
        refused('a longer life', changed({ expiresAt: ISSUED_AT + HOUR + 1 }), 'signature-expired'),
        refused(
          'an encapsulation cut off',
          changed({ encapsulated: opening.encapsulated.slice(1) }),
          'decryption-failed',
        ),
        refused('cut off', { opening: bytes.slice(0, -1) }, 'malformed'),
        refused('a byte too many', { opening: Uint8Array.of(...bytes, 0) }, 'malformed'),
      ];
    });
    const [, classical] = both;
    return {
      vectors: [
        ...kemSchema.options.map((kem): Case => ({
          name: kem,
          operation: 'session-key-from-seed',
          input: { kem, seed: expand(`session key ${kem}`)(32) },
        })),
        ...both.map(({ kem, input, layout }): Case => ({
          name: kem,
          operation: 'accept-session',
          input,
          layout: layout.parts,
        })),
      ],
      negative: [
        ...negative,
        ...(classical === undefined
          ? []
          : [
              {
                name: 'x25519: an encapsulation of small order',
                operation: 'accept-session',
                input: {
                  ...classical.input,
                  opening: layOpening(
                    { ...classical.opening, encapsulated: new Uint8Array(32) },
                    classical.identitySeed,
                  ).bytes(),
                },
                error: 'decryption-failed' as const,
              },
            ]),
      ],
    };
  },
};
