import { putUint } from '../bytes.ts';

/**
 * Memory that is used again for one message after another. Large messages that are needed for a moment only, to be
 * sealed, would otherwise keep the garbage collector busy: it counts them before it sees that they are gone.
 */
export class Scratch {
  #bytes = new Uint8Array(0);

  take(length: number): Uint8Array {
    if (this.#bytes.length < length) this.#bytes = new Uint8Array(length);
    return this.#bytes.subarray(0, length);
  }
}

/** Smaller parts are put together while they are written; larger ones are copied once, into the message. */
const SMALL_BYTES = 256;
const CHUNK_BYTES = 2_048;
/** Of the message before; nothing where one is being written. */
let spare: Uint8Array | undefined;

/** Collects a message, without memory of its own for each of its many small parts. */
export class Writer {
  readonly #first: Uint8Array;
  #chunk: Uint8Array;
  /** Bytes of the chunk that stand in `#parts`, and that are written. */
  #taken = 0;
  #at = 0;
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  constructor() {
    this.#first = spare ?? new Uint8Array(CHUNK_BYTES);
    spare = undefined;
    this.#chunk = this.#first;
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** An unsigned integer, big-endian (I2OSP, RFC 8017 section 4.1). Throws `field-invalid` where it does not fit. */
  uint(value: number, length: number): void {
    const at = this.#room(length);
    putUint(this.#chunk, at, value, length);
  }

  /** Bytes as they are; until the message is finished they must not change. */
  put(bytes: Uint8Array): void {
    if (bytes.length <= SMALL_BYTES) {
      const at = this.#room(bytes.length);
      this.#chunk.set(bytes, at);
      return;
    }
    this.#flush();
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }

  /** What `write` writes, with its length in four bytes in front. */
  framed(write: () => void): void {
    const at = this.#room(4);
    const [chunk, before] = [this.#chunk, this.#length];
    write();
    putUint(chunk, at, this.#length - before, 4);
  }

  /** The whole message; nothing can be written any more. With `scratch` it is good until that is used again. */
  finish(scratch?: Scratch): Uint8Array {
    this.#flush();
    const result = scratch === undefined ? new Uint8Array(this.#length) : scratch.take(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      result.set(part, at);
      at += part.length;
    }
    spare = this.#first;
    return result;
  }

  /** Where in the chunk so many bytes go. */
  #room(length: number): number {
    if (this.#at + length > this.#chunk.length) {
      this.#flush();
      this.#chunk = new Uint8Array(CHUNK_BYTES);
      this.#taken = this.#at = 0;
    }
    const at = this.#at;
    this.#at += length;
    this.#length += length;
    return at;
  }

  #flush(): void {
    if (this.#taken < this.#at) this.#parts.push(this.#chunk.subarray(this.#taken, this.#at));
    this.#taken = this.#at;
  }
}
