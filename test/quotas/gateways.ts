import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { decodeEntry, lookupRequestSchema, parseJson, utf8ToBytes } from '@hitmachine/protocol';
import { gatewayFiles, openGatewayStore, readConfig } from '@hitmachine/gateway';
import { TestPostgres } from '../support/postgres.ts';
import { TestRedis } from '../support/redis.ts';
import { Asker } from './asker.ts';

const PROGRAM = fileURLToPath(new URL('../../gateway/bin/hit-gateway.mjs', import.meta.url));
const NODE_OPTIONS = ['--disable-warning=ExperimentalWarning'];
const FEDERATION = 'waalstad';
/** Persons that an agency may ask about in a day. */
export const QUOTA = 500;
/** Nobody is slowed down in between: that is another rule. */
const SIGNALS = 'burst: 1000000\n  atNight: 1000000\n  slowDownSeconds: 0';

/** A process of `hit-gateway serve`. */
interface Serving {
  readonly folder: string;
  url: string;
  program: ChildProcess | undefined;
}

/**
 * Real gateways in processes of their own that serve one federation: replicas on one PostgreSQL database and one Redis
 * server, or the single one with SQLite that is the default.
 */
export class Gateways {
  readonly replicas: Serving[];
  readonly redis: TestRedis | undefined;
  readonly #folder: string;
  readonly #postgres: TestPostgres | undefined;

  private constructor(folder: string, count: number, postgres?: TestPostgres, redis?: TestRedis) {
    this.#folder = folder;
    this.#postgres = postgres;
    this.redis = redis;
    this.replicas = Array.from({ length: count }, (_, i) => ({
      folder: join(folder, `replica-${i + 1}`),
      url: '',
      program: undefined,
    }));
  }

  /** Three replicas that share PostgreSQL and Redis. */
  static async replicated(): Promise<Gateways> {
    const [postgres, redis] = [await TestPostgres.start(), await TestRedis.start()];
    return Gateways.#start(3, postgres, redis);
  }

  /** The default: one gateway with its SQLite file. */
  static embedded(): Promise<Gateways> {
    return Gateways.#start(1);
  }

