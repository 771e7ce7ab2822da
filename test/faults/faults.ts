import { setTimeout as delay } from 'node:timers/promises';
import type { CityAgency } from '../support/city-agency.ts';
import type { City } from '../support/city.ts';
import type { Replica } from '../support/city.ts';
import type { TestRedisCluster } from '../support/redis-cluster.ts';
import type { ServingProgram } from '../support/programs.ts';
import type { TestRedis } from '../support/redis.ts';
import { OtherVersion } from './other-version.ts';
import type { Net } from './net.ts';

/** What a fault needs that is not everywhere. */
export interface Means {
  readonly city: City;
  /** Rules for the packets of this test alone; undefined where it may make none. */
  readonly net: Net | undefined;
  /** The disk of PostgreSQL, to be filled and emptied again; undefined where it has none of its own. */
  readonly disk: { readonly folder: string; fill(): void; empty(): void } | undefined;
}

/** Something that goes wrong. */
export interface Fault {
  readonly name: string;
  /** Why it cannot be tried here; undefined when it can. */
  missing?(means: Means): string | undefined;
  /** Makes it go wrong, and takes the cause away again: what a supervisor does, and no more. */
  strike(means: Means): Promise<void>;
  /**
   * Whether the way from an asker to a node has nothing to do with it, so that it has to be answered while it lasts as
   * it was before; or why there is no such way.
   */
  readonly untouched: Ways | { readonly none: string };
  /** Milliseconds that recovery may take after the cause is gone. */
  readonly withinMs: number;
}

/** Agents that are told of all replicas but the one that things happen to, and others that are told of all. */
export const ELSEWHERE = ['eerste', 'tweede'] as const;
export const EVERYWHERE = ['derde', 'vierde'] as const;
const KILLED = EVERYWHERE[0];

/** Ways from an asker to a node. */
type Ways = (asker: string, node: string) => boolean;
const all: Ways = () => true;
const elsewhere: Ways = (...ends) => ends.every((end) => (ELSEWHERE as readonly string[]).includes(end));
const butThatOf =
  (agency: string): Ways =>
  (...ends) =>
    !ends.includes(agency);
const none = (why: string): { readonly none: string } => ({ none: why });

/** How long a fault lasts, in milliseconds. */
const LASTS_MS = 4_000;

/** The replica that things happen to. */
const replicaOf = ({ city }: Means): Replica => city.replicas.at(-1) as Replica;
const clusterOf = ({ city }: Means): TestRedisCluster => city.redis as TestRedisCluster;
const NO_NET = 'only root may make a network of its own (unshare, nft, tc)';

/** The server that holds the counters of the quotas: the one whose death hurts. */
const counting = async (means: Means): Promise<TestRedis> =>
  (await clusterOf(means).holderOf('hit:{waalstad}:x')) ?? (clusterOf(means).masters[0] as TestRedis);

/** The copy of a server that does not hold the counters. */
async function copyElsewhere(means: Means): Promise<TestRedis> {
  const { masters, replicas } = clusterOf(means);
  const place = masters.indexOf(await counting(means));
  return replicas[(place + 1) % replicas.length] as TestRedis;
}

async function during(net: Net, rule: () => void, lastsMs = LASTS_MS): Promise<void> {
  rule();
  try {
    await delay(lastsMs);
  } finally {
    net.clear();
  }
}

