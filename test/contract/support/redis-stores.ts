import { afterAll, beforeAll, describe } from 'vitest';
import { MemoryAuditLog } from '../../../gateway/src/adapters/memory/audit-log.ts';
import { QuotasApart } from '../../../gateway/src/adapters/quotas-apart.ts';
import type { RedisConnection } from '../../../gateway/src/adapters/redis/open.ts';
import { openRedis } from '../../../gateway/src/adapters/redis/open.ts';
import { RedisQuotas } from '../../../gateway/src/adapters/redis/quotas.ts';
import type { AuditLog } from '../../../gateway/src/ports/audit-log.ts';
import { REDIS_MISSING, TestRedis } from '../../support/redis.ts';
import { eachGatewayStore } from './gateway-stores.ts';

/** Opens an empty log with its counters, and what opens it once more as another replica would. */
export interface QuotaKind {
  open(): Promise<{ readonly log: AuditLog; readonly again: (() => Promise<AuditLog>) | undefined }>;
}

/** A Redis server of the tests' own for a `describe`, and connections to it. */
export function redisForTests(settings: Readonly<Record<string, string>> = {}): {
  server(): TestRedis;
  connect(onChange?: (away: boolean) => void): Promise<RedisConnection>;
} {
  let server: TestRedis;
  const opened: RedisConnection[] = [];
  beforeAll(async () => {
    server = await TestRedis.start(settings);
  });
  afterAll(async () => {
    for (const one of opened) one.close();
    await server.remove();
  });
  return {
    server: () => server,
    async connect(onChange = () => undefined) {
      const connection = await openRedis([server.url], onChange);
      opened.push(connection);
      return connection;
    },
  };
}

const why = REDIS_MISSING === undefined ? '' : ` (left out: ${REDIS_MISSING})`;
export const describeRedis = (name: string, tests: () => void): void =>
  void describe.skipIf(REDIS_MISSING !== undefined)(`${name}${why}`, tests);

/** Runs the contract of the quotas over every place where they are counted. */
export function eachQuotaStore(what: string, contract: (kind: QuotaKind) => void): void {
  eachGatewayStore(what, (kind) =>
    contract({
      async open() {
        const { stores, again } = await kind.open();
        return { log: stores.auditLog, again: again && (async () => (await again()).auditLog) };
      },
    }),
  );
  describeRedis(`${what} in Redis`, () => {
    const redis = redisForTests();
    let federations = 0;
    contract({
      async open() {
        const log = new MemoryAuditLog();
        const federation = `f${federations++}`;
        const replica = async (): Promise<AuditLog> =>
          new QuotasApart(log, new RedisQuotas((await redis.connect()).redis, federation));
        return { log: await replica(), again: replica };
      },
    });
  });
}