  static async #start(count: number, postgres?: TestPostgres, redis?: TestRedis): Promise<Gateways> {
    const folder = mkdtempSync(join(tmpdir(), 'hitmachine-quotas-'));
    const gateways = new Gateways(folder, count, postgres, redis);
    try {
      await gateways.#prepare();
      // At once, on an empty database: one of them opens the log, publishes the policy and makes the first roster.
      await Promise.all(gateways.replicas.map((_, i) => gateways.serve(i)));
      return gateways;
    } catch (error) {
      await gateways.close();
      throw error;
    }
  }

  async #prepare(): Promise<void> {
    const [first, ...others] = this.replicas.map(({ folder }) => folder) as [string, ...string[]];
    await this.#command(first, 'init', '--federation', FEDERATION, '--listen', '127.0.0.1:0');
    const config = join(first, 'gateway.yaml');
    if (this.#postgres !== undefined && this.redis !== undefined) {
      this.#secret(first, 'postgres-url', this.#postgres.url);
      this.#secret(first, 'redis-url', this.redis.url);
      const servers = 'database: { postgres: { urlFile: postgres-url } }\nredis: { urlFile: redis-url }\n';
      writeFileSync(config, `${readFileSync(config, 'utf8')}${servers}`);
      // The database that init prepared is not used.
      rmSync(join(first, 'gateway.sqlite'), { force: true });
    }
    const policy = join(first, 'policy.yaml');
    writeFileSync(
      policy,
      readFileSync(policy, 'utf8')
        .replace('agency: { minute: 240, day: 2000 }', `agency: { day: ${QUOTA} }`)
        .replace('professional: { minute: 60, day: 300 }', `professional: { day: ${QUOTA} }`)
        .replace(/burst: 60\n {2}slowDownSeconds: 30/, SIGNALS),
    );
    for (const other of others) cpSync(first, other, { recursive: true });
  }

  #secret(folder: string, name: string, content: string): void {
    writeFileSync(join(folder, name), content);
    chmodSync(join(folder, name), 0o600);
  }

  /** Where those that run listen. */
  get urls(): string[] {
    return this.replicas.flatMap(({ url }) => (url === '' ? [] : [url]));
  }

  /** Starts a replica, and waits until it listens. */
  async serve(place: number): Promise<void> {
    const replica = this.replicas[place] as Serving;
    const program = spawn(process.execPath, [...NODE_OPTIONS, PROGRAM, 'serve', '--dir', replica.folder], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    replica.program = program;
    replica.url = await new Promise<string>((resolve, reject) => {
      const said: string[] = [];
      createInterface({ input: program.stderr }).on('line', (line) => said.push(line));
      const lines = createInterface({ input: program.stdout });
      lines.on('line', (line) => {
        const { event, url } = JSON.parse(line) as { event?: string; url?: string };
        if (event !== 'listening' || url === undefined) return;
        lines.close();
        // Its lines about every request are read and thrown away.
        program.stdout.resume();
        resolve(url);
      });
      program.once('exit', () => reject(new Error(`a gateway did not start: ${said.join('\n')}`)));
    });
  }

  /** Ends a replica as a loss of power would. */
  async kill(place: number): Promise<void> {
    const replica = this.replicas[place] as Serving;
    const { program } = replica;
    replica.url = '';
    if (program === undefined || program.exitCode !== null || program.signalCode !== null) return;
    const gone = once(program, 'exit');
    program.kill('SIGKILL');
    await gone;
  }

  /** Agencies on the roster, that every replica knows. */
  async askers(...ids: string[]): Promise<Asker[]> {
    const askers: Asker[] = [];
    for (const [i, id] of ids.entries()) {
      const token = await this.#command(
        this.replicas[0]?.folder ?? '',
        ...['agency', 'add', id, '--name', id, '--kind', 'other'],
      );
      const asker = new Asker(id);
      await asker.enrol(this.urls[i % this.urls.length] ?? '', token.trim());
      askers.push(asker);
    }
    const rosterVersion = Math.max(...askers.map((asker) => asker.rosterVersion));
    for (const asker of askers) asker.rosterVersion = rosterVersion;
    await this.#known(rosterVersion);
    return askers;
  }

  /** Waits until every replica has taken over a version of the roster. */
  async #known(version: number): Promise<void> {
    for (const url of this.urls)
      for (;;) {
        const { roster } = (await (await fetch(new URL('/v1/roster', url))).json()) as {
          roster: { payload: string };
        };
        const payload = JSON.parse(Buffer.from(roster.payload, 'base64url').toString('utf8')) as {
          version: number;
        };
        if (payload.version >= version) break;
        await delay(50);
      }
  }

  /** What the log says: persons that each agency was let through with, and refusals that stand in it. */
  async logged(): Promise<{ readonly persons: ReadonlyMap<string, number>; readonly entries: number }> {
    const files = gatewayFiles(this.replicas[0]?.folder ?? '');
    const store = await openGatewayStore(files, readConfig(files.config));
    const persons = new Map<string, number>();
    let entries = 0;
    try {
      for (;;) {
        const leaves = await store.auditLog.leaves(entries, 1_000);
        if (leaves.length === 0) return { persons, entries };
        entries += leaves.length;
        for (const entry of leaves.map(decodeEntry)) {
          if (entry.event !== 'lookup') continue;
          const lookup = parseJson(lookupRequestSchema, utf8ToBytes(entry.body));
          persons.set(entry.agency, (persons.get(entry.agency) ?? 0) + lookup.persons);
        }
      }
    } finally {
      await store.close();
    }
  }

  async #command(folder: string, ...argv: string[]): Promise<string> {
    const program = spawn(process.execPath, [...NODE_OPTIONS, PROGRAM, ...argv, '--dir', folder], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const exit = once(program, 'exit');
    const [out, err] = await Promise.all([text(program.stdout), text(program.stderr)]);
    if ((await exit)[0] !== 0) throw new Error(`hit-gateway ${argv.join(' ')}: ${err}`);
    return out;
  }

  async close(): Promise<void> {
    await Promise.all(this.replicas.map((_, i) => this.kill(i)));
    await this.redis?.remove();
    await this.#postgres?.remove();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
