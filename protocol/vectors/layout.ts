import { bytesToHex, concatBytes, hexToBytes, uintToBytes, utf8ToBytes } from '../src/index.ts';

/**
 * Writes a message part by part and remembers which bytes are which. Shares no code with the codecs that are
 * under test, and so says a second time what a message looks like.
 */
export class Layout {
  readonly parts: [field: string, hex: string][] = [];

  raw(field: string, bytes: Uint8Array): this {
    this.parts.push([field, bytesToHex(bytes)]);
    return this;
  }

  uint(field: string, length: number, value: number): this {
    return this.raw(field, uintToBytes(value, length));
  }

  /** A two-byte length and ASCII. */
  text(field: string, value: string): this {
    return this.uint(`length of ${field}`, 2, value.length).raw(field, utf8ToBytes(value));
  }

  /** A four-byte length and bytes. */
  blob(field: string, bytes: Uint8Array): this {
    return this.uint(`length of ${field}`, 4, bytes.length).raw(field, bytes);
  }

  /** A two-byte count, then each value as `write` writes it. */
  list<T>(field: string, values: readonly T[], write: (value: T, name: string) => void): this {
    this.uint(`number of ${field}`, 2, values.length);
    values.forEach((value, i) => write(value, `${field}[${i}]`));
    return this;
  }

  /** All parts of another layout. */
  include(other: Layout, prefix: string): this {
    for (const [field, hex] of other.parts) this.parts.push([`${prefix}${field}`, hex]);
    return this;
  }

  bytes(): Uint8Array {
    return concatBytes(...this.parts.map(([, hex]) => hexToBytes(hex)));
  }
}
