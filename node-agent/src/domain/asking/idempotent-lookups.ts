import { HitError } from '@hitmachine/protocol';
import type { IdempotencyStore, KeptRequest } from '../../ports/idempotency-store.ts';
import type { LoggedLookup, LookupService } from './lookup.ts';
import { beginLookup } from './lookup.ts';
import type { LookupInput } from './lookup-input.ts';
import { requestPseudonym } from '../pseudonymise.ts';
import { RecordedLookup } from './recorded-lookup.ts';

/** Milliseconds that what came out can be read again, and that a key is remembered. */
export const ANSWERS_MS = 10 * 60_000;
export const KEYS_MS = 24 * 60 * 60_000;
/** Milliseconds after which a question that another process of this agent took has been answered, or never will be. */
const UNDER_WAY_MS = 120_000;
/** Answers in memory at most; the oldest go first. */
const MOST = 1_000;

interface Kept {
  readonly request: string;
  readonly recorded: Promise<RecordedLookup>;
}

/**
 * Lookups with a key of the caller's own (`Idempotency-Key`): the same request with the same key asks once, however often
 * it is sent, and gets the same answers. Answers are kept in memory alone and not for long; that a key was used is
 * remembered for a day, over restarts and in other processes of the agent too.
 */
export class IdempotentLookups {
  readonly #service: LookupService;
  readonly #store: IdempotencyStore;
  readonly #kept = new Map<string, Kept>();

  constructor(service: LookupService, store: IdempotencyStore) {
    this.#service = service;
    this.#store = store;
  }

  /**
   * The lookup of this request, begun now or before. Rejects with what {@link beginLookup} throws, after which the key
   * may be used again, and with `already-exists` for a key that came with another request, or whose answers have gone.
   */
  async begin(
    caller: { readonly clientId: string; readonly name: string } | undefined,
    key: string,
    input: LookupInput,
  ): Promise<LoggedLookup> {
    const { keys } = this.#service;
    const name = requestPseudonym(keys, 'idempotency-key', JSON.stringify([caller?.clientId ?? '', key]));
    const request = requestPseudonym(keys, 'idempotent-request', JSON.stringify(input));
    const kept =
      this.#kept.get(name) ??
      this.#keep(name, { request, recorded: this.#first(name, request, input, caller?.name) });
    if (kept.request !== request) throw refusal(ANOTHER);
    return (await kept.recorded).read();
  }

  /** Resolves when every lookup that was begun has ended. */
  async settled(): Promise<void> {
    for (const { recorded } of this.#kept.values())
      await recorded.then(({ done }) => done).catch(() => undefined);
  }

  /** Before anything is waited for: whoever sends the same at the same time must find it. */
  #keep(name: string, kept: Kept): Kept {
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= MOST && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(name, kept);
    setTimeout(() => this.#forget(name, kept), ANSWERS_MS).unref();
    kept.recorded.catch(() => this.#forget(name, kept));
    return kept;
  }

  #forget(name: string, kept: Kept): void {
    if (this.#kept.get(name) === kept) this.#kept.delete(name);
  }

  async #first(
    name: string,
    request: string,
    input: LookupInput,
    caseSystem: string | undefined,
  ): Promise<RecordedLookup> {
    const at = this.#service.clock();
    await this.#store.forgetBefore(at - KEYS_MS);
    const before = await this.#store.claim(name, { request, at });
    if (before !== undefined) throw gone(before, request, at);
    try {
      const recorded = new RecordedLookup(await beginLookup(this.#service, input, caseSystem));
      // The gateway was away, or its limit reached, before it had logged anything: the same may be sent again.
      void recorded.done.then(async () => {
        if (recorded.wasOpened) return;
        this.#kept.delete(name);
        await this.#store.release(name);
      });
      return recorded;
    } catch (error) {
      await this.#store.release(name);
      throw error;
    }
  }
}

const ANOTHER = 'came with another request before; use a new key';

/** Why a key cannot be used whose lookup is not in this process. */
function gone(before: KeptRequest, request: string, now: number): HitError {
  if (before.request !== request) return refusal(ANOTHER);
  const since = new Date(before.at).toISOString();
  return now - before.at < UNDER_WAY_MS
    ? refusal(
        `is being asked by another process of this agent since ${since}; see what came of it before you ask anew`,
      )
    : refusal(`was used at ${since}, and what came out is not kept any more; ask anew with a new key`);
}

const refusal = (what: string): HitError =>
  new HitError('already-exists', `Idempotency-Key: ${what}`, {
    fields: [{ field: 'Idempotency-Key', detail: what }],
  });
