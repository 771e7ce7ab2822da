import fc from 'fast-check';
import { HitError } from '@hitmachine/protocol';
import { expect, it } from 'vitest';
import { MemoryAuditLog } from '../../gateway/src/adapters/memory/audit-log.ts';
import { QuotasApart } from '../../gateway/src/adapters/quotas-apart.ts';
import { openRedis } from '../../gateway/src/adapters/redis/open.ts';
import { RedisQuotas } from '../../gateway/src/adapters/redis/quotas.ts';
import type { AuditLog } from '../../gateway/src/ports/audit-log.ts';
import { charge, invited } from './support/log-entries.ts';
import { describeRedis, eachQuotaStore, redisForTests } from './support/redis-stores.ts';

const anyCharge = fc.record({
  counter: fc.constantFrom('x', 'y', 'z'),
  amount: fc.integer({ min: 0, max: 4 }),
  window: fc.integer({ min: 1, max: 3 }),
});

eachQuotaStore('quotas', (kind) => {
  it('count all charges of an entry or none, and tell the first that does not fit', async () => {
    const { log } = await kind.open();
    expect(await log.append(1, invited('a'), [charge('x', 6), charge('y', 2)])).toMatchObject({
      type: 'appended',
    });
    expect(await log.append(1, invited('a'), [charge('y', 8), charge('x', 5), charge('z', 11)])).toEqual({
      type: 'exceeded',
      charge: charge('x', 5),
    });
    expect(await log.exceeded([charge('y', 8), charge('x', 4)])).toBeUndefined();
    expect(await log.exceeded([charge('y', 9), charge('x', 5)])).toEqual(charge('y', 9));
    expect((await log.head()).size).toBe(1);
  });

  it('looking charges nothing', async () => {
    const { log } = await kind.open();
    for (let i = 0; i < 5; i++) expect(await log.exceeded([charge('x', 10)])).toBeUndefined();
    expect(await log.append(1, invited('a'), [charge('x', 10)])).toMatchObject({ type: 'appended' });
  });

  it('begin anew in a new window, and not when a clock is set back', async () => {
    const { log } = await kind.open();
    await log.append(1, invited('a'), [charge('x', 10)]);
    await log.append(2, invited('a'), [charge('x', 3, 2_000)]);
    expect(await log.append(3, invited('a'), [charge('x', 8, 1_000)])).toMatchObject({ type: 'exceeded' });
    expect(await log.append(3, invited('a'), [charge('x', 7, 1_000)])).toMatchObject({ type: 'appended' });
    expect(await log.exceeded([charge('x', 1, 2_000)])).toMatchObject({ counter: 'x' });
    expect(await log.exceeded([charge('x', 10, 3_000)])).toBeUndefined();
  });

  it('give back what was claimed for an entry that could not be stored', async () => {
    const { log } = await kind.open();
    const tooLong = { event: 'log-read', id: 'x'.repeat(70_000) } as never;
    await expect(log.append(1, tooLong, [charge('x', 10)])).rejects.toThrow(HitError);
    expect(await log.append(1, invited('a'), [charge('x', 10)])).toMatchObject({ type: 'appended' });
  });

  it('never grant more than the limit in a window, whoever asks for how much at once', async () => {
    const { log, again } = await kind.open();
    const logs = again === undefined ? [log] : [log, await again(), await again()];
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(anyCharge, { minLength: 1, maxLength: 3 })), async (asked) => {
        run++;
        // A counter stands in an entry once, and the windows of a counter follow each other.
        const requests = asked
          .map((all) => [...new Map(all.map((one) => [one.counter, one])).values()])
          .sort((a, b) => (a[0]?.window ?? 0) - (b[0]?.window ?? 0));
        const results = await Promise.all(
          requests.map((all, i) =>
            (logs[i % logs.length] as AuditLog).append(
              1,
              invited('a'),
              all.map(({ counter, amount, window }) =>
                charge(`${run}:${counter}:${window}`, amount, window * 1_000),
              ),
            ),
          ),
        );
        const granted = new Map<string, number>();
        results.forEach(({ type }, i) => {
          for (const { counter, window, amount } of (type === 'appended' && requests[i]) || [])
            granted.set(`${counter}:${window}`, (granted.get(`${counter}:${window}`) ?? 0) + amount);
        });
        for (const sum of granted.values()) expect(sum).toBeLessThanOrEqual(10);
        results.forEach((result) => {
          if (result.type !== 'exceeded') return;
          // What was refused did not fit: not one more of it could be granted than there was room for.
          const { counter, amount } = result.charge;
          expect((granted.get(counter.slice(counter.indexOf(':') + 1)) ?? 0) + amount).toBeGreaterThan(10);
        });
      }),
      { numRuns: 15 },
    );
  });

  it('grant exactly the limit to replicas that ask one by one', async () => {
    const { log, again } = await kind.open();
    const logs = again === undefined ? [log] : [log, await again(), await again()];
    const all = await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        (logs[i % logs.length] as AuditLog).append(1, invited('a'), [charge('x', 1), charge('y', 0)]),
      ),
    );
    expect(all.filter(({ type }) => type === 'appended')).toHaveLength(10);
    expect((await log.head()).size).toBe(10);
  });
});

