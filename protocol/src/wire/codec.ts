import { HitError } from '../errors.ts';
import type { Scratch } from './writer.ts';
import { Writer } from './writer.ts';

export { Scratch } from './writer.ts';

/**
 * The binary form of our messages: fixed fields in a fixed order, integers big-endian, every variable part with
 * its length in front and a limit. There is exactly one encoding of a value; everything else is refused
 * as `malformed`. (The idea is the presentation language of TLS, RFC 8446 section 3.)
 */
export interface Field<T> {
  write(sink: Writer, value: T): void;
  read(source: Reader): T;
}

/** A whole message: {@link Field} with nothing allowed behind it. */
export interface Codec<T> {
  /** With `scratch` the bytes are good until that is used again. */
  encode(value: T, scratch?: Scratch): Uint8Array;
  decode(bytes: Uint8Array): T;
}

const bad = (what: string): HitError => new HitError('malformed', what);

/** Reads forward through a message; never beyond its end. */
export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw bad('the message is cut off');
    return this.#bytes.subarray(this.#at, (this.#at += length));
  }

  uint(length: number): number {
    if (length > this.#bytes.length - this.#at) throw bad('the message is cut off');
    let value = 0;
    for (const end = this.#at + length; this.#at < end; this.#at++)
      value = value * 256 + (this.#bytes[this.#at] as number);
    if (!Number.isSafeInteger(value)) throw bad('an integer is too large');
    return value;
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw bad('the message is longer than it should be');
  }
}

/** An unsigned integer of 1 to 8 bytes, at most 2^53 − 1. */
export const uint = (length: number): Field<number> => ({
  write: (sink, value) => sink.uint(value, length),
  read: (source) => source.uint(length),
});

export const u8 = uint(1);
export const u16 = uint(2);
export const u32 = uint(4);
/** Milliseconds since 1970, and other large counters. */
export const u64 = uint(8);

/** Exactly `length` bytes. */
export const bytes = (length: number): Field<Uint8Array> => ({
  write(sink, value) {
    if (value.length !== length) throw bad(`a field has ${value.length} bytes where ${length} are needed`);
    sink.put(value);
  },
  read: (source) => source.take(length),
});

/** Up to `max` bytes, with a four-byte length. */
export const blob = (max: number): Field<Uint8Array> => ({
  write(sink, value) {
    if (value.length > max) throw bad(`a field has more than ${max} bytes`);
    sink.uint(value.length, 4);
    sink.put(value);
  },
  read(source) {
    const length = source.uint(4);
    if (length > max) throw bad(`a field has more than ${max} bytes`);
    return source.take(length);
  },
});

const isPrintable = (code: number): boolean => code >= 0x20 && code <= 0x7e;

/** Printable ASCII, up to 65,535 characters: identifiers, codes, header values. */
export const text = (max: number): Field<string> => ({
  write(sink, value) {
    if (value.length > max) throw bad('a text is too long');
    sink.uint(value.length, 2);
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (!isPrintable(code)) throw bad('a text is not plain ASCII');
      sink.uint(code, 1);
    }
  },
  read(source) {
    const length = source.uint(2);
    if (length > max) throw bad('a text is too long');
    const codes = source.take(length);
    if (!codes.every(isPrintable)) throw bad('a text is not plain ASCII');
    return String.fromCharCode.apply(null, codes as unknown as number[]);
  },
});

/** One of a closed list of words, as its position in the list. */
export const oneOf = <const T extends string>(...words: readonly T[]): Field<T> => ({
  write: (sink, value) => u8.write(sink, words.indexOf(value)),
  read(source) {
    const word = words[source.uint(1)];
    if (word === undefined) throw bad('a code is not known');
    return word;
  },
});

/** Up to `max` values of one kind, with a two-byte count. */
export const list = <T>(field: Field<T>, max: number): Field<readonly T[]> => ({
  write(sink, values) {
    if (values.length > max) throw bad(`a list has more than ${max} parts`);
    u16.write(sink, values.length);
    for (const value of values) field.write(sink, value);
  },
  read(source) {
    const length = source.uint(2);
    if (length > max) throw bad(`a list has more than ${max} parts`);
    const values: T[] = [];
    for (let i = 0; i < length; i++) values.push(field.read(source));
    return values;
  },
});

/** A value or its absence. */
export const optional = <T>(field: Field<T>): Field<T | undefined> => ({
  write(sink, value) {
    u8.write(sink, value === undefined ? 0 : 1);
    if (value !== undefined) field.write(sink, value);
  },
  read(source) {
    const present = source.uint(1);
    if (present > 1) throw bad('an optional part has a wrong mark');
    return present === 1 ? field.read(source) : undefined;
  },
});

type Shape = Record<string, Field<never>>;
type ValueOf<S> = { readonly [K in keyof S]: S[K] extends Field<infer T> ? T : never };

/** Named fields, in the order in which they are written down. */
export function struct<const S extends Record<string, unknown>>(fields: S): Field<ValueOf<S>> {
  const named = Object.entries(fields as unknown as Shape) as [keyof S, Field<unknown>][];
  return {
    write(sink, value) {
      for (const [name, field] of named) field.write(sink, value[name]);
    },
    read(source) {
      const value: Partial<Record<keyof S, unknown>> = {};
      for (const [name, field] of named) value[name] = field.read(source);
      return value as ValueOf<S>;
    },
  };
}

/** A union of messages: one byte that says which, then its fields. */
export function union<const S extends Record<string, unknown>>(
  cases: S,
): Field<{ [K in keyof S]: { readonly type: K } & (S[K] extends Field<infer T> ? T : never) }[keyof S]> {
  const named = Object.entries(cases as unknown as Shape) as [string, Field<unknown>][];
  return {
    write(sink, value) {
      const index = named.findIndex(([name]) => name === value.type);
      u8.write(sink, index);
      named[index]?.[1].write(sink, value);
    },
    read(source) {
      const found = named[source.uint(1)];
      if (found === undefined) throw bad('the kind of message is not known');
      return { type: found[0], ...(found[1].read(source) as object) } as never;
    },
  };
}

/** A field with the bytes that it takes in front, as four bytes: one message after another in a stream. */
export const framed = <T>(field: Field<T>): Field<T> => ({
  write(sink, value) {
    sink.framed(() => field.write(sink, value));
  },
  read(source) {
    const within = new Reader(source.take(source.uint(4)));
    const value = field.read(within);
    within.end();
    return value;
  },
});

/** Turns a field into a message of at most `maxBytes`. */
export function message<T>(field: Field<T>, maxBytes: number): Codec<T> {
  return {
    encode(value, scratch) {
      const sink = new Writer();
      field.write(sink, value);
      if (sink.length > maxBytes) throw bad(`the message has more than ${maxBytes} bytes`);
      return sink.finish(scratch);
    },
    decode(input) {
      if (input.length > maxBytes) throw bad(`the message has more than ${maxBytes} bytes`);
      const source = new Reader(input);
      const value = field.read(source);
      source.end();
      return value;
    },
  };
}
