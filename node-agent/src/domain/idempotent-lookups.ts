import { HitError } from '@hitmachine/protocol';
import type { IdempotencyStore } from '../ports/idempotency-store.ts';
import type { LoggedLookup, LookupService } from './lookup.ts';
import { beginLookup } from './lookup.ts';
import type { LookupInput } from './lookup-input.ts';
import { requestPseudonym } from './pseudonymise.ts';
import { RecordedLookup } from './recorded-lookup.ts';

/** Milliseconds that what came out can be read again, and that a key is remembered. */
export const ANSWERS_MS = 10 * 60_000;
export const KEYS_MS = 24 * 60 * 60_000;
/** Answers in memory at most; the oldest go first. */
const MOST = 1_000;

/**
 * Lookups with a key of the caller's own (`Idempotency-Key`): the same request with the same key asks once, however often
 * it is sent, and gets the same answers. Answers are kept in memory alone and not for long; that a key was used is
 * remembered for a day, over restarts too.
 */
export class IdempotentLookups {
  readonly #service: LookupService;
  readonly #store: IdempotencyStore;
  readonly #kept = new Map<string, Promise<RecordedLookup>>();

  constructor(service: LookupService, store: IdempotencyStore) {
    this.#service = service;
    this.#store = store;
  }

  /**
   * The lookup of this request, begun now or before. Rejects with what {@link beginLookup} throws, after which the key
   * may be used again, and with `already-exists` for a key that came with another request, or whose answers have gone.
   */
  async begin(caller: string, key: string, input: LookupInput): Promise<LoggedLookup> {
    const { keys, clock } = this.#service;
    const name = requestPseudonym(keys, 'idempotency-key', JSON.stringify([caller, key]));
    const request = requestPseudonym(keys, 'idempotent-request', JSON.stringify(input));
    const at = clock();
    await this.#store.forgetBefore(at - KEYS_MS);
    const before = await this.#store.claim(name, { request, at });
    if (before === undefined) return (await this.#start(name, input)).read();
    if (before.request !== request) throw refusal('came with another request before; use a new key');
    const kept = this.#kept.get(name);
    if (kept === undefined)
      throw refusal(
        `was used at ${new Date(before.at).toISOString()}, and what came out is not kept any more; ask anew with a new key`,
      );
    return (await kept).read();
  }

  #start(name: string, input: LookupInput): Promise<RecordedLookup> {
    const started = this.#ask(name, input);
    if (this.#kept.size >= MOST)
      for (const oldest of [...this.#kept.keys()].slice(0, 1)) this.#kept.delete(oldest);
    this.#kept.set(name, started);
    setTimeout(() => this.#kept.delete(name), ANSWERS_MS).unref();
    // Whoever waits for it hears of it; nobody may wait.
    started.catch(() => this.#kept.delete(name));
    return started;
  }

  async #ask(name: string, input: LookupInput): Promise<RecordedLookup> {
    try {
      return new RecordedLookup(await beginLookup(this.#service, input));
    } catch (error) {
      await this.#store.release(name);
      throw error;
    }
  }
}

const refusal = (what: string): HitError =>
  new HitError('already-exists', `Idempotency-Key: ${what}`, {
    fields: [{ field: 'Idempotency-Key', detail: what }],
  });
