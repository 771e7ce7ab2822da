/** Questions under way at once, of all askers and of one; bytes of answers that wait to be read, likewise. */
const MAX_QUESTIONS = 16_384;
const MAX_OF_ONE = 4_096;
const MAX_BYTES = 402_653_184;
const MAX_BYTES_OF_ONE = MAX_BYTES / 8;

/** Bounds what the questions under way and the answers to them keep in memory, however slow an asker reads. */
export class AnswersOnHand {
  readonly #asked = new Map<string, number>();
  /** Bytes of answers that wait for each asker. */
  readonly #held = new Map<string, number>();
  #questions = 0;
  #bytes = 0;

  /** Makes room for a question of an asker; false when there is none. */
  begin(asker: string): boolean {
    const asked = this.#asked.get(asker) ?? 0;
    if (this.#questions >= MAX_QUESTIONS || asked >= MAX_OF_ONE) return false;
    this.#questions++;
    this.#asked.set(asker, asked + 1);
    return true;
  }

  end(asker: string): void {
    this.#questions--;
    const left = (this.#asked.get(asker) ?? 1) - 1;
    if (left === 0) this.#asked.delete(asker);
    else this.#asked.set(asker, left);
  }

  /** Makes room for an answer to an asker; false when there is none. */
  hold(asker: string, bytes: number): boolean {
    const held = (this.#held.get(asker) ?? 0) + bytes;
    if (this.#bytes + bytes > MAX_BYTES || held > MAX_BYTES_OF_ONE) return false;
    if (bytes === 0) return true;
    this.#bytes += bytes;
    this.#held.set(asker, held);
    return true;
  }

  release(asker: string, bytes: number): void {
    if (bytes === 0) return;
    this.#bytes -= bytes;
    const left = (this.#held.get(asker) ?? bytes) - bytes;
    if (left === 0) this.#held.delete(asker);
    else this.#held.set(asker, left);
  }
}
