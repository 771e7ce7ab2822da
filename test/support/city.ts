import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeEntry } from '@hitmachine/protocol';
import type { LogEntry } from '@hitmachine/protocol';
import { gatewayFiles, openGatewayStore, readConfig } from '@hitmachine/gateway';
import { CityAgency } from './city-agency.ts';
import { freePort } from './free-port.ts';
import { LoadBalancer } from './load-balancer.ts';
import { PROGRAMS, ServingProgram, runToEnd } from './programs.ts';
import { TestPostgres } from './postgres.ts';
import { TestRedisCluster } from './redis-cluster.ts';
import { TestRedis } from './redis.ts';

const FEDERATION = 'waalstad';
/** Nobody stands out, whatever is asked: that is another rule. */
const QUIET =
  '  burst: 1000000\n  withoutHits: 1000000\n  consecutiveNumbers: 100\n  atNight: 1000000\n  slowDownSeconds: 0\n';

export interface CityOptions {
  readonly replicas: number;
  /** One Redis server, or a cluster of three with so many replicas each; they keep their data. */
  readonly redis: 'single' | { readonly cluster: number };
  /** Folder of the disk on which PostgreSQL keeps its files, where it has one to itself. */
  readonly databaseDisk?: string;
  /** What the policy says an agency may ask in all: `{ day: 400 }`. */
  readonly quota: string;
}

/** A module that sets the clock of a program ahead before it begins, as a machine whose clock is wrong would. */
const clockAhead = (milliseconds: number): string =>
  `data:text/javascript,const now = Date.now.bind(Date); Date.now = () => now() + ${milliseconds};`;

/** A replica of the gateway: its process, and the ports that it always has. */
export interface Replica {
  readonly folder: string;
  readonly url: string;
  readonly port: number;
  readonly linkPort: number;
  program: ServingProgram;
}

/**
 * A federation as it runs in earnest, every program in a process of its own: replicas of a gateway on a real PostgreSQL
 * and a real Redis behind a load balancer, and agents.
 */
export class City {
  readonly folder = mkdtempSync(join(tmpdir(), 'hitmachine-city-'));
  readonly postgres: TestPostgres;
  readonly redis: TestRedis | TestRedisCluster;
  readonly agencies: CityAgency[] = [];
  replicas: readonly Replica[] = [];
  balancer!: LoadBalancer;

  private constructor(postgres: TestPostgres, redis: TestRedis | TestRedisCluster) {
    this.postgres = postgres;
    this.redis = redis;
  }

  static async start(options: CityOptions): Promise<City> {
    const postgres = await TestPostgres.start({}, options.databaseDisk);
    const keeping = { appendonly: 'yes', appendfsync: 'always' };
    const redis =
      options.redis === 'single'
        ? await TestRedis.start(keeping)
        : await TestRedisCluster.start(options.redis.cluster, keeping);
    const city = new City(postgres, redis);
    try {
      await city.#prepare(options);
      await Promise.all(city.replicas.map(({ program }) => program.start()));
      city.balancer = await new LoadBalancer(city.replicas.map(({ port }) => port)).start();
      return city;
    } catch (error) {
      await city.close();
      throw error;
    }
  }

