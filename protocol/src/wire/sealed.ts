import { blob, bytes, message, optional, struct, u64 } from './codec.ts';
import { idField } from './fields.ts';
import { LIMITS } from './limits.ts';
import { SESSION_ID_BYTES } from './session-opening.ts';

/** A sealed question on its way to one node: what the asker posts to the gateway, and the gateway passes on. */
export interface SealedQuestion {
  readonly node: string;
  readonly sessionId: Uint8Array;
  /** Number of the question within its session; the nonce of the sealing, so never used twice. */
  readonly counter: number;
  /** Encoded session opening, as long as the asker has no proof that the node holds the session. */
  readonly opening: Uint8Array | undefined;
  readonly ciphertext: Uint8Array;
}

export const sealedQuestionField = struct({
  node: idField,
  sessionId: bytes(SESSION_ID_BYTES),
  counter: u64,
  opening: optional(blob(4_096)),
  ciphertext: blob(LIMITS.questionBytes + 16),
});

export const sealedQuestionCodec = message<SealedQuestion>(sealedQuestionField, LIMITS.questionBytes + 8_192);
