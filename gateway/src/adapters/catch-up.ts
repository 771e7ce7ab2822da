/** Entries that a search index takes in at a time: a search that comes meanwhile, and other processes, wait for no more. */
export const STEP = 512;
const STEPS_A_ROUND = 2;
/** So that an index keeps up with a thousand entries a second, and takes little of what appending needs. */
const ROUND_MS = 1_000;

/**
 * Brings a search index up to date behind the back of whoever appends. It does a little a second as long as there is
 * something to do, and nothing at all otherwise. A search does not wait for it: it does the rest itself.
 */
export class CatchUp {
  readonly #step: () => Promise<boolean>;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** `step` takes in at most {@link STEP} entries, and gives whether there are more. */
  constructor(step: () => Promise<boolean>) {
    this.#step = step;
  }

  /** There is something to take in. */
  soon(): void {
    if (this.#timer !== undefined || this.#stopped) return;
    this.#timer = setTimeout(() => void this.#round(), ROUND_MS).unref();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #round(): Promise<void> {
    let more = true;
    for (let i = 0; i < STEPS_A_ROUND && more && !this.#stopped; i++)
      // Whoever searches is told what is wrong; after the next append it is tried again.
      more = await this.#step().catch(() => false);
    this.#timer = undefined;
    if (more) this.soon();
  }
}
