/**
 * Of works on one thing lets the one stand that began last, whatever takes longer: what an earlier one would store is
 * dropped once a later one has stored, as if it had stored before it.
 */
export class LaterStands {
  #begun = 0;
  /** Of things that are worked on: by how many, and which of them stored last. */
  readonly #open = new Map<string, { works: number } & Storing>();

  /** Makes something, and stores it unless a later work has stored meanwhile. */
  async run<T>(thing: string, make: () => Promise<T>, store: (made: T) => Promise<void>): Promise<void> {
    const turn = ++this.#begun;
    const open = this.#open.get(thing) ?? { works: 0, ...NOTHING };
    this.#open.set(thing, open);
    open.works++;
    try {
      const made = await make();
      // One that is being stored may fail yet, and then this one stands.
      for (let seen; open.stored > turn && seen !== open.running;) await (seen = open.running);
      if (open.stored > turn) return;
      await storing(open, turn, () => store(made));
    } finally {
      if (--open.works === 0) this.#open.delete(thing);
    }
  }

  /** Stores at once. */
  async now(thing: string, store: () => Promise<void>): Promise<void> {
    const open = this.#open.get(thing) ?? { ...NOTHING };
    await storing(open, ++this.#begun, store);
  }
}

interface Storing {
  /** The work that stored last, or is about to. */
  stored: number;
  /** Resolves when nothing that was begun by now is being stored any more. */
  running: Promise<unknown>;
}

const NOTHING: Storing = { stored: 0, running: Promise.resolve() };

/** Counts as stored from the moment on at which it is begun, unless it fails. */
function storing(open: Storing, turn: number, store: () => Promise<void>): Promise<void> {
  const before = open.stored;
  const stored = store().catch((error: unknown) => {
    if (open.stored === turn) open.stored = before;
    throw error;
  });
  open.stored = turn;
  open.running = Promise.allSettled([open.running, stored]);
  return stored;
}
