import { createHash, randomBytes } from 'node:crypto';
import { HitError } from '@hitmachine/protocol';
import type { Charge, Claim, SharedQuotas } from '../../ports/quota.ts';
import type { RedisStore } from './open.ts';
import { CLAIM, GIVE_BACK } from './scripts.ts';
import { storing } from './storing.ts';

/** Milliseconds for which a counter is kept beyond its window: longer than clocks of replicas are apart. */
const KEPT_AFTER_MS = 600_000;
/** A counter whose charge lies in a window far ahead, by a clock that is wrong, must still go at some time. */
const KEPT_AT_MOST_MS = 2 * 86_400_000;
/** Milliseconds that the copies of a server get to have a claim. */
const ACKNOWLEDGE_MS = 500;
const MISSING = 'the quota counters cannot be reached, so nothing was let through';

interface Scripts {
  claim(keys: number, ...rest: (string | number)[]): Promise<[number, ...string[]]>;
  giveBack(keys: number, ...rest: (string | number)[]): Promise<number>;
  pipeline(): ClaimAndWait;
}

interface ClaimAndWait {
  claim(keys: number, ...rest: (string | number)[]): ClaimAndWait;
  wait(copies: number, milliseconds: number): ClaimAndWait;
  exec(): Promise<[error: Error | null, result: unknown][] | null>;
}

/**
 * Quota counters in Redis. A counter's key is a digest of what it counts, so it says nothing to whoever looks into the
 * store, and goes some minutes after its window. All keys of a federation share a hash tag: a cluster keeps them in one
 * place, where one script reaches them all.
 *
 * Redis copies to its replicas later than it answers, so one that takes over may lack the last claims. With `copies` a
 * claim is good only once so many replicas have it: what was let through is then counted wherever the counters go on.
 */
export class RedisQuotas implements SharedQuotas {
  readonly #redis: Scripts;
  readonly #federation: string;
  readonly #copies: number;

  constructor(redis: RedisStore, federation: string, copies = 0) {
    redis.defineCommand('claim', { lua: CLAIM });
    redis.defineCommand('giveBack', { lua: GIVE_BACK });
    this.#redis = redis as unknown as Scripts;
    this.#federation = federation;
    this.#copies = copies;
  }

  async claim(charges: readonly Charge[], now: number): Promise<Claim> {
    const keys = charges.map(({ counter }) => this.#key(counter));
    const [refused, ...names] = await this.#run('claim', keys, charges, now);
    const charge = charges[refused - 1];
    if (charge !== undefined) return { type: 'exceeded', charge };
    const taken = charges.flatMap(({ amount }, i) => [names[i] ?? '', amount]);
    return {
      type: 'claimed',
      giveBack: async () => {
        await storing(MISSING, () => this.#redis.giveBack(keys.length, ...keys, ...taken));
      },
    };
  }

  async exceeded(charges: readonly Charge[]): Promise<Charge | undefined> {
    if (charges.length === 0) return undefined;
    const keys = charges.map(({ counter }) => this.#key(counter));
    const [refused] = await this.#run('look', keys, charges, 0);
    return charges[refused - 1];
  }

  #run(
    what: 'claim' | 'look',
    keys: readonly string[],
    charges: readonly Charge[],
    now: number,
  ): Promise<[number, ...string[]]> {
    const values = charges.flatMap(({ amount, limit, windowEnd }) => {
      const kept = Math.min(Math.max(windowEnd - now, 0) + KEPT_AFTER_MS, KEPT_AT_MOST_MS);
      return [amount, limit, windowEnd, kept];
    });
    const sent = [...keys, what, randomBytes(9).toString('base64url'), ...values];
    if (what === 'look' || this.#copies === 0)
      return storing(MISSING, () => this.#redis.claim(keys.length, ...sent));
    return storing(MISSING, () => this.#copied(keys.length, sent));
  }

  /** A claim that stays counted for nothing when too few copies have it in time: that is the safe side. */
  async #copied(keys: number, sent: readonly (string | number)[]): Promise<[number, ...string[]]> {
    const results = await this.#redis
      .pipeline()
      .claim(keys, ...sent)
      .wait(this.#copies, ACKNOWLEDGE_MS)
      .exec();
    const [claim, waited] = results ?? [];
    const error = claim?.[0] ?? waited?.[0];
    if (claim === undefined || waited === undefined || error) throw error ?? new HitError('internal');
    const claimed = claim[1] as [number, ...string[]];
    if (claimed[0] === 0 && Number(waited[1]) < this.#copies)
      throw new Error(`fewer than ${this.#copies} replicas of the Redis server have the claim`);
    return claimed;
  }

  #key(counter: string): string {
    const digest = createHash('sha256')
      .update(JSON.stringify([this.#federation, counter]))
      .digest();
    return `hit:{${this.#federation}}:${digest.subarray(0, 16).toString('base64url')}`;
  }
}
