import type { Backend } from '../backend/backend.ts';
import { concatBytes, uintToBytes, utf8ToBytes } from '../bytes.ts';
import type { Random } from '../bytes.ts';
import { HitError } from '../errors.ts';
import type { Session } from './session.ts';

const NONCE_BYTES = 12;

/**
 * Sealing within a session. The counter is the nonce of a question: the asker never uses one twice. The ticket is bound in, so that neither a question nor an answer fits any other lookup.
 */
const nonce = (counter: number): Uint8Array => uintToBytes(counter, NONCE_BYTES);

const QUESTION = utf8ToBytes('hitmachine-v1 question');
const ANSWER = utf8ToBytes('hitmachine-v1 answer');

function associated(
  backend: Backend,
  direction: Uint8Array,
  session: Session,
  ticket: Uint8Array,
): Uint8Array {
  return concatBytes(direction, session.id, backend.sha256(ticket));
}

/** Seals an encoded question; 16 bytes longer than its plaintext. `ticket` is the encoded ticket. */
export function sealQuestion(
  backend: Backend,
  session: Session,
  counter: number,
  ticket: Uint8Array,
  question: Uint8Array,
): Uint8Array {
  return backend.aead.seal(
    session.questionKey,
    nonce(counter),
    associated(backend, QUESTION, session, ticket),
    question,
  );
}

/** Throws `decryption-failed` for a wrong key, counter, ticket or byte alike. */
export function openQuestion(
  backend: Backend,
  session: Session,
  counter: number,
  ticket: Uint8Array,
  ciphertext: Uint8Array,
): Uint8Array {
  return backend.aead.open(
    session.questionKey,
    nonce(counter),
    associated(backend, QUESTION, session, ticket),
    ciphertext,
  );
}

/**
 * Seals an encoded answer; 28 bytes longer than its plaintext. The nonce is random and goes in front, because a node
 * that was restarted may come to seal another answer to the same counter.
 */
export function sealAnswer(
  backend: Backend,
  session: Session,
  counter: number,
  ticket: Uint8Array,
  answer: Uint8Array,
  random: Random,
): Uint8Array {
  const fresh = random(NONCE_BYTES);
  const bound = concatBytes(associated(backend, ANSWER, session, ticket), nonce(counter));
  return backend.aead.seal(session.answerKey, fresh, bound, answer, fresh);
}

/** Throws `decryption-failed` for a wrong key, counter, ticket or byte alike. */
export function openAnswer(
  backend: Backend,
  session: Session,
  counter: number,
  ticket: Uint8Array,
  sealed: Uint8Array,
): Uint8Array {
  if (sealed.length < NONCE_BYTES) throw new HitError('decryption-failed');
  const bound = concatBytes(associated(backend, ANSWER, session, ticket), nonce(counter));
  return backend.aead.open(
    session.answerKey,
    sealed.subarray(0, NONCE_BYTES),
    bound,
    sealed.subarray(NONCE_BYTES),
  );
}
