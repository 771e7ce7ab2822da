import { sha256 } from '@noble/hashes/sha2.js';
import type { Backend } from '../backend/backend.ts';
import { concatBytes, uintToBytes, utf8ToBytes } from '../bytes.ts';
import type { Session } from './session.ts';

/**
 * Sealing within a session. The counter is the nonce: the asker never uses one twice, and the node answers a
 * counter once. The ticket is bound in, so that neither a question nor an answer fits any other lookup.
 */
const nonce = (counter: number): Uint8Array => uintToBytes(counter, 12);

function associated(direction: 'question' | 'answer', session: Session, ticket: Uint8Array): Uint8Array {
  return concatBytes(utf8ToBytes(`hitmachine-v1 ${direction}`), session.id, sha256(ticket));
}

/** Seals an encoded question; 16 bytes longer than its plaintext. `ticket` is the encoded ticket. */
export function sealQuestion(
  backend: Backend,
  session: Session,
  counter: number,
  ticket: Uint8Array,
  question: Uint8Array,
): Uint8Array {
  return backend.aead.seal(session.questionKey, nonce(counter), associated('question', session, ticket), question);
}

/** Throws `decryption-failed` for a wrong key, counter, ticket or byte alike. */
export function openQuestion(
  backend: Backend,
  session: Session,
  counter: number,
  ticket: Uint8Array,
  ciphertext: Uint8Array,
): Uint8Array {
  return backend.aead.open(session.questionKey, nonce(counter), associated('question', session, ticket), ciphertext);
}

export function sealAnswer(
  backend: Backend,
  session: Session,
  counter: number,
  ticket: Uint8Array,
  answer: Uint8Array,
): Uint8Array {
  return backend.aead.seal(session.answerKey, nonce(counter), associated('answer', session, ticket), answer);
}

/** Throws `decryption-failed` for a wrong key, counter, ticket or byte alike. */
export function openAnswer(
  backend: Backend,
  session: Session,
  counter: number,
  ticket: Uint8Array,
  ciphertext: Uint8Array,
): Uint8Array {
  return backend.aead.open(session.answerKey, nonce(counter), associated('answer', session, ticket), ciphertext);
}
