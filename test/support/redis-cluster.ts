import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Authority } from './certificates.ts';
import { freePort } from './free-port.ts';
import { TestRedis } from './redis.ts';

const SLOTS = 16_384;
const MASTERS = 3;
const SETTINGS = {
  'cluster-enabled': 'yes',
  'cluster-config-file': 'nodes.conf',
  'cluster-node-timeout': '1500',
  'cluster-require-full-coverage': 'no',
  'cluster-replica-validity-factor': '0',
} as const;

/** What the gateway's user in Redis needs, as ACL SETUSER has it; the operator's guide says the same. */
export const REDIS_USER_RULES = [
  ...['~hit:*', 'resetchannels', '-@all', '+@connection', '+@hash', '+pexpire', '+pttl', '+eval', '+evalsha'],
  ...['+wait', '+info', '+cluster|slots', '+cluster|info'],
] as const;

/** A Redis cluster of the tests' own: three servers that share the keys, each with replicas when asked for. */
export class TestRedisCluster {
  readonly masters: readonly TestRedis[];
  /** The replicas of the first server, then those of the second, and so on. */
  readonly replicas: readonly TestRedis[];

  private constructor(masters: readonly TestRedis[], replicas: readonly TestRedis[]) {
    this.masters = masters;
    this.replicas = replicas;
  }

  static async start(
    replicasEach = 0,
    settings: Readonly<Record<string, string>> = {},
    tls?: Authority,
  ): Promise<TestRedisCluster> {
    const password = randomBytes(9).toString('base64url');
    const all = { ...SETTINGS, masterauth: password, ...settings };
    const servers: TestRedis[] = [];
    try {
      for (let i = 0; i < MASTERS * (1 + replicasEach); i++) {
        const busPort = await freePort();
        servers.push(await TestRedis.start({ ...all, 'cluster-port': String(busPort) }, password, tls));
      }
      const cluster = new TestRedisCluster(servers.slice(0, MASTERS), servers.slice(MASTERS));
      await cluster.#join(servers, replicasEach);
      return cluster;
    } catch (error) {
      await Promise.all(servers.map((server) => server.remove()));
      throw error;
    }
  }

  /** The addresses of the servers that share the keys. */
  get urls(): readonly string[] {
    return this.masters.map(({ url }) => url);
  }

  /** Their addresses for a user that is made here, with what ACL SETUSER calls rules. */
  async urlsFor(user: string, password: string, rules: readonly string[]): Promise<readonly string[]> {
    for (const server of this.servers)
      await asking(server, (redis) => redis.call('ACL', 'SETUSER', user, 'on', `>${password}`, ...rules));
    return this.masters.map((server) => server.urlOf(user, password));
  }

  get servers(): readonly TestRedis[] {
    return [...this.masters, ...this.replicas];
  }

  /** What a server says of the whole cluster: `ok`, or `fail` when it serves nobody. */
  async stateAt(server: TestRedis | undefined): Promise<string | undefined> {
    const info = await asking(server as TestRedis, async (redis) =>
      String(await redis.call('CLUSTER', 'INFO')),
    );
    return /cluster_state:(\w+)/.exec(info)?.[1];
  }

  /** The server that holds a key, by the cluster's own word; of the servers that answer. */
  async holderOf(key: string): Promise<TestRedis | undefined> {
    for (const server of this.servers) {
      const port = await asking(server, async (redis) => {
        const slot = Number(await redis.call('CLUSTER', 'KEYSLOT', key));
        const ranges = (await redis.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
        return ranges.find(([from, to]) => slot >= from && slot <= to)?.[2][1];
      }).catch(() => undefined);
      if (port !== undefined) return this.servers.find((one) => one.port === port);
    }
    return undefined;
  }

  async remove(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.remove()));
  }

  async #join(servers: readonly TestRedis[], replicasEach: number): Promise<void> {
    const [first] = this.masters as [TestRedis];
    const share = Math.ceil(SLOTS / MASTERS);
    for (const [i, master] of this.masters.entries())
      await asking(master, (redis) =>
        redis.call('CLUSTER', 'ADDSLOTSRANGE', i * share, Math.min(SLOTS, (i + 1) * share) - 1),
      );
    for (const server of servers) {
      if (server === first) continue;
      const { busPort } = await ownPlace(first);
      await asking(server, (redis) => redis.call('CLUSTER', 'MEET', '127.0.0.1', first.port, busPort));
    }
    const known = async (server: TestRedis): Promise<boolean> =>
      (await nodesOf(server)).filter((line) => line.includes('connected')).length === servers.length;
    for (const server of servers) await until(() => known(server), 'the servers do not know each other');
    for (const [i, replica] of this.replicas.entries()) {
      const { id } = await ownPlace(this.masters[Math.floor(i / replicasEach)] as TestRedis);
      await asking(replica, (redis) => redis.call('CLUSTER', 'REPLICATE', id));
    }
    const ready = async (server: TestRedis): Promise<boolean> =>
      asking(server, async (redis) => {
        const info = String(await redis.call('CLUSTER', 'INFO'));
        const replication = String(await redis.info('replication'));
        return (
          info.includes('cluster_state:ok') &&
          info.includes(`cluster_slots_assigned:${SLOTS}`) &&
          !replication.includes('master_link_status:down') &&
          (replicasEach === 0 ||
            replication.includes('role:slave') ||
            replication.includes(`connected_slaves:${replicasEach}`))
        );
      });
    for (const server of servers) await until(() => ready(server), 'the cluster does not get ready');
  }
}

async function asking<T>(server: TestRedis, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(server.url, {
    ...server.clientTls,
    lazyConnect: true,
    commandTimeout: 2_000,
    retryStrategy: () => null,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

const nodesOf = (server: TestRedis): Promise<string[]> =>
  asking(server, async (redis) =>
    String(await redis.call('CLUSTER', 'NODES'))
      .trim()
      .split('\n'),
  );

/** The name of a server in its cluster, and the port on which the others call it. */
async function ownPlace(server: TestRedis): Promise<{ readonly id: string; readonly busPort: number }> {
  const own = (await nodesOf(server)).find((line) => line.includes('myself')) ?? '';
  const [, id, busPort] = /^(\w+) \S*@(\d+)/.exec(own) ?? [];
  return { id: id ?? '', busPort: Number(busPort) };
}

async function until(test: () => Promise<boolean>, complaint: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await test())) {
    if (Date.now() > deadline) throw new Error(complaint);
    await delay(100);
  }
}
