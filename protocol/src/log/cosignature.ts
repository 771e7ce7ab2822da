import type { Backend } from '../backend/backend.ts';
import { concatBytes, uintToBytes, utf8ToBytes } from '../bytes.ts';
import { HitError } from '../errors.ts';
import type { Note } from './note.ts';
import {
  COSIGNATURE_V1,
  MAX_NOTE_SIGNATURES,
  formatNote,
  formatSignature,
  formatVerifierKey,
  noteKeyId,
  parseNote,
  parseSignatures,
  signaturesOf,
} from './note.ts';

/**
 * Cosignatures of witnesses (C2SP tlog-cosignature, `cosignature/v1`, Ed25519): that the witness saw this checkpoint
 * at a time, consistent with all it saw before of the same log, and none larger.
 */

/** A witness whose cosignatures count. */
export interface WitnessKey {
  readonly name: string;
  readonly publicKey: Uint8Array;
}

/** The witness's key in the text form that other implementations take. */
export const witnessVerifierKey = (witness: WitnessKey): string =>
  formatVerifierKey({ ...witness, type: COSIGNATURE_V1 });

/** Bytes in front of the Ed25519 signature: the time. */
const TIME_BYTES = 8;

/** What a witness signs: the time in seconds since 1970, and the text of the note. */
const cosignedBytes = (text: string, at: number): Uint8Array =>
  utf8ToBytes(`cosignature/v1\ntime ${at}\n${text}`);

/**
 * The signature line, newline included, with which a witness cosigns the text of a checkpoint. Whether the witness
 * may do so is for `addCheckpoint` to find out. `at`: whole seconds since 1970, not 0.
 */
export function cosign(
  backend: Backend,
  seed: Uint8Array,
  name: string,
  note: Pick<Note, 'text'>,
  at: number,
): string {
  if (!Number.isSafeInteger(at) || at < 1)
    throw new HitError('field-invalid', 'the time of a cosignature is in whole seconds since 1970');
  const keyId = noteKeyId({ name, type: COSIGNATURE_V1, publicKey: backend.signatures.publicKey(seed) });
  const signature = backend.signatures.sign(seed, cosignedBytes(note.text, at));
  return formatSignature({ name, keyId, signature: concatBytes(uintToBytes(at, TIME_BYTES), signature) });
}

/** The time that a cosignature names, or undefined for one that is not in the right form. */
function timeOf(signature: Uint8Array): number | undefined {
  if (signature.length !== TIME_BYTES + 64) return undefined;
  const at = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
  return at >= 1n && at <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(at) : undefined;
}

/**
 * Which of the witnesses have validly cosigned a checkpoint, and when (seconds since 1970; the latest where one did
 * more than once). What is not valid does not count, whoever put it there. The log's own signature is not looked at.
 * Throws `malformed` for a text that is no note.
 */
export function cosignaturesOn(
  backend: Backend,
  text: string,
  witnesses: readonly WitnessKey[],
): { name: string; at: number }[] {
  const note = parseNote(text);
  return witnesses.flatMap(({ name, publicKey }) => {
    const times = signaturesOf(note, { name, type: COSIGNATURE_V1, publicKey }).flatMap(({ signature }) => {
      const at = timeOf(signature);
      if (at === undefined) return [];
      const signed = cosignedBytes(note.text, at);
      return backend.signatures.verify(publicKey, signed, signature.subarray(TIME_BYTES)) ? [at] : [];
    });
    return times.length === 0 ? [] : [{ name, at: Math.max(...times) }];
  });
}

/**
 * A note with signature lines added behind those it has; a line of the same key takes the place of the earlier one.
 * Beyond {@link MAX_NOTE_SIGNATURES} they are left out, since nobody could read the note. Throws `malformed`.
 */
export function addSignatures(text: string, lines: readonly string[]): string {
  const note = parseNote(text);
  const signatures = [...note.signatures];
  for (const line of lines)
    for (const added of parseSignatures(line)) {
      const known = signatures.findIndex(({ name, keyId }) => name === added.name && keyId === added.keyId);
      if (known >= 0) signatures[known] = added;
      else if (signatures.length < MAX_NOTE_SIGNATURES) signatures.push(added);
    }
  return formatNote({ text: note.text, signatures });
}
