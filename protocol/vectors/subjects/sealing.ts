import { z } from 'zod';
import type { Session } from '../../src/index.ts';
import { noble, openAnswer, openQuestion, sealAnswer, sealQuestion, utf8ToBytes } from '../../src/index.ts';
import { expand, handOut } from '../deterministic.ts';
import type { Case, NegativeCase, Subject } from '../format.ts';
import { hex, operation } from '../format.ts';

const sessionSchema = z.strictObject({ id: hex, questionKey: hex, answerKey: hex });
const context = { session: sessionSchema, counter: z.number(), ticket: hex };

/** Sealing needs the keys and the identifier of a session alone. */
const sessionOf = (keys: z.output<typeof sessionSchema>): Session => ({
  ...keys,
  asker: 'gemeente',
  node: 'politie',
  expiresAt: 0,
});

/** Questions and answers within a session. */
export const sealing: Subject = {
  description:
    'Sealing within a session, ChaCha20-Poly1305. The associated data are "hitmachine-v1 question" or "hitmachine-v1 ' +
    'answer", the session identifier and the SHA-256 of the encoded ticket; for an answer also the counter in twelve ' +
    'bytes. The nonce of a question is its counter in twelve bytes; that of an answer is random and goes in front.',
  operations: {
    'seal-question': operation(z.strictObject({ ...context, plaintext: hex }), (backend, given) =>
      sealQuestion(backend, sessionOf(given.session), given.counter, given.ticket, given.plaintext),
    ),
    'open-question': operation(z.strictObject({ ...context, ciphertext: hex }), (backend, given) =>
      openQuestion(backend, sessionOf(given.session), given.counter, given.ticket, given.ciphertext),
    ),
    'seal-answer': operation(z.strictObject({ ...context, plaintext: hex, nonce: hex }), (backend, given) =>
      sealAnswer(
        backend,
        sessionOf(given.session),
        given.counter,
        given.ticket,
        given.plaintext,
        handOut(given.nonce),
      ),
    ),
    'open-answer': operation(z.strictObject({ ...context, ciphertext: hex }), (backend, given) =>
      openAnswer(backend, sessionOf(given.session), given.counter, given.ticket, given.ciphertext),
    ),
  },
  async cases() {
    const random = expand('sealing');
    const session = { id: random(16), questionKey: random(32), answerKey: random(32) };
    const ticket = random(80);
    const plaintext = utf8ToBytes('a question, or an answer');
    const base = { session, counter: 5, ticket };
    const ciphertext = sealQuestion(noble, sessionOf(session), 5, ticket, plaintext);
    const nonce = random(12);
    const sealedAnswer = sealAnswer(noble, sessionOf(session), 5, ticket, plaintext, handOut(nonce));
    const refusedAnswer = (name: string, change: object): NegativeCase => ({
      name: `an answer: ${name}`,
      operation: 'open-answer',
      input: { ...base, ciphertext: sealedAnswer, ...change },
      error: 'decryption-failed',
    });
    const refused = (name: string, change: object, operationName = 'open-question'): NegativeCase => ({
      name,
      operation: operationName,
      input: { ...base, ciphertext, ...change },
      error: 'decryption-failed',
    });
    return {
      vectors: [
        ...(
          [
            ['seal-question', {}],
            ['seal-answer', { nonce }],
          ] as const
        ).flatMap(([name, drawn]): Case[] => [
          { name: 'counter 5', operation: name, input: { ...base, ...drawn, plaintext } },
          {
            name: 'counter 0, nothing inside',
            operation: name,
            input: { ...base, ...drawn, counter: 0, plaintext: '' },
          },
          {
            name: 'the largest counter',
            operation: name,
            input: { ...base, ...drawn, counter: 2 ** 53 - 1, plaintext },
          },
        ]),
        { name: 'counter 5', operation: 'open-question', input: { ...base, ciphertext } },
        {
          name: 'counter 5',
          operation: 'open-answer',
          input: { ...base, ciphertext: sealedAnswer },
        },
      ],
      negative: [
        refused('a question taken for an answer', {}, 'open-answer'),
        refused('the keys the wrong way round', {
          session: { ...session, questionKey: session.answerKey, answerKey: session.questionKey },
        }),
        refused('another counter', { counter: 6 }),
        refused('another ticket', { ticket: random(80) }),
        refused('another session identifier', { session: { ...session, id: random(16) } }),
        refused('a changed byte', { ciphertext: ciphertext.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) }),
        refused('cut off', { ciphertext: ciphertext.slice(0, -1) }),
        refused('shorter than a tag', { ciphertext: ciphertext.slice(0, 15) }),
        refused('a byte too many', { ciphertext: Uint8Array.of(...ciphertext, 0) }),
        refusedAnswer('to another counter', { counter: 6 }),
        refusedAnswer('to another ticket', { ticket: random(80) }),
        refusedAnswer('in another session', { session: { ...session, id: random(16) } }),
        refusedAnswer('another nonce', {
          ciphertext: sealedAnswer.map((byte, i) => (i === 11 ? byte ^ 1 : byte)),
        }),
        refusedAnswer('cut off', { ciphertext: sealedAnswer.slice(0, -1) }),
        refusedAnswer('shorter than a nonce', { ciphertext: sealedAnswer.slice(0, 11) }),
      ],
    };
  },
};
