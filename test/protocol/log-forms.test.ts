import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ED25519,
  EMPTY_ROOT,
  addCheckpointRequest,
  addSignatures,
  checkpointText,
  cosign,
  formatHashLines,
  formatNote,
  formatReceipt,
  formatSignature,
  formatVerifierKey,
  parseAddCheckpoint,
  parseCheckpoint,
  parseHashLines,
  parseNote,
  parseReceipt,
  parseSignature,
  parseVerifierKey,
  proveInclusion,
  witnessName,
} from '@hitmachine/protocol';
import { LOG_KEY, ORIGIN, checkpointOf, leavesOf, logOf, receiptOf } from './log-support.ts';
import { acceptsOrRefuses, seeded, sodium } from './support.ts';

const log = logOf(leavesOf(21));
const checkpoint = checkpointOf(log);
const receipt = await receiptOf(log, 13);
const line = cosign(
  sodium,
  seeded('witness 1')(32),
  witnessName('waalstad', 'agency-1'),
  parseNote(checkpoint),
  1_767_225_600,
);

/** Each text format with one that is valid, and what it is read and written again with. */
const FORMATS: readonly (readonly [name: string, example: string, again: (text: string) => string])[] = [
  ['note', addSignatures(checkpoint, [line]), (text) => formatNote(parseNote(text))],
  ['signature', line, (text) => formatSignature(parseSignature(text))],
  [
    'verifier key',
    formatVerifierKey({ name: ORIGIN, type: ED25519, publicKey: LOG_KEY.publicKey }),
    (text) => formatVerifierKey(parseVerifierKey(text)),
  ],
  [
    'checkpoint',
    checkpoint,
    (text) => {
      const { origin, head, note } = parseCheckpoint(text);
      return formatNote({ text: checkpointText(origin, head), signatures: note.signatures });
    },
  ],
  ['receipt', receipt, (text) => formatReceipt(parseReceipt(text))],
  [
    'request to a witness',
    addCheckpointRequest(13, await proveInclusion(log.hashes, 3, 8), checkpoint),
    (text) => {
      const { oldSize, proof, checkpoint: inside } = parseAddCheckpoint(text);
      return addCheckpointRequest(oldSize, proof, inside);
    },
  ],
  ['proof', formatHashLines([EMPTY_ROOT, EMPTY_ROOT]), (text) => formatHashLines(parseHashLines(text))],
];

describe.each(FORMATS)('a %s', (_, example, again) => {
  test('is read and written again as it was', () => {
    expect(again(example)).toBe(example);
  });

  test('has one form: whatever else is read is written again as it was, or refused with a code', () => {
    const piece = fc.constantFrom(
      '\n',
      '\n\n',
      ' ',
      '\u2014 ',
      '+',
      '=',
      '0',
      '9',
      'A',
      '/',
      '\0',
      '\r',
      '\ud800',
      '\ufeff',
      'é',
    );
    fc.assert(
      fc.property(fc.nat(example.length), fc.nat(4), piece, fc.nat(3), (at, length, added, times) => {
        const text = example.slice(0, at) + added.repeat(times) + example.slice(at + length);
        const outcome = acceptsOrRefuses(() => again(text));
        if (outcome !== undefined) expect(outcome.value).toBe(text);
      }),
      { numRuns: 1_000 },
    );
  });

  test('is refused with a code where it is anything', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const outcome = acceptsOrRefuses(() => again(text));
        if (outcome !== undefined) expect(outcome.value).toBe(text);
      }),
    );
  });

  test('has no bit that can be turned unnoticed', () => {
    // Everything in these texts is ASCII, or one of the dashes: turning a bit of a character makes another text.
    for (let at = 0; at < example.length; at++)
      for (let bit = 0; bit < 7; bit++) {
        const code = example.charCodeAt(at) ^ (1 << bit);
        const text = example.slice(0, at) + String.fromCharCode(code) + example.slice(at + 1);
        const outcome = acceptsOrRefuses(() => again(text));
        if (outcome !== undefined) expect(outcome.value).toBe(text);
      }
  });
});
