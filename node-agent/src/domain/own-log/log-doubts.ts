/** Milliseconds that a doubt lasts at least, and how many looks find it confirmed, before it is believed. */
const PATIENCE_MS = 180_000;
const LOOKS = 4;

interface Doubt {
  readonly since: number;
  last: number;
  looks: number;
}

/**
 * Heads of which the gateway, or somebody in its name, showed what does not fit, by their sizes. A proof that fails
 * and a refusal are signed by nobody: one answer that was damaged or forged on its way must not stop an agency until
 * a person has telephoned. So each is looked at again for some minutes, and counts once it was so every time.
 */
export class LogDoubts {
  readonly #patienceMs: number;
  readonly #doubts = new Map<number, Doubt>();

  constructor(patienceMs = PATIENCE_MS) {
    this.#patienceMs = patienceMs;
  }

  get count(): number {
    return this.#doubts.size;
  }

  /** Milliseconds between two looks that count: a round that comes a little early must not be one too few. */
  get #pauseMs(): number {
    return this.#patienceMs / (LOOKS + 2);
  }

  /** Whether it is too early to look at this head again. */
  pauses(size: number, now: number): boolean {
    const doubt = this.#doubts.get(size);
    return doubt !== undefined && now - doubt.last < this.#pauseMs;
  }

  /** Notes that what came did not fit. Returns whether that has been so for long enough. */
  confirm(size: number, now: number): boolean {
    const doubt = this.#doubts.get(size);
    if (doubt === undefined) {
      this.#doubts.set(size, { since: now, last: now, looks: 1 });
      return false;
    }
    if (now - doubt.last >= this.#pauseMs) {
      doubt.last = now;
      doubt.looks++;
    }
    return doubt.looks >= LOOKS && now - doubt.since >= this.#patienceMs;
  }

  remove(size: number): void {
    this.#doubts.delete(size);
  }

  clear(): void {
    this.#doubts.clear();
  }
}
