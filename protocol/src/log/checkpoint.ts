import type { Backend } from '../backend/backend.ts';
import { constantTimeEqual } from '../bytes.ts';
import { HitError } from '../errors.ts';
import type { TreeHead } from './merkle.ts';
import { EMPTY_ROOT, HASH_BYTES, requireTreeSize } from './merkle.ts';
import type { Note } from './note.ts';
import {
  ED25519,
  decodeNoteBase64,
  decodeNoteNumber,
  encodeNoteBase64,
  formatNote,
  formatVerifierKey,
  parseNote,
  requireNoteText,
  signNote,
  verifyNote,
} from './note.ts';

/**
 * Checkpoints (C2SP tlog-checkpoint): a signed note of three lines, the origin of the log, its size and its root.
 * Extension lines are refused: they are in no tree, so that nobody could see whether all readers get the same.
 */
export interface Checkpoint {
  readonly origin: string;
  readonly head: TreeHead;
  readonly note: Note;
}

/** Whose checkpoints are taken: the origin is also the name of the key that signs. */
export interface LogKey {
  readonly origin: string;
  readonly publicKey: Uint8Array;
}

/** The log's key in the text form that other implementations take. */
export const logVerifierKey = ({ origin, publicKey }: LogKey): string =>
  formatVerifierKey({ name: origin, type: ED25519, publicKey });

/** The three lines that are signed. */
export function checkpointText(origin: string, head: TreeHead): string {
  requireTreeSize(head.size);
  return `${origin}\n${head.size}\n${encodeNoteBase64(head.root)}\n`;
}

/** The checkpoint of a log at a head, signed with the Ed25519 key of `seed`. */
export function signCheckpoint(backend: Backend, seed: Uint8Array, origin: string, head: TreeHead): string {
  const text = checkpointText(origin, head);
  return formatNote({ text, signatures: [signNote(backend, { name: origin, seed }, text)] });
}

/** Reads a checkpoint without checking any signature. Throws `malformed`. */
export function parseCheckpoint(text: string): Checkpoint {
  const note = parseNote(text);
  const lines = note.text.split('\n');
  const [origin = '', size = '', root = ''] = lines;
  if (lines.length !== 4 || origin === '')
    throw new HitError('malformed', 'a checkpoint has three lines: origin, size and root');
  requireNoteText(origin);
  const head = { size: decodeNoteNumber(size), root: decodeNoteBase64(root) };
  if (head.root.length !== HASH_BYTES)
    throw new HitError('malformed', 'the root of a checkpoint does not have 32 bytes');
  return { origin, head, note };
}

/** Checks that a checkpoint is of this log and signed by it. Throws `signature-invalid`. */
export function verifyCheckpoint(backend: Backend, checkpoint: Checkpoint, log: LogKey): void {
  if (checkpoint.origin !== log.origin)
    throw new HitError('signature-invalid', `the checkpoint is not of the log ${log.origin}`);
  verifyNote(backend, checkpoint.note, { name: log.origin, type: ED25519, publicKey: log.publicKey });
}

/** Reads and checks a checkpoint. Throws `malformed`, `signature-invalid`, or `log-proof-invalid` for a root of nothing. */
export function openCheckpoint(backend: Backend, text: string, log: LogKey): Checkpoint {
  const checkpoint = parseCheckpoint(text);
  verifyCheckpoint(backend, checkpoint, log);
  if (checkpoint.head.size === 0 && !constantTimeEqual(checkpoint.head.root, EMPTY_ROOT))
    throw new HitError('log-proof-invalid', 'an empty log has another root');
  return checkpoint;
}
