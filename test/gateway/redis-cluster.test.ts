import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRedis } from '../../gateway/src/adapters/redis/open.ts';
import { RedisQuotas } from '../../gateway/src/adapters/redis/quotas.ts';
import { Authority } from '../support/certificates.ts';
import { REDIS_USER_RULES, TestRedisCluster } from '../support/redis-cluster.ts';
import type { TestRedis } from '../support/redis.ts';
import { REDIS_MISSING } from '../support/redis.ts';

const OPEN = fileURLToPath(new URL('../../gateway/src/adapters/redis/open.ts', import.meta.url));
const GUIDE = fileURLToPath(new URL('../../deploy/operators-guide.md', import.meta.url));
const PATIENCE = { timeout: 30_000, interval: 50 };

describe.skipIf(REDIS_MISSING !== undefined)(`a Redis cluster (${REDIS_MISSING ?? 'there'})`, () => {
  it('that is there and serves nobody yet does not keep a gateway from starting', async () => {
    const cluster = await TestRedisCluster.start();
    try {
      const [first, ...others] = cluster.masters;
      for (const server of others) await server.stop();
      await expect.poll(() => cluster.stateAt(first), PATIENCE).toBe('fail');
      const told: boolean[] = [];
      const connection = await openRedis(cluster.urls, (away) => told.push(away));
      expect(told.at(-1)).toBe(true);
      for (const server of others) await server.start();
      await expect.poll(() => told.at(-1), PATIENCE).toBe(false);
      expect(await connection.redis.set('hit:{x}:y', '1')).toBe('OK');
      connection.close();
    } finally {
      await cluster.remove();
    }
  });

  it('that hangs does not keep a gateway from ending', async () => {
    const cluster = await TestRedisCluster.start();
    try {
      const program = `import { openRedis } from ${JSON.stringify(OPEN)};
        const { redis, close } = await openRedis(process.argv.slice(1), () => undefined);
        console.log(redis.status);
        process.stdin.once('data', () => (process.stdin.destroy(), close()));`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', program, ...cluster.urls], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const ended = once(child, 'exit');
      const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
      expect(line).toBe('ready');
      for (const server of cluster.servers) server.freeze();
      // It looks up every two seconds who holds what: now it waits for that.
      await delay(2_300);
      child.stdin.end('stop\n');
      const code = await Promise.race([
        ended.then(([status]) => status as number),
        delay(10_000, 'it goes on'),
      ]);
      child.kill('SIGKILL');
      for (const server of cluster.servers) server.resume();
      expect(code).toBe(0);
    } finally {
      await cluster.remove();
    }
  });

  describe('with TLS, an authority of its own and a user that may do what is needed and no more', () => {
    const authority = new Authority('Authority of Redis');
    const stranger = new Authority('Another authority');
    let cluster: TestRedisCluster;
    let urls: readonly string[];
    beforeAll(async () => {
      cluster = await TestRedisCluster.start(1, {}, authority);
      urls = await cluster.urlsFor('hitmachine', 'geheim-van-de-test', REDIS_USER_RULES);
    });
    afterAll(async () => {
      await cluster.remove();
      authority.remove();
      stranger.remove();
    });

    it('is not spoken to when another authority vouches for it, or none that is known', async () => {
      for (const ca of [stranger.ca, undefined]) {
        const told: boolean[] = [];
        const connection = await openRedis(urls, (away) => told.push(away), ca);
        expect(told).toEqual([true]);
        await expect(connection.redis.hset('hit:{x}:y', 'a', '1')).rejects.toThrow();
        connection.close();
      }
    });

    it('refuses what that user may not do, and the guide names what it may', async () => {
      const connection = await openRedis(urls, () => undefined, authority.ca);
      for (const forbidden of [['KEYS', '*'], ['FLUSHALL'], ['CONFIG', 'GET', '*']])
        await expect(connection.redis.call(...(forbidden as [string]))).rejects.toThrow('NOPERM');
      await expect(connection.redis.hset('other', 'a', '1')).rejects.toThrow('NOPERM');
      connection.close();
      expect(readFileSync(GUIDE, 'utf8')).toContain(REDIS_USER_RULES.join(' '));
    });

    it('counts on when the server with the counters dies', async () => {
      const told: boolean[] = [];
      const connection = await openRedis(urls, (away) => told.push(away), authority.ca);
      const quotas = new RedisQuotas(connection.redis, 'waalstad', 1);
      const windowEnd = Date.now() + 600_000;
      const claim = (): Promise<string> =>
        quotas
          .claim([{ counter: 'x', describes: 'persons', amount: 1, limit: 3, windowEnd }], Date.now())
          .then(
            ({ type }) => type,
            (error: { code?: string }) => error.code ?? 'unknown',
          );
      expect([await claim(), await claim()]).toEqual(['claimed', 'claimed']);
      const server = (await cluster.holderOf('hit:{waalstad}:x')) as TestRedis;
      await server.stop();
      await expect.poll(() => cluster.holderOf('hit:{waalstad}:x'), PATIENCE).not.toBe(server);
      // The one that takes over has no copy until the other is back: what was claimed then counts for nothing.
      await server.start();
      await expect.poll(claim, PATIENCE).not.toBe('storage-failed');
      // At most one was left: whatever came of it, the limit stands.
      expect(await claim()).toBe('exceeded');
      connection.close();
    });
  });
});
