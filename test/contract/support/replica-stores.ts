import { afterAll, beforeAll, describe } from 'vitest';
import { MemoryOpenLookups } from '../../../gateway/src/adapters/memory/open-lookups.ts';
import { MemoryReplicaRegistry } from '../../../gateway/src/adapters/memory/replica-registry.ts';
import type { RedisConnection } from '../../../gateway/src/adapters/redis/open.ts';
import { openRedis } from '../../../gateway/src/adapters/redis/open.ts';
import { RedisOpenLookups } from '../../../gateway/src/adapters/redis/open-lookups.ts';
import { RedisReplicaRegistry } from '../../../gateway/src/adapters/redis/replica-registry.ts';
import type { OpenLookups } from '../../../gateway/src/ports/open-lookups.ts';
import type { ReplicaRegistry } from '../../../gateway/src/ports/replica-registry.ts';
import { replicaSecrets } from '../../../gateway/src/replica-secrets.ts';
import { SEEDS } from '../../gateway/support/fixtures.ts';
import { Authority } from '../../support/certificates.ts';
import { REDIS_USER_RULES, TestRedisCluster } from '../../support/redis-cluster.ts';
import { REDIS_MISSING, TestRedis } from '../../support/redis.ts';

/** What replicas of one gateway share, empty at first; `again` opens it as another replica would. */
export interface Shared {
  readonly lookups: OpenLookups;
  readonly registry: ReplicaRegistry;
}
export interface SharedKind {
  open(): Promise<{ readonly shared: Shared; readonly again: () => Promise<Shared> }>;
}

const memory: SharedKind = {
  async open() {
    const shared = { lookups: new MemoryOpenLookups(), registry: new MemoryReplicaRegistry() };
    return { shared, again: async () => shared };
  },
};

let federations = 0;

/** Connections to what is at some addresses, closed after the tests. */
function onRedis(urls: () => readonly string[], ca: () => string | undefined = () => undefined): SharedKind {
  const opened: RedisConnection[] = [];
  afterAll(() => opened.forEach((one) => one.close()));
  const connect = async (federation: string): Promise<Shared> => {
    const connection = await openRedis(urls(), () => undefined, ca());
    opened.push(connection);
    const { store } = replicaSecrets(SEEDS, federation);
    return {
      lookups: new RedisOpenLookups(connection.redis, federation, store),
      registry: new RedisReplicaRegistry(connection.redis, federation, store),
    };
  };
  return {
    async open() {
      const federation = `f${federations++}`;
      return { shared: await connect(federation), again: () => connect(federation) };
    },
  };
}

/** Runs a contract over every place where replicas share what they share. */
export function eachShared(what: string, contract: (kind: SharedKind) => void): void {
  describe(`${what} in memory`, () => contract(memory));
  const why = REDIS_MISSING === undefined ? '' : ` (left out: ${REDIS_MISSING})`;
  describe.skipIf(REDIS_MISSING !== undefined)(`${what} in Redis${why}`, () => {
    let server: TestRedis;
    beforeAll(async () => {
      server = await TestRedis.start();
    });
    contract(onRedis(() => [server.url]));
    afterAll(() => server.remove());
  });
  describe.skipIf(REDIS_MISSING !== undefined)(`${what} in a Redis cluster of three, with TLS${why}`, () => {
    let cluster: TestRedisCluster;
    let urls: readonly string[];
    const authority = new Authority();
    beforeAll(async () => {
      cluster = await TestRedisCluster.start(0, {}, authority);
      urls = await cluster.urlsFor('hitmachine', 'geheim-van-de-test', REDIS_USER_RULES);
    }, 60_000);
    contract(
      onRedis(
        () => urls,
        () => authority.ca,
      ),
    );
    afterAll(async () => {
      await cluster.remove();
      authority.remove();
    });
  });
}
