import { decodeBase64 } from '../bytes.ts';

/** Filled up to this part, so that a free place is near. */
const FULL = 0.5;

/**
 * A set of random identifiers in eight bytes each, for logs of many millions of lookups. It knows an identifier by
 * its first 64 bits: two that are made alike in these count as one, so it is for identifiers of one who gains
 * nothing by that.
 */
export class IdSet {
  #places = new BigUint64Array(1_024);
  #size = 0;

  /** Adds an identifier (base64url, at least 8 bytes); false when it was there. */
  add(id: string): boolean {
    const bytes = decodeBase64(id);
    // Zero stands for a free place.
    const value = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0) || 1n;
    if (!this.#insert(value)) return false;
    this.#size++;
    if (this.#size > this.#places.length * FULL) this.#grow();
    return true;
  }

  #insert(value: bigint): boolean {
    const places = this.#places;
    const mask = places.length - 1;
    for (let at = Number(value & 0xffff_ffffn) & mask; ; at = (at + 1) & mask) {
      const there = places[at] as bigint;
      if (there === value) return false;
      if (there !== 0n) continue;
      places[at] = value;
      return true;
    }
  }

  #grow(): void {
    const before = this.#places;
    this.#places = new BigUint64Array(before.length * 2);
    for (const value of before) if (value !== 0n) this.#insert(value);
  }
}
