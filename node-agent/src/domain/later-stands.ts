/**
 * Of works on one thing lets the one stand that began last, whatever takes longer: what an earlier one would store is
 * dropped once a later one has stored, as if it had stored before it.
 */
export class LaterStands {
  #begun = 0;
  /** Of things that are worked on: by how many, and which of them stored last. */
  readonly #open = new Map<string, { works: number; stored: number }>();

  /** Makes something, and stores it unless a later work has stored meanwhile. */
  async run<T>(thing: string, make: () => Promise<T>, store: (made: T) => void): Promise<void> {
    const turn = ++this.#begun;
    const open = this.#open.get(thing) ?? { works: 0, stored: 0 };
    this.#open.set(thing, open);
    open.works++;
    try {
      const made = await make();
      if (open.stored > turn) return;
      store(made);
      open.stored = turn;
    } finally {
      if (--open.works === 0) this.#open.delete(thing);
    }
  }

  /** Stores at once. */
  now(thing: string, store: () => void): void {
    store();
    const open = this.#open.get(thing);
    if (open !== undefined) open.stored = ++this.#begun;
  }
}
