interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: whoever waits shares one transaction, and so one write to stable storage. One group is written at a time,
 * in the order in which its items came; those that come meanwhile are the next. A group that fails is rejected as a whole.
 */
export class GroupCommit<Item, Result> {
  readonly #most: number;
  readonly #write: (group: readonly Item[]) => Promise<readonly Result[]>;
  #waiting: Waiting<Item, Result>[] = [];
  #running = false;

  /** `most`: items of one transaction; bounds how long it keeps others waiting. */
  constructor(most: number, write: (group: readonly Item[]) => Promise<readonly Result[]>) {
    this.#most = most;
    this.#write = write;
  }

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#running) return;
      this.#running = true;
      // Whoever comes in this turn of the event loop is taken along.
      setImmediate(() => void this.#run());
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, this.#most);
      try {
        const results = await this.#write(group.map(({ item }) => item));
        group.forEach(({ resolve }, i) => resolve(results[i] as Result));
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#running = false;
  }
}
