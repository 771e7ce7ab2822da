import type { LoggedLookup, LookupEvent } from './lookup.ts';

/**
 * A lookup that is asked to its end whether or not somebody reads along, and that can be read more than once: what came
 * out so far, and then the rest as it comes.
 */
export class RecordedLookup {
  readonly #events: LookupEvent[] = [];
  #change = Promise.withResolvers<void>();
  #end: { readonly error: unknown } | 'well' | undefined;
  readonly #lookup: LoggedLookup;
  /** Resolves when everything came out, or it failed. */
  readonly done: Promise<void>;

  constructor(lookup: LoggedLookup) {
    this.#lookup = lookup;
    this.done = this.#run();
  }

  /** Whether the gateway has logged any part of it. */
  get wasOpened(): boolean {
    return this.#events.some(({ type }) => type === 'opened');
  }

  /** For one more reader. */
  read(): LoggedLookup {
    return { ...this.#lookup, events: this.#follow() };
  }

  async #run(): Promise<void> {
    try {
      for await (const event of this.#lookup.events) {
        this.#events.push(event);
        this.#changed();
      }
      this.#end = 'well';
    } catch (error) {
      this.#end = { error };
    }
    this.#changed();
  }

  #changed(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  async *#follow(): AsyncGenerator<LookupEvent> {
    for (let next = 0; ; next++) {
      while (next >= this.#events.length) {
        if (this.#end === 'well') return;
        if (this.#end !== undefined) throw this.#end.error;
        await this.#change.promise;
      }
      yield this.#events[next] as LookupEvent;
    }
  }
}
