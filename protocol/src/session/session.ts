import * as hpke from 'hpke';
import type { Backend } from '../backend/backend.ts';
import { concatBytes, encodeBase64, decodeBase64, uintToBytes, utf8ToBytes } from '../bytes.ts';
import type { Random } from '../bytes.ts';
import { HitError } from '../errors.ts';
import { LIMITS } from '../wire/limits.ts';
import type { Kem, SessionKey } from '../wire/session-key.ts';
import type { SessionOpening } from '../wire/session-opening.ts';
import { SESSION_ID_BYTES, sessionOpeningCodec, unsignedOpeningCodec } from '../wire/session-opening.ts';

/**
 * A pairwise session: two symmetric keys that one asking agency and one node share, from one HPKE export
 * (RFC 9180 section 5.3), opened and signed by the asker, good for an hour. Sealing a question or an answer then
 * costs no public-key operation.
 */
export interface Session {
  readonly id: Uint8Array;
  readonly asker: string;
  readonly node: string;
  readonly questionKey: Uint8Array;
  readonly answerKey: Uint8Array;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

const LIFETIME_MS = 3_600_000;
const VERSION = 1;
const EXPORT_CONTEXT = utf8ToBytes('hitmachine-v1 session keys');

/** HPKE with the post-quantum hybrid where the agency has it, X25519 where not; nothing is sealed with HPKE itself. */
export function suiteOf(kem: Kem): hpke.CipherSuite {
  const factory = kem === 'x25519' ? hpke.KEM_DHKEM_X25519_HKDF_SHA256 : hpke.KEM_MLKEM768_X25519;
  return new hpke.CipherSuite(factory, hpke.KDF_HKDF_SHA256, hpke.AEAD_ChaCha20Poly1305);
}

/** Derives an agency's session key pair from a 32-byte seed (RFC 9180 section 4, DeriveKeyPair). */
export async function sessionKeyFromSeed(
  kem: Kem,
  seed: Uint8Array,
): Promise<{ readonly secretKey: Uint8Array; readonly sessionKey: SessionKey }> {
  const suite = suiteOf(kem);
  const pair = await suite.DeriveKeyPair(seed, true);
  const publicKey = await suite.SerializePublicKey(pair.publicKey);
  return {
    secretKey: await suite.SerializePrivateKey(pair.privateKey),
    sessionKey: { kem, publicKey: encodeBase64(publicKey) },
  };
}

/** Both names and the identifier are part of the HPKE `info`: an opening cannot be moved to another pair. */
function infoOf(asker: string, node: string, sessionId: Uint8Array): Uint8Array {
  const name = (value: string): Uint8Array => concatBytes(uintToBytes(value.length, 1), utf8ToBytes(value));
  return concatBytes(utf8ToBytes('hitmachine-v1 session'), name(asker), name(node), sessionId);
}

function split(
  exported: Uint8Array,
  opening: Pick<SessionOpening, 'sessionId' | 'asker' | 'node' | 'expiresAt'>,
): Session {
  return {
    id: opening.sessionId,
    asker: opening.asker,
    node: opening.node,
    questionKey: exported.slice(0, 32),
    answerKey: exported.slice(32, 64),
    expiresAt: opening.expiresAt,
  };
}

/** Opens a session towards a node and returns it with the encoded opening that the node needs. */
export async function openSession(
  backend: Backend,
  parties: {
    readonly asker: string;
    readonly identitySeed: Uint8Array;
    readonly node: string;
    readonly nodeKey: SessionKey;
  },
  now: number,
  random: Random,
): Promise<{ readonly session: Session; readonly opening: Uint8Array }> {
  const { asker, node, nodeKey } = parties;
  const sessionId = random(SESSION_ID_BYTES);
  const suite = suiteOf(nodeKey.kem);
  const publicKey = await suite.DeserializePublicKey(decodeBase64(nodeKey.publicKey));
  const { encapsulatedSecret, exportedSecret } = await suite.SendExport(publicKey, EXPORT_CONTEXT, 64, {
    info: infoOf(asker, node, sessionId),
  });
  const unsigned = {
    version: VERSION,
    sessionId,
    asker,
    node,
    encapsulated: encapsulatedSecret,
    issuedAt: now,
    expiresAt: now + LIFETIME_MS,
  };
  const signature = backend.signatures.sign(parties.identitySeed, signedBytes(unsigned));
  return {
    session: split(exportedSecret, unsigned),
    opening: sessionOpeningCodec.encode({ ...unsigned, signature }),
  };
}

function signedBytes(unsigned: Omit<SessionOpening, 'signature'>): Uint8Array {
  return concatBytes(utf8ToBytes('hitmachine-v1 session-opening\n'), unsignedOpeningCodec.encode(unsigned));
}

/** Accepts an opening at the node. Throws `signature-invalid`, `signature-expired` or `decryption-failed`. */
export async function acceptSession(
  backend: Backend,
  parties: {
    readonly asker: string;
    readonly identityKey: Uint8Array;
    readonly node: string;
    readonly kem: Kem;
    readonly secretKey: Uint8Array;
  },
  opening: Uint8Array,
  now: number,
): Promise<Session> {
  const { signature, ...unsigned } = sessionOpeningCodec.decode(opening);
  if (unsigned.version !== VERSION || unsigned.asker !== parties.asker || unsigned.node !== parties.node)
    throw new HitError('signature-invalid', 'the session was opened for other parties');
  if (!backend.signatures.verify(parties.identityKey, signedBytes(unsigned), signature))
    throw new HitError('signature-invalid');
  const lifetime = unsigned.expiresAt - unsigned.issuedAt;
  if (
    unsigned.issuedAt > now + LIMITS.clockSkewMs ||
    unsigned.expiresAt < now ||
    lifetime < 0 ||
    lifetime > LIFETIME_MS
  )
    throw new HitError('signature-expired', 'the session has expired, or one of the clocks is wrong');
  try {
    const suite = suiteOf(parties.kem);
    const secretKey = await suite.DeserializePrivateKey(parties.secretKey);
    const exported = await suite.ReceiveExport(secretKey, unsigned.encapsulated, EXPORT_CONTEXT, 64, {
      info: infoOf(unsigned.asker, unsigned.node, unsigned.sessionId),
    });
    return split(exported, unsigned);
  } catch (cause) {
    throw new HitError('decryption-failed', undefined, { cause });
  }
}
