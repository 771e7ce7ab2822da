import { decodeBase64, encodeBase64, keptLookupCodec } from '@hitmachine/protocol';
import type { OpenLookup, OpenLookups } from '../../ports/open-lookups.ts';
import { QUESTIONS_PER_NODE } from '../../ports/open-lookups.ts';
import type { StoreSeal } from '../../replica-secrets.ts';
import type { RedisStore } from './open.ts';
import { CLAIM_QUESTIONS, KEEP_LOOKUP } from './scripts.ts';
import { storing } from './storing.ts';

/** Milliseconds for which a lookup is kept beyond its end: the clocks of replicas differ. */
const KEPT_AFTER_MS = 60_000;
const MISSING = 'the open lookups that replicas share cannot be reached, so nothing was asked';

interface Scripts {
  keepLookup(key: string, sealed: Buffer, keptMs: string): Promise<number>;
  claimQuestions(key: string, most: number, ...names: string[]): Promise<number>;
  hgetBuffer(key: string, field: string): Promise<Buffer | null>;
}

/**
 * Open lookups in Redis, one hash each: the lookup sealed under a key that only replicas have, and how often each node was
 * asked. Whoever reads the store learns how many lookups are open, how large they are and how many nodes they ask;
 * whoever writes to it can take lookups away, and make none.
 */
export class RedisOpenLookups implements OpenLookups {
  readonly #redis: Scripts;
  readonly #federation: string;
  readonly #seal: StoreSeal;

  constructor(redis: RedisStore, federation: string, seal: StoreSeal) {
    redis.defineCommand('keepLookup', { lua: KEEP_LOOKUP, numberOfKeys: 1 });
    redis.defineCommand('claimQuestions', { lua: CLAIM_QUESTIONS, numberOfKeys: 1 });
    this.#redis = redis as unknown as Scripts;
    this.#federation = federation;
    this.#seal = seal;
  }

  async keep(lookup: OpenLookup, now: number): Promise<void> {
    const key = this.#key(lookup.lookupId);
    const encoded = keptLookupCodec.encode({
      ...lookup,
      lookupId: decodeBase64(lookup.lookupId),
      tickets: [...lookup.tickets].map(([node, ticket]) => ({ node, ticket })),
    });
    const kept = String(Math.max(0, lookup.expiresAt - now) + KEPT_AFTER_MS);
    await storing(MISSING, () => this.#redis.keepLookup(key, this.#seal.seal(key, encoded), kept));
  }

  async find(lookupId: string, now: number): Promise<OpenLookup | undefined> {
    const key = this.#key(lookupId);
    const sealed = await storing(MISSING, () => this.#redis.hgetBuffer(key, 's'));
    if (sealed === null) return undefined;
    const kept = keptLookupCodec.decode(this.#seal.open(key, sealed));
    if (kept.expiresAt < now) return undefined;
    const tickets = new Map(kept.tickets.map(({ node, ticket }) => [node, ticket]));
    return { ...kept, lookupId: encodeBase64(kept.lookupId), tickets };
  }

  async claim(
    lookupId: string,
    nodes: readonly string[],
  ): Promise<'claimed' | 'gone' | { readonly place: number }> {
    const names = nodes.map((node) => this.#seal.name('node', lookupId, node));
    const said = await storing(MISSING, () =>
      this.#redis.claimQuestions(this.#key(lookupId), QUESTIONS_PER_NODE, ...names),
    );
    if (said < 0) return 'gone';
    return said === 0 ? 'claimed' : { place: said - 1 };
  }

  /** The hash tag is the lookup's own: in a cluster lookups spread over all servers. */
  #key(lookupId: string): string {
    return `hit:${this.#federation}:lookup:{${this.#seal.name('lookup', this.#federation, lookupId)}}`;
  }
}
