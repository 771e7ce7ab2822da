/** Bytes of a digest in the set: so many that two that differ never look alike. */
const WORDS = 4;
const DIGEST_BYTES = 4 * WORDS;
/** How full it may be, before it gets slow. */
const FULL = 0.75;

/**
 * The digests of a whole register in little memory: 22 to 43 bytes each, and half as much again while it grows. Takes
 * the first 16 bytes of a digest (SHA-256, say), which must be as good as random.
 */
export class DigestSet {
  /** Open addressing: an empty place is all zeros. */
  #places = new Uint32Array(1_024 * WORDS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Returns whether it was not there. */
  add(digest: Uint8Array): boolean {
    const words = new Uint32Array(WORDS);
    const view = new DataView(digest.buffer, digest.byteOffset, DIGEST_BYTES);
    for (let i = 0; i < WORDS; i++) words[i] = view.getUint32(4 * i);
    // All zeros would look like an empty place.
    words[WORDS - 1] = (words[WORDS - 1] as number) | 1;
    if (!this.#put(words)) return false;
    if (++this.#size * WORDS > FULL * this.#places.length) this.#grow();
    return true;
  }

  #put(words: Uint32Array): boolean {
    const places = this.#places;
    const mask = places.length / WORDS - 1;
    for (let at = (words[0] as number) & mask; ; at = (at + 1) & mask) {
      const there = at * WORDS;
      if (places[there + WORDS - 1] === 0) {
        places.set(words, there);
        return true;
      }
      if (words.every((word, i) => places[there + i] === word)) return false;
    }
  }

  #grow(): void {
    const old = this.#places;
    this.#places = new Uint32Array(2 * old.length);
    for (let at = 0; at < old.length; at += WORDS)
      if (old[at + WORDS - 1] !== 0) this.#put(old.subarray(at, at + WORDS));
  }
}
