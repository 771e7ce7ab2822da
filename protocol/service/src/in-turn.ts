/** Runs what is brought to it one after another, in the order in which it came; a failure of one is nothing to the next. */
export class InTurn {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Resolves when all that was brought so far is done, well or not. */
  async settled(): Promise<void> {
    await this.#last;
  }
}
