import { setTimeout as delay } from 'node:timers/promises';
import { HitError } from '@hitmachine/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PostgresAgentDatabase } from '../../node-agent/src/adapters/postgres/agent-database.ts';
import { openPostgres } from '../../node-agent/src/adapters/postgres/agent-database.ts';
import { postgresLease } from '../../node-agent/src/adapters/postgres/lease.ts';
import { Leadership } from '../../node-agent/src/domain/running/leadership.ts';
import { POSTGRES_MISSING, TestPostgres } from '../support/postgres.ts';
import { keepingLog } from './support/node.ts';

const noWay = (): Promise<never> => Promise.reject(new HitError('gateway-unreachable'));

describe.skipIf(POSTGRES_MISSING !== undefined)('a replica that leads, on PostgreSQL', () => {
  let server: TestPostgres;
  let databases: PostgresAgentDatabase[];
  let log: ReturnType<typeof keepingLog>;
  let one: Leadership;
  let other: Leadership;

  beforeAll(async () => {
    server = await TestPostgres.start();
  }, 60_000);
  afterAll(() => server.remove());
  beforeEach(async () => {
    const url = await server.emptySchema();
    databases = [await openPostgres(url), await openPostgres(url)];
    log = keepingLog();
    const [first, second] = databases.map(
      (database) =>
        new Leadership({ lease: postgresLease(database, 'leader'), log, patienceMs: 300, restMs: 1_000 }),
    );
    [one, other] = [first!, second!];
    await one.renew();
    await other.renew();
    expect([one.leads(), other.leads()]).toEqual([true, false]);
  });
  afterEach(async () => {
    await Promise.all([one.stop(), other.stop()]);
    await Promise.all(databases.map((database) => database.close()));
  });

  const leading = async (): Promise<boolean[]> => {
    await one.renew();
    await other.renew();
    return [one.leads(), other.leads()];
  };
  const failing = async (): Promise<void> => {
    await expect(one.doing(noWay)).rejects.toMatchObject({ code: 'gateway-unreachable' });
  };

  it('goes on when its work fails once, or now and then', async () => {
    await failing();
    expect(await leading()).toEqual([true, false]);
    await delay(350);
    expect(await one.doing(() => Promise.resolve('done'))).toBe('done');
    await failing();
    expect(await leading()).toEqual([true, false]);
  });

  it('lets another lead when its work fails for long, and says so', async () => {
    await failing();
    await delay(350);
    await failing();
    expect(await leading()).toEqual([false, true]);
    expect(log.lines).toContainEqual(expect.objectContaining({ event: 'leads-no-longer' }));
  });

  it('lets another lead at once when it lacks a key', async () => {
    const locked = one.doing(() => Promise.reject(new HitError('key-changed')));
    await expect(locked).rejects.toMatchObject({ code: 'key-changed' });
    expect(await leading()).toEqual([false, true]);
  });

  it('leads again after a while when there is no other', async () => {
    await failing();
    await delay(350);
    await failing();
    await one.renew();
    expect(one.leads()).toBe(false);
    await delay(1_100);
    await one.renew();
    expect(one.leads()).toBe(true);
  });

  it('takes nothing from the one that leads when work fails that it does for itself', async () => {
    const locked = other.doing(() => Promise.reject(new HitError('key-changed')));
    await expect(locked).rejects.toThrow(HitError);
    expect(await leading()).toEqual([true, false]);
    await one.stop();
    await other.renew();
    expect(other.leads()).toBe(true);
  });
});
