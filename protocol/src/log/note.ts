import { sha256 } from '@noble/hashes/sha2.js';
import { base64 } from '@scure/base';
import type { Backend } from '../backend/backend.ts';
import { bytesToHex, concatBytes, uintToBytes, utf8ToBytes } from '../bytes.ts';
import { HitError } from '../errors.ts';

/**
 * Signed notes (C2SP signed-note v1.0.0): a text of lines, an empty line, and one line a signature. Every note has
 * one form only: what is not exactly what {@link formatNote} writes is refused.
 */
export interface Note {
  /** Ends in a newline; this is what is signed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface NoteSignature {
  readonly name: string;
  /** Tells, with the name, which key of which kind signed: 32 bits. */
  readonly keyId: number;
  readonly signature: Uint8Array;
}

/** Kinds of signature: plain Ed25519 over the text, and Ed25519 of a witness with the time. */
export const ED25519 = 0x01;
export const COSIGNATURE_V1 = 0x04;

/** The public key of one who signs notes. */
export interface VerifierKey {
  readonly name: string;
  readonly type: typeof ED25519 | typeof COSIGNATURE_V1;
  readonly publicKey: Uint8Array;
}

/** As many signatures as `golang.org/x/mod/sumdb/note` reads in one note. */
export const MAX_NOTE_SIGNATURES = 100;
/** The longest note that is looked at, in characters. */
const MAX_NOTE_LENGTH = 65_536;
const MAX_NAME_LENGTH = 255;

const malformed = (detail: string, cause?: unknown): HitError => new HitError('malformed', detail, { cause });

/** Standard base64 with padding (RFC 4648 section 4), as all texts of C2SP have it. */
export const encodeNoteBase64 = (bytes: Uint8Array): string => base64.encode(bytes);

/** Strict inverse of {@link encodeNoteBase64}: one text for the same bytes. Throws `malformed`. */
export function decodeNoteBase64(text: string): Uint8Array {
  try {
    return base64.decode(text);
  } catch (cause) {
    throw malformed('a value of the note is not base64 with padding', cause);
  }
}

/** A decimal number without leading zeroes, up to 2^53 − 1. Throws `malformed`. */
export function decodeNoteNumber(text: string): number {
  const value = Number(text);
  if (!/^(?:0|[1-9]\d{0,15})$/.test(text) || !Number.isSafeInteger(value))
    throw malformed('a number of the note is not a plain decimal number below 2^53');
  return value;
}

/** Throws `malformed` for text that cannot stand in a note: control characters, or halves of characters. */
export function requireNoteText(text: string): void {
  // eslint-disable-next-line no-control-regex -- control characters are what the format forbids
  if (text.length > MAX_NOTE_LENGTH || /[\0-\x09\x0b-\x1f]/.test(text) || !text.isWellFormed())
    throw malformed('the note is too long, or has characters that a note cannot hold');
}

/** Whether a text can name a key: no spaces, no plus, no control characters. */
function isKeyName(name: string): boolean {
  return (
    name !== '' &&
    name.length <= MAX_NAME_LENGTH &&
    // eslint-disable-next-line no-control-regex -- control characters are what the format forbids
    !/[\p{White_Space}+\0-\x1f]/u.test(name) &&
    name.isWellFormed()
  );
}

function requireKeyName(name: string): void {
  if (!isKeyName(name)) throw malformed('the name of a key is empty, too long, or has a space or plus in it');
}

/** SHA-256(name || 0x0A || type || public key)[:4], as a number. */
export function noteKeyId({ name, type, publicKey }: VerifierKey): number {
  requireKeyName(name);
  const digest = sha256(concatBytes(utf8ToBytes(name), Uint8Array.of(0x0a, type), publicKey));
  return new DataView(digest.buffer, digest.byteOffset).getUint32(0);
}

const keyIdHex = (keyId: number): string => bytesToHex(uintToBytes(keyId, 4));

/** A verifier key as text (vkey): `name+keyid+base64`, what Go's `note.NewVerifier` takes. */
export function formatVerifierKey(key: VerifierKey): string {
  const material = concatBytes(Uint8Array.of(key.type), key.publicKey);
  return `${key.name}+${keyIdHex(noteKeyId(key))}+${encodeNoteBase64(material)}`;
}

