import type { Backend } from '../backend/backend.ts';
import { HitError } from '../errors.ts';
import type { LogKey } from './checkpoint.ts';
import { openCheckpoint } from './checkpoint.ts';
import type { TreeHead } from './merkle.ts';
import { HASH_BYTES, leafHash } from './merkle.ts';
import { MAX_PROOF_HASHES, verifyInclusion } from './merkle-proof.ts';
import { decodeNoteBase64, decodeNoteNumber, encodeNoteBase64, requireNoteText } from './note.ts';

/**
 * Receipts (C2SP tlog-proof, without extra data): that an entry is in a log, for whoever has the entry and the key of
 * the log, without asking anybody.
 */
export interface Receipt {
  readonly index: number;
  /** The inclusion proof, from the leaf to the root. */
  readonly proof: readonly Uint8Array[];
  /** The checkpoint as it is, with all its signatures. */
  readonly checkpoint: string;
}

const FIRST_LINE = 'c2sp.org/tlog-proof@v1';

/** Hashes as lines of base64: how C2SP writes a proof. */
export const formatHashLines = (hashes: readonly Uint8Array[]): string =>
  hashes.map((hash) => `${encodeNoteBase64(hash)}\n`).join('');

/** Strict inverse of {@link formatHashLines}, for at most 63 hashes. Throws `malformed`. */
export function parseHashLines(text: string): Uint8Array[] {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new HitError('malformed', 'a line of the proof does not end in a newline');
  if (lines.length > MAX_PROOF_HASHES)
    throw new HitError('malformed', `a proof has at most ${MAX_PROOF_HASHES} hashes`);
  return lines.map((line) => {
    const hash = decodeNoteBase64(line);
    if (hash.length !== HASH_BYTES) throw new HitError('malformed', 'a hash of the proof has another length');
    return hash;
  });
}

export function formatReceipt({ index, proof, checkpoint }: Receipt): string {
  return `${FIRST_LINE}\nindex ${index}\n${formatHashLines(proof)}\n${checkpoint}`;
}

/** Strict inverse of {@link formatReceipt}; nothing is checked. Throws `malformed`. */
export function parseReceipt(text: string): Receipt {
  requireNoteText(text);
  const split = text.indexOf('\n\n');
  const head = `${FIRST_LINE}\nindex `;
  if (split < 0 || !text.startsWith(head))
    throw new HitError('malformed', `a receipt begins with ${FIRST_LINE} and the index of the entry`);
  const lines = text.slice(head.length, split + 1);
  const index = decodeNoteNumber(lines.slice(0, lines.indexOf('\n')));
  const proof = parseHashLines(lines.slice(lines.indexOf('\n') + 1));
  return { index, proof, checkpoint: text.slice(split + 2) };
}

/**
 * Checks that a leaf is in the log that a receipt speaks of; gives where, and the head it is proved against. Throws
 * `malformed`, `signature-invalid` or `log-proof-invalid`.
 */
export function verifyReceipt(
  backend: Backend,
  log: LogKey,
  leaf: Uint8Array,
  receiptText: string,
): { index: number; head: TreeHead; checkpoint: string } {
  const { index, proof, checkpoint } = parseReceipt(receiptText);
  const { head } = openCheckpoint(backend, checkpoint, log);
  verifyInclusion(head, index, leafHash(leaf), proof);
  return { index, head, checkpoint };
}
