/**
 * Of works on one thing lets the one stand that began last, whatever takes longer: what an earlier one would store is
 * dropped once a later one has stored, as if it had stored before it.
 */
export class LaterStands {
  #begun = 0;
  /** Of things that are worked on: by how many, and which of them stored last. */
  readonly #open = new Map<string, { works: number; stored: number }>();

  /** Makes something, and stores it unless a later work has stored meanwhile. */
  async run<T>(thing: string, make: () => Promise<T>, store: (made: T) => Promise<void>): Promise<void> {
    const turn = ++this.#begun;
    const open = this.#open.get(thing) ?? { works: 0, stored: 0 };
    this.#open.set(thing, open);
    open.works++;
    try {
      const made = await make();
      if (open.stored > turn) return;
      await storing(open, turn, () => store(made));
    } finally {
      if (--open.works === 0) this.#open.delete(thing);
    }
  }

  /** Stores at once. */
  async now(thing: string, store: () => Promise<void>): Promise<void> {
    const open = this.#open.get(thing) ?? { stored: 0 };
    await storing(open, ++this.#begun, store);
  }
}

/** Counts as stored from the moment on at which it is begun, unless it fails. */
async function storing(open: { stored: number }, turn: number, store: () => Promise<void>): Promise<void> {
  const before = open.stored;
  const stored = store();
  open.stored = turn;
  try {
    await stored;
  } catch (error) {
    if (open.stored === turn) open.stored = before;
    throw error;
  }
}