export const FAULTS: readonly Fault[] = [
  {
    name: 'a replica is killed and started again',
    async strike(means) {
      await replicaOf(means).program.kill();
      await delay(LASTS_MS);
      await replicaOf(means).program.start();
    },
    untouched: elsewhere,
    withinMs: 30_000,
  },
  {
    name: 'an agent is killed and started again',
    async strike({ city }) {
      const agent = city.agencies.find(({ id }) => id === KILLED)?.program;
      await agent?.kill();
      await delay(LASTS_MS);
      await agent?.start();
    },
    untouched: butThatOf(KILLED),
    withinMs: 60_000,
  },
  {
    name: 'a replica hangs (no processor for a while)',
    async strike(means) {
      replicaOf(means).program.freeze();
      await delay(LASTS_MS);
      replicaOf(means).program.resume();
    },
    untouched: elsewhere,
    withinMs: 30_000,
  },
  {
    name: 'a copy of a Redis server is killed and started again',
    async strike(means) {
      const server = await copyElsewhere(means);
      await server.stop();
      await delay(LASTS_MS);
      await server.start();
    },
    untouched: all,
    withinMs: 30_000,
  },
  {
    name: 'Redis fails over: the server with the counters is killed, and comes back as a replica',
    async strike(means) {
      const server = await counting(means);
      await server.stop();
      await delay(LASTS_MS);
      await server.start();
    },
    untouched: none('each lookup is counted there'),
    withinMs: 30_000,
  },
  {
    name: 'all of Redis is away',
    async strike(means) {
      for (const server of clusterOf(means).servers) server.freeze();
      await delay(LASTS_MS);
      for (const server of clusterOf(means).servers) server.resume();
    },
    untouched: none('each lookup is counted there'),
    withinMs: 30_000,
  },
  {
    name: 'PostgreSQL is killed and started again',
    async strike({ city }) {
      await city.postgres.crash();
      await delay(LASTS_MS);
      await city.postgres.start();
    },
    untouched: none('each lookup is logged there'),
    withinMs: 30_000,
  },
  {
    name: 'the disk of PostgreSQL is full',
    missing: ({ disk }) => (disk === undefined ? 'only root may mount a small disk' : undefined),
    async strike({ disk, city }) {
      disk?.fill();
      // It needs a new file for what it writes next, and ends when it cannot have one: the worst that a full disk does.
      await city.postgres.sql('SELECT pg_switch_wal()').catch(() => undefined);
      await delay(LASTS_MS);
      disk?.empty();
      await city.postgres.startIfEnded();
    },
    untouched: none('each lookup is logged there'),
    withinMs: 30_000,
  },
  {
    name: 'the network to the links of one replica is cut',
    missing: ({ net }) => (net === undefined ? NO_NET : undefined),
    strike: async (means) => during(means.net as Net, () => means.net?.cut(replicaOf(means).linkPort), 8_000),
    untouched: elsewhere,
    withinMs: 30_000,
  },
  {
    name: 'the network to one replica is cut for everybody',
    missing: ({ net }) => (net === undefined ? NO_NET : undefined),
    strike: async (means) => during(means.net as Net, () => means.net?.cut(replicaOf(means).port), 8_000),
    untouched: elsewhere,
    withinMs: 60_000,
  },
  {
    name: 'the network to PostgreSQL is slow',
    missing: ({ net }) => (net === undefined ? NO_NET : undefined),
    strike: async (means) => during(means.net as Net, () => means.net?.slow(means.city.postgres.port, 150)),
    untouched: none('each lookup is logged there'),
    withinMs: 30_000,
  },
  {
    name: 'the clock of one replica is 40 seconds ahead',
    async strike(means) {
      const { city } = means;
      const replica = replicaOf(means);
      await replica.program.stop();
      await city.serveWithClock(replica, 40_000);
      await delay(LASTS_MS);
      await replica.program.stop();
      await city.serveWithClock(replica, 0);
    },
    untouched: elsewhere,
    withinMs: 30_000,
  },
  {
    name: 'everything is stopped and started in another order',
    async strike(means) {
      const { city } = means;
      const cluster = clusterOf(means);
      await Promise.all(city.replicas.map(({ program }) => program.stop()));
      await Promise.all(cluster.servers.map((server) => server.stop()));
      await city.postgres.stop();
      // Gateways come last by hand and first here: those that cannot start are started again, as systemd does.
      const gateways = Promise.all(city.replicas.map(({ program }) => untilStarted(() => program.start())));
      await delay(1_500);
      await Promise.all(cluster.servers.map((server) => server.start()));
      await delay(1_000);
      await city.postgres.start();
      await gateways;
    },
    untouched: none('all is stopped'),
    withinMs: 60_000,
  },
  {
    name: 'replicas are replaced one by one by those of another version',
    strike: async ({ city }) => replacedByOther(city),
    untouched: all,
    withinMs: 30_000,
  },
  {
    name: 'replicas of the other version are replaced one by one',
    async strike({ city }) {
      if (city.replicas.some(({ program }) => !ofOtherVersion.has(program))) await replacedByOther(city);
      await replaced(city, ({ folder }) => city.programOf(folder));
    },
    untouched: none('a replica that speaks version 1 with agents stops without a word before'),
    withinMs: 30_000,
  },
  {
    name: 'an agent of another version works beside the others, and is upgraded',
    async strike({ city }) {
      const agent = city.agencies.find(({ id }) => id === KILLED) as CityAgency;
      const now = agent.program;
      const other = OtherVersion.agent(city.folder);
      try {
        await now.stop();
        agent.program = other.serving(agent.folder);
        await agent.program.start();
        await agent.ready();
        await delay(LASTS_MS);
      } finally {
        await agent.program.stop();
        agent.program = now;
        await now.start();
      }
    },
    untouched: butThatOf(KILLED),
    withinMs: 60_000,
  },
];

const ofOtherVersion = new WeakSet<ServingProgram>();

async function replacedByOther(city: City): Promise<void> {
  const other = OtherVersion.gateway(city.folder);
  await replaced(city, ({ folder }) => {
    const program = other.serving(folder);
    ofOtherVersion.add(program);
    return program;
  });
}

/** Puts another program in the place of each replica, one after another. */
async function replaced(city: City, by: (replica: Replica) => ServingProgram): Promise<void> {
  for (const replica of city.replicas) {
    await replica.program.stop();
    replica.program = by(replica);
    await replica.program.start();
    await settled(city);
  }
}

/** Resolves when every agent has its two connections again, to two replicas: what an operator waits for before the next. */
async function settled(city: City): Promise<void> {
  const deadline = performance.now() + 20_000;
  for (const agency of city.agencies)
    while (!(await agency.reachesTwo()) && performance.now() < deadline) await delay(100);
}

async function untilStarted(start: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++)
    try {
      return await start();
    } catch (error) {
      if (attempt === 20) throw error;
      await delay(500);
    }
}
