import { base64urlnopad } from '@scure/base';
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import { HitError } from './errors.ts';

export { bytesToHex, concatBytes, hexToBytes };

/** Of the Encoding Standard, which every runtime has; this package goes by no runtime's types. */
declare const TextEncoder: new () => { encode(text: string): Uint8Array<ArrayBuffer> };
const encoder = new TextEncoder();

/** A text in UTF-8. Written once and not copied: entries of logs and all that is signed or hashed go through here. */
export const utf8ToBytes = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text);

/** A source of cryptographically secure random bytes; passed in, so that protocol code has no clock and no dice. */
export type Random = (length: number) => Uint8Array;

/** Big-endian integer of `length` bytes (I2OSP, RFC 8017 section 4.1). `value` must fit. */
export function uintToBytes(value: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  putUint(bytes, 0, value, length);
  return bytes;
}

/** The same into memory that is there. */
export function putUint(bytes: Uint8Array, at: number, value: number, length: number): void {
  let rest = value;
  // Not by shifting, which ends at 32 bits.
  for (let i = at + length - 1; i >= at; i--) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  if (rest !== 0 || !Number.isSafeInteger(value))
    throw new HitError('field-invalid', `an integer does not fit in ${length} bytes`);
}

/** Compares without an early exit, so that the time taken does not tell where two values differ. */
export function constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}

/** Base64url without padding (RFC 4648 section 5): the only text form of bytes in our JSON. */
export const encodeBase64 = (bytes: Uint8Array): string => base64urlnopad.encode(bytes);

/** Strict inverse of {@link encodeBase64}; anything else throws `malformed`. `length` is checked when given. */
export function decodeBase64(text: string, length?: number): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = base64urlnopad.decode(text);
  } catch (cause) {
    throw new HitError('malformed', 'a value is not base64url without padding', { cause });
  }
  if (length !== undefined && bytes.length !== length)
    throw new HitError('malformed', `a value has ${bytes.length} bytes where ${length} are needed`);
  return bytes;
}
