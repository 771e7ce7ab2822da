import type { CipherChaCha20Poly1305Types } from 'node:crypto';
import { createCipheriv, createDecipheriv, getCiphers, hash } from 'node:crypto';
import type { Aead, Backend } from '@hitmachine/protocol';
import { AEAD_TAG_BYTES, HitError } from '@hitmachine/protocol/arithmetic';

const CIPHER: CipherChaCha20Poly1305Types = 'chacha20-poly1305';
/** From here on the runtime's own is faster than WebAssembly, although it takes longer to begin. */
const LARGE_BYTES = 4_096;
/** The runtime gives back each piece in memory of its own; pieces of this size stay in the processor's cache. */
const PIECE_BYTES = 32_768;
const BLOCK_BYTES = 65_536;
let block: Uint8Array = new Uint8Array(0);
const options = { authTagLength: AEAD_TAG_BYTES };

/** ChaCha20-Poly1305 (RFC 8439) by the runtime: the same bytes as that of the protocol, for any length. */
export const runtimeAead: Aead = {
  seal(key, nonce, associated, plaintext, front = new Uint8Array(0)) {
    const cipher = createCipheriv(CIPHER, key, nonce, options);
    cipher.setAAD(associated, { plaintextLength: plaintext.length });
    const sealed = unwritten(front.length + plaintext.length + AEAD_TAG_BYTES);
    sealed.set(front);
    inPieces(plaintext, (piece) => cipher.update(piece), sealed.subarray(front.length));
    cipher.final();
    sealed.set(cipher.getAuthTag(), sealed.length - AEAD_TAG_BYTES);
    return sealed;
  },
  open(key, nonce, associated, ciphertext) {
    const length = ciphertext.length - AEAD_TAG_BYTES;
    if (length < 0) throw new HitError('decryption-failed');
    const plaintext = unwritten(length);
    try {
      const decipher = createDecipheriv(CIPHER, key, nonce, options);
      decipher.setAAD(associated, { plaintextLength: length });
      decipher.setAuthTag(ciphertext.subarray(length));
      inPieces(ciphertext.subarray(0, length), (piece) => decipher.update(piece), plaintext);
      decipher.final();
    } catch (cause) {
      throw new HitError('decryption-failed', undefined, { cause });
    }
    return plaintext;
  },
};

/** Memory for a message of which every byte is about to be written; smaller ones share a block. */
function unwritten(length: number): Uint8Array {
  if (length > BLOCK_BYTES / 4) return Buffer.allocUnsafeSlow(length);
  if (block.length < length) block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  const message = block.subarray(0, length);
  block = block.subarray(length);
  return message;
}

function inPieces(input: Uint8Array, update: (piece: Uint8Array) => Uint8Array, output: Uint8Array): void {
  for (let at = 0; at < input.length; at += PIECE_BYTES)
    output.set(update(input.subarray(at, at + PIECE_BYTES)), at);
}

/** Base64url without padding by the runtime, ten times as fast as the protocol's own. */
export const toBase64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url');

/** Strict inverse of {@link toBase64}, as the protocol's own `decodeBase64`. Throws `malformed`. */
export function fromBase64(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64url');
  // The runtime leaves out what it cannot read.
  if (bytes.toString('base64url') !== text)
    throw new HitError('malformed', 'a value is not base64url without padding');
  return bytes;
}

/**
 * A backend that hashes by the runtime, and seals and opens large messages by it: an answer may hold a whole table. A
 * runtime that was built without this cipher leaves the sealing as it is.
 */
export function onRuntime(backend: Backend): Backend {
  const sha256 = (message: Uint8Array): Uint8Array => hash('sha256', message, 'buffer');
  const sha512 = (message: Uint8Array): Uint8Array => hash('sha512', message, 'buffer');
  if (!getCiphers().includes(CIPHER)) return { ...backend, sha256, sha512 };
  const { aead: own } = backend;
  const pick = (length: number): Aead => (length < LARGE_BYTES ? own : runtimeAead);
  return {
    ...backend,
    sha256,
    sha512,
    aead: {
      seal: (key, nonce, associated, plaintext, front) =>
        pick(plaintext.length).seal(key, nonce, associated, plaintext, front),
      open: (key, nonce, associated, ciphertext) =>
        pick(ciphertext.length).open(key, nonce, associated, ciphertext),
    },
  };
}
