import { hash } from 'node:crypto';

/** Slots at the start; a power of two. */
const FIRST_SLOTS = 1 << 10;

/**
 * Which texts came before, and in which row, in 24 bytes a text or so: of each it keeps half of a hash (64 bits, so that
 * two of a million different ones meet once in tens of millions of imports). In memory alone, and no longer than an
 * import.
 */
export class RowSet {
  /** Three words a slot: the hash, and the row; a row of 0 is an empty slot. */
  #slots = new Uint32Array(FIRST_SLOTS * 3);
  #size = 0;

  /** The row in which the text came before; undefined when it did not. */
  find(text: string): number | undefined {
    const [high, low] = digestOf(text);
    return this.#slots[this.#slotOf(this.#slots, high, low) + 2] || undefined;
  }

  /** Notes that the text came in a row (1 or more), and gives the one in which it came before. */
  add(text: string, row: number): number | undefined {
    const [high, low] = digestOf(text);
    const at = this.#slotOf(this.#slots, high, low);
    const before = this.#slots[at + 2];
    if (before !== undefined && before !== 0) return before;
    this.#slots.set([high, low, row], at);
    if (++this.#size * 2 > this.#slots.length / 3) this.#grow();
    return undefined;
  }

  #slotOf(slots: Uint32Array, high: number, low: number): number {
    const mask = slots.length / 3 - 1;
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const at = slot * 3;
      if (slots[at + 2] === 0 || (slots[at] === high && slots[at + 1] === low)) return at;
    }
  }

  #grow(): void {
    const next = new Uint32Array(this.#slots.length * 2);
    for (let at = 0; at < this.#slots.length; at += 3)
      if (this.#slots[at + 2] !== 0) {
        const [high, low] = [this.#slots[at] as number, this.#slots[at + 1] as number];
        next.set(this.#slots.subarray(at, at + 3), this.#slotOf(next, high, low));
      }
    this.#slots = next;
  }
}

function digestOf(text: string): [number, number] {
  const digest = hash('sha256', text, 'buffer');
  return [digest.readUInt32LE(0), digest.readUInt32LE(4)];
}
