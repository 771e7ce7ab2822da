import type { Nonces } from '../../ports/nonces.ts';
import { FORGET_EVERY_MS, MAX_LIVE_NONCES } from '../../ports/nonces.ts';

/** Nonces in memory, for tests and try-outs: a restart forgets them, so a request could be replayed after one. */
export class MemoryNonces implements Nonces {
  readonly #live = new Map<string, Map<string, number>>();
  readonly #maxLive: number;
  #forgetAt = 0;

  constructor(maxLive = MAX_LIVE_NONCES) {
    this.#maxLive = maxLive;
  }

  async use(
    agency: string,
    nonce: string,
    expires: number,
    now: number,
  ): Promise<'fresh' | 'replayed' | 'too-many'> {
    if (now >= this.#forgetAt) this.#forget(now);
    const live = this.#live.get(agency) ?? new Map<string, number>();
    this.#live.set(agency, live);
    if (live.has(nonce)) return 'replayed';
    if (live.size >= this.#maxLive) return 'too-many';
    live.set(nonce, expires);
    return 'fresh';
  }

  #forget(now: number): void {
    this.#forgetAt = now + FORGET_EVERY_MS;
    for (const live of this.#live.values())
      for (const [nonce, expires] of live) if (expires < now) live.delete(nonce);
  }
}