  async #prepare({ replicas, quota }: CityOptions): Promise<void> {
    const first = join(this.folder, 'replica-1');
    await runToEnd(
      PROGRAMS.gateway,
      'init',
      '--federation',
      FEDERATION,
      '--listen',
      '127.0.0.1:0',
      '--dir',
      first,
    );
    rmSync(join(first, 'gateway.sqlite'), { force: true });
    const urls = this.redis instanceof TestRedis ? [this.redis.url] : this.redis.urls;
    this.#secret(first, 'postgres-url', this.postgres.url);
    this.#secret(first, 'redis-url', `${urls.join('\n')}\n`);
    const policy = join(first, 'policy.yaml');
    const text = readFileSync(policy, 'utf8')
      .replace('agency: { minute: 240, day: 2000 }', `agency: ${quota}`)
      .replace('professional: { minute: 60, day: 300 }', `professional: ${quota}`)
      .replace('  burst: 60\n  slowDownSeconds: 30\n', QUIET);
    writeFileSync(policy, text);
    const made: Replica[] = [];
    for (let i = 0; i < replicas; i++) {
      const folder = join(this.folder, `replica-${i + 1}`);
      if (i > 0) cpSync(first, folder, { recursive: true });
      const [port, linkPort] = [await freePort(), await freePort()];
      made.push({
        folder,
        url: `http://127.0.0.1:${port}`,
        port,
        linkPort,
        program: this.programOf(folder),
      });
    }
    for (const { folder, port, linkPort } of made) {
      const config = join(folder, 'gateway.yaml');
      const yaml = readFileSync(config, 'utf8').replace(
        "listen: '127.0.0.1:0'",
        `listen: '127.0.0.1:${port}'`,
      );
      writeFileSync(
        config,
        `${yaml}database: { postgres: { urlFile: postgres-url } }\nredis: { urlFile: redis-url }\nreplicas: { listen: '127.0.0.1:${linkPort}' }\n`,
      );
    }
    this.replicas = made;
  }

  #secret(folder: string, name: string, content: string): void {
    writeFileSync(join(folder, name), content);
    chmodSync(join(folder, name), 0o600);
  }

  /** An agency with its clients, whose agent is told of these addresses of the gateway. It does not serve yet. */
  async addAgency(id: string, clients: readonly string[], urls: readonly string[]): Promise<CityAgency> {
    const folder = join(this.folder, id);
    mkdirSync(folder, { mode: 0o700 });
    const agency = new CityAgency(id, folder, clients, await freePort());
    await agency.enrol(urls, await this.invite(id));
    this.agencies.push(agency);
    return agency;
  }

  /** An enrolment token. */
  async invite(id: string): Promise<string> {
    const [first] = this.replicas;
    const argv = ['agency', 'add', id, '--name', id, '--kind', 'other', '--clients', '100000'];
    return (await runToEnd(PROGRAMS.gateway, ...argv, '--dir', first?.folder ?? '')).trim();
  }

  /** The process of a replica, which does not run yet; its clock is ahead by so many milliseconds. */
  programOf(folder: string, clockAheadMs = 0): ServingProgram {
    const clock = clockAheadMs === 0 ? [] : ['--import', clockAhead(clockAheadMs)];
    return new ServingProgram([...clock, PROGRAMS.gateway, 'serve', '--dir', folder]);
  }

  /** Starts a replica that was stopped, with a clock that is wrong. */
  async serveWithClock(replica: Replica, clockAheadMs: number): Promise<void> {
    replica.program = this.programOf(replica.folder, clockAheadMs);
    await replica.program.start();
  }

  /** All entries of the log, read from the database. */
  async log(): Promise<readonly LogEntry[]> {
    const files = gatewayFiles(this.replicas[0]?.folder ?? '');
    const store = await openGatewayStore(files, readConfig(files.config));
    const entries: LogEntry[] = [];
    try {
      for (;;) {
        const leaves = await store.auditLog.leaves(entries.length, 1_000);
        if (leaves.length === 0) return entries;
        entries.push(...leaves.map(decodeEntry));
      }
    } finally {
      await store.close();
    }
  }

  /** Exports the log and has it verified, as an auditor does. Throws with what is wrong. */
  async verifyLog(): Promise<string> {
    const folder = join(this.folder, `export-${Date.now()}`);
    const { folder: gateway = '' } = this.replicas[0] ?? {};
    await runToEnd(PROGRAMS.gateway, 'audit', 'export', '--out', folder, '--dir', gateway);
    return runToEnd(PROGRAMS.verify, folder);
  }

  async close(): Promise<void> {
    await Promise.all(this.agencies.map((agency) => agency.program.kill()));
    await Promise.all(this.replicas.map(({ program }) => program.kill()));
    await (this.balancer as LoadBalancer | undefined)?.close();
    await this.redis.remove();
    await this.postgres.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
