import { createHash, randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { HitError } from '@hitmachine/protocol';
import type { Charge, Claim, SharedQuotas } from '../../ports/quota.ts';
import { CLAIM, GIVE_BACK } from './scripts.ts';

/** Milliseconds for which a counter is kept beyond its window: longer than clocks of replicas are apart. */
const KEPT_AFTER_MS = 600_000;
/** A counter whose charge lies in a window far ahead, by a clock that is wrong, must still go at some time. */
const KEPT_AT_MOST_MS = 2 * 86_400_000;

interface Scripts {
  claim(keys: number, ...rest: (string | number)[]): Promise<[number, ...string[]]>;
  giveBack(keys: number, ...rest: (string | number)[]): Promise<number>;
}

/**
 * Quota counters in Redis. A counter's key is a digest of what it counts, so it says nothing to whoever looks into the
 * store, and goes some minutes after its window. All keys of a federation share a hash tag: a cluster keeps them in one
 * place, where one script reaches them all.
 */
export class RedisQuotas implements SharedQuotas {
  readonly #redis: Scripts;
  readonly #federation: string;

  constructor(redis: Redis, federation: string) {
    redis.defineCommand('claim', { lua: CLAIM });
    redis.defineCommand('giveBack', { lua: GIVE_BACK });
    this.#redis = redis as Redis & Scripts;
    this.#federation = federation;
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
        await storing(() => this.#redis.giveBack(keys.length, ...keys, ...taken));
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
    const name = randomBytes(9).toString('base64url');
    return storing(() => this.#redis.claim(keys.length, ...keys, what, name, ...values));
  }

  #key(counter: string): string {
    const digest = createHash('sha256')
      .update(JSON.stringify([this.#federation, counter]))
      .digest();
    return `hit:{${this.#federation}}:${digest.subarray(0, 16).toString('base64url')}`;
  }
}

/** Gives whatever goes wrong our code: what cannot be counted is not let through. */
async function storing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new HitError('storage-failed', 'the quota counters cannot be reached, so nothing was let through', {
      cause,
    });
  }
}