/** Strict inverse of {@link formatVerifierKey}. Throws `malformed`. */
export function parseVerifierKey(text: string): VerifierKey {
  const [, name = '', id, material = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text) ?? [];
  const bytes = decodeNoteBase64(material);
  const [type] = bytes;
  if (bytes.length !== 33 || (type !== ED25519 && type !== COSIGNATURE_V1))
    throw malformed('a verifier key is no Ed25519 key of a log or a witness');
  const key: VerifierKey = { name, type, publicKey: bytes.slice(1) };
  if (keyIdHex(noteKeyId(key)) !== id) throw malformed('a verifier key has the id of another key');
  return key;
}

/** One signature line, newline included. */
export function formatSignature({ name, keyId, signature }: NoteSignature): string {
  requireKeyName(name);
  return `\u2014 ${name} ${encodeNoteBase64(concatBytes(uintToBytes(keyId, 4), signature))}\n`;
}

/** Strict inverse of {@link formatSignature}. Throws `malformed`. */
export function parseSignature(line: string): NoteSignature {
  const [, name, encoded] = /^\u2014 ([^ \n]+) ([^ \n]+)\n$/.exec(line) ?? [];
  if (name === undefined || encoded === undefined) throw malformed('a line of the note is no signature');
  requireKeyName(name);
  const bytes = decodeNoteBase64(encoded);
  if (bytes.length < 5) throw malformed('a signature of the note is too short');
  const keyId = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  return { name, keyId, signature: bytes.slice(4) };
}

/** The signature lines in a text that consists of nothing else. Throws `malformed`. */
export function parseSignatures(text: string): NoteSignature[] {
  requireNoteText(text);
  const lines = text.split('\n');
  if (lines.pop() !== '') throw malformed('the last line of the note does not end in a newline');
  if (lines.length === 0 || lines.length > MAX_NOTE_SIGNATURES)
    throw malformed(`a note has 1 to ${MAX_NOTE_SIGNATURES} signatures`);
  return lines.map((line) => parseSignature(`${line}\n`));
}

export function formatNote({ text, signatures }: Note): string {
  return `${text}\n${signatures.map(formatSignature).join('')}`;
}

/** Strict inverse of {@link formatNote}; no signature is checked. Throws `malformed`. */
export function parseNote(note: string): Note {
  requireNoteText(note);
  // The text may have empty lines: what is behind the last one are the signatures.
  const split = note.lastIndexOf('\n\n');
  if (split < 0) throw malformed('the note has no empty line between its text and its signatures');
  return { text: note.slice(0, split + 1), signatures: parseSignatures(note.slice(split + 2)) };
}

/** Signs the text of a note with plain Ed25519. `text` ends in a newline. */
export function signNote(
  backend: Backend,
  key: { readonly name: string; readonly seed: Uint8Array },
  text: string,
): NoteSignature {
  const publicKey = backend.signatures.publicKey(key.seed);
  return {
    name: key.name,
    keyId: noteKeyId({ name: key.name, type: ED25519, publicKey }),
    signature: backend.signatures.sign(key.seed, utf8ToBytes(text)),
  };
}

/** The signatures that carry the name and id of a key; those of other keys are nobody's business. */
export function signaturesOf(note: Note, key: VerifierKey): NoteSignature[] {
  const keyId = noteKeyId(key);
  return note.signatures.filter((signature) => signature.name === key.name && signature.keyId === keyId);
}

/**
 * Checks that a note is signed with a plain Ed25519 key. Throws `signature-invalid` where that signature is missing,
 * or where any that carries the name and id of the key is wrong.
 */
export function verifyNote(backend: Backend, note: Note, key: VerifierKey & { type: typeof ED25519 }): void {
  const message = utf8ToBytes(note.text);
  const signatures = signaturesOf(note, key);
  if (
    signatures.length === 0 ||
    !signatures.every(({ signature }) => backend.signatures.verify(key.publicKey, message, signature))
  )
    throw new HitError('signature-invalid', `the note is not signed by ${key.name}`);
}
