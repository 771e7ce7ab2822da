import { blob, bytes, message, struct, u64, u8 } from './codec.ts';
import { idField } from './fields.ts';

/**
 * The first message of a pairwise session: an HPKE encapsulation to the node's key, signed by the asking agency.
 * It travels with the first question, so that a new session costs no extra round trip.
 */
export interface SessionOpening {
  readonly version: number;
  readonly sessionId: Uint8Array;
  readonly asker: string;
  readonly node: string;
  /** HPKE `enc` (RFC 9180 section 4). */
  readonly encapsulated: Uint8Array;
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** Ed25519 by the asker's identity over everything above. */
  readonly signature: Uint8Array;
}

export const SESSION_ID_BYTES = 16;

const unsigned = {
  version: u8,
  sessionId: bytes(SESSION_ID_BYTES),
  asker: idField,
  node: idField,
  encapsulated: blob(2_048),
  issuedAt: u64,
  expiresAt: u64,
};

export const sessionOpeningCodec = message<SessionOpening>(
  struct({ ...unsigned, signature: bytes(64) }),
  4_096,
);
export const unsignedOpeningCodec = message<Omit<SessionOpening, 'signature'>>(struct(unsigned), 4_096);
