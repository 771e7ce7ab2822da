import sodium from 'libsodium-wrappers-sumo';
import { HitError } from '../errors.ts';

/** Bytes that each message of a stream grows by, and of the header that a stream begins with. */
export const STREAM_MESSAGE_BYTES = 17;
export const STREAM_HEADER_BYTES = 24;

/** Seals the messages of one stream, in order. */
export interface SealingStream {
  /** Goes in front of the messages; no secret. */
  readonly header: Uint8Array;
  /** After the message with `last` there are no more. */
  seal(message: Uint8Array, last: boolean): Uint8Array;
}

/** Opens the messages of one stream, in the order in which they were sealed. */
export interface OpeningStream {
  /**
   * Throws `decryption-failed` for a message that was changed, left out, moved or repeated, of another stream, or under
   * another key. A stream that was cut off is one whose last message did not come with `last`.
   */
  open(sealed: Uint8Array): { readonly message: Uint8Array; readonly last: boolean };
}

/**
 * Sealing of something too large to be in memory: the secret stream of libsodium (XChaCha20-Poly1305, each message bound
 * to all before it). `key` has 32 bytes and is good for any number of streams; `associated` is bound to the first message.
 */
export async function sealingStream(key: Uint8Array, associated: Uint8Array): Promise<SealingStream> {
  await sodium.ready;
  const { state, header } = sodium.crypto_secretstream_xchacha20poly1305_init_push(key);
  let first = true;
  return {
    header,
    seal(message, last) {
      const tag = last
        ? sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL
        : sodium.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
      const bound = first ? associated : null;
      first = false;
      return sodium.crypto_secretstream_xchacha20poly1305_push(state, message, bound, tag);
    },
  };
}

/** The other side of {@link sealingStream}. Throws `decryption-failed` for a header that is none. */
export async function openingStream(
  key: Uint8Array,
  header: Uint8Array,
  associated: Uint8Array,
): Promise<OpeningStream> {
  await sodium.ready;
  if (header.length !== STREAM_HEADER_BYTES) throw new HitError('decryption-failed');
  const state = sodium.crypto_secretstream_xchacha20poly1305_init_pull(header, key);
  let first = true;
  return {
    open(sealed) {
      if (sealed.length < STREAM_MESSAGE_BYTES) throw new HitError('decryption-failed');
      const pulled = sodium.crypto_secretstream_xchacha20poly1305_pull(
        state,
        sealed,
        first ? associated : null,
      );
      if (typeof pulled === 'boolean') throw new HitError('decryption-failed');
      first = false;
      const last = pulled.tag === sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL;
      return { message: pulled.message, last };
    },
  };
}