describeRedis('counters in Redis', () => {
  const redis = redisForTests();
  const server = () => redis.server();
  const connect = (onChange?: (away: boolean) => void) => redis.connect(onChange);
  const replica = async (federation: string, log: AuditLog = new MemoryAuditLog()): Promise<QuotasApart> =>
    new QuotasApart(log, new RedisQuotas((await connect()).redis, federation));

  it('have keys that say nothing, and go after their window', async () => {
    const log = await replica('waalstad');
    const { redis } = await connect();
    const now = Date.now();
    const one = { ...charge('persons-day:politie:professional', 1), windowEnd: now + 60_000 };
    await log.append(now, invited('a'), [one]);
    const keys = await redis.keys('*');
    expect(keys).toHaveLength(1);
    const [key = ''] = keys;
    expect(key).toMatch(/^hit:\{waalstad\}:[\w-]{22}$/);
    expect(JSON.stringify(await redis.hgetall(key))).not.toMatch(/politie|professional/);
    const ttl = await redis.pttl(key);
    expect(ttl).toBeGreaterThan(60_000);
    expect(ttl).toBeLessThan(60_000 + 600_001);
  });

  it('of one federation do not count for another', async () => {
    const [one, other] = [await replica('one'), await replica('other')];
    await one.append(1, invited('a'), [charge('x', 10)]);
    expect(await other.append(1, invited('a'), [charge('x', 10)])).toMatchObject({ type: 'appended' });
  });

  it('refuse everything while the server is away, and count again once it is back', async () => {
    const told: boolean[] = [];
    const connection = await connect((away) => told.push(away));
    const log = new QuotasApart(new MemoryAuditLog(), new RedisQuotas(connection.redis, 'away'));
    await log.append(1, invited('a'), [charge('x', 9)]);
    await server().stop();
    await expect(log.append(1, invited('a'), [charge('x', 1)])).rejects.toMatchObject({
      code: 'storage-failed',
    });
    await expect(log.exceeded([charge('x', 1)])).rejects.toMatchObject({ code: 'storage-failed' });
    await expect(log.probe()).rejects.toMatchObject({ code: 'storage-failed' });
    expect((await log.head()).size).toBe(1);
    await server().start();
    await expect.poll(() => told.at(-1)).toBe(false);
    // The server held nothing on disk: the window begins anew here, and the nodes' own quotas are what is left.
    expect(await log.append(1, invited('a'), [charge('x', 10)])).toMatchObject({ type: 'appended' });
    expect(await log.append(1, invited('a'), [charge('x', 1)])).toMatchObject({ type: 'exceeded' });
    expect(told).toEqual([false, true, false]);
  });

  it('refuse within two seconds when the server hangs', async () => {
    const log = await replica('hangs');
    await log.append(1, invited('a'), [charge('x', 1)]);
    server().freeze();
    const began = performance.now();
    try {
      await expect(log.append(1, invited('a'), [charge('x', 1)])).rejects.toMatchObject({
        code: 'storage-failed',
      });
    } finally {
      server().resume();
    }
    expect(performance.now() - began).toBeLessThan(2_000);
    await expect
      .poll(
        () =>
          log.probe().then(
            () => 'there',
            () => 'away',
          ),
        { timeout: 5_000 },
      )
      .toBe('there');
    expect((await log.head()).size).toBe(1);
  });

  it('give back to the window that was charged alone', async () => {
    const { redis } = await connect();
    const quotas = new RedisQuotas(redis, 'giving-back');
    const claim = await quotas.claim([charge('x', 7)], 1);
    if (claim.type !== 'claimed') throw new Error('it did not fit');
    // Meanwhile the store lost what it had, and others charged the same window anew.
    await redis.flushall();
    await quotas.claim([charge('x', 10)], 1);
    await claim.giveBack();
    expect(await quotas.exceeded([charge('x', 1)])).toMatchObject({ counter: 'x' });
  });

  it('are refused in a server that drops keys, or that refuses us', async () => {
    const { redis } = await connect();
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await expect(openRedis([server().url], () => undefined)).rejects.toMatchObject({
      code: 'config-invalid',
      detail: expect.stringContaining('maxmemory-policy noeviction') as string,
    });
    await redis.config('SET', 'maxmemory-policy', 'noeviction');
    const wrong = server().url.replace(server().password, 'geheim');
    const refused = openRedis([wrong], () => undefined);
    await expect(refused).rejects.toMatchObject({ code: 'config-invalid' });
    await expect(refused).rejects.not.toThrow('geheim');
  });

  it('do not keep a gateway from starting when the server is away', async () => {
    const told: boolean[] = [];
    await server().stop();
    const connection = await openRedis([server().url], (away) => told.push(away));
    const quotas = new RedisQuotas(connection.redis, 'starting');
    await expect(quotas.claim([charge('x', 1)], 1)).rejects.toMatchObject({ code: 'storage-failed' });
    await server().start();
    await expect.poll(() => told).toEqual([true, false]);
    expect(await quotas.claim([charge('x', 1)], 1)).toMatchObject({ type: 'claimed' });
    connection.close();
  });
});
