import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openRedis } from '../../gateway/src/adapters/redis/open.ts';
import { TestRedisCluster } from '../support/redis-cluster.ts';
import { REDIS_MISSING } from '../support/redis.ts';

/** Waits until something holds; it may take a slow machine long. */
async function until(holds: () => boolean | Promise<boolean>, withinMs = 30_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it did not come about');
    await delay(50);
  }
}

describe.skipIf(REDIS_MISSING !== undefined)(`a Redis cluster (${REDIS_MISSING ?? 'there'})`, () => {
  it('that is there and serves nobody yet does not keep a gateway from starting', async () => {
    const cluster = await TestRedisCluster.start();
    try {
      const [first, ...others] = cluster.masters;
      for (const server of others) await server.stop();
      await until(async () => (await cluster.stateAt(first)) === 'fail');
      const told: boolean[] = [];
      const connection = await openRedis(cluster.urls, (away) => told.push(away));
      expect(told.at(-1)).toBe(true);
      for (const server of others) await server.start();
      await until(() => told.at(-1) === false);
      expect(await connection.redis.set('hit:{x}:y', '1')).toBe('OK');
      connection.close();
    } finally {
      await cluster.remove();
    }
  });
});
