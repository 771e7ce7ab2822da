import type { OpenLookup, OpenLookups } from '../../ports/open-lookups.ts';
import { QUESTIONS_PER_NODE } from '../../ports/open-lookups.ts';

interface Entry {
  readonly lookup: OpenLookup;
  readonly asked: Map<string, number>;
}

/** Open lookups of a gateway that is one process; a restart ends them. */
export class MemoryOpenLookups implements OpenLookups {
  readonly #entries = new Map<string, Entry>();

  async keep(lookup: OpenLookup, now: number): Promise<void> {
    this.#forgetExpired(now);
    this.#entries.set(lookup.lookupId, { lookup, asked: new Map() });
  }

  async find(lookupId: string, now: number): Promise<OpenLookup | undefined> {
    const lookup = this.#entries.get(lookupId)?.lookup;
    return lookup === undefined || lookup.expiresAt < now ? undefined : lookup;
  }

  async claim(
    lookupId: string,
    nodes: readonly string[],
  ): Promise<'claimed' | 'gone' | { readonly place: number }> {
    const entry = this.#entries.get(lookupId);
    if (entry === undefined) return 'gone';
    const asked = new Map(entry.asked);
    for (const [place, node] of nodes.entries()) {
      const times = (asked.get(node) ?? 0) + 1;
      if (times > QUESTIONS_PER_NODE) return { place };
      asked.set(node, times);
    }
    for (const [node, times] of asked) entry.asked.set(node, times);
    return 'claimed';
  }

  #forgetExpired(now: number): void {
    // Lookups live equally long, so the oldest come first.
    for (const [lookupId, { lookup }] of this.#entries) {
      if (lookup.expiresAt >= now) return;
      this.#entries.delete(lookupId);
    }
  }
}
