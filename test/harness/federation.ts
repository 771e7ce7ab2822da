import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunningGateway } from '@hitmachine/gateway';
import {
  gatewayFiles,
  gatewayKeys,
  inviteAgency,
  makeGatewayFiles,
  openConsole,
  openGatewayStore,
  operationalLog,
  readConfig,
  readPolicy,
  readSeeds,
  startGateway,
  systemRandom,
  tlsFiles,
} from '@hitmachine/gateway';
import { loadSodium } from '@hitmachine/protocol';
import { pino } from 'pino';
import { stringify } from 'yaml';
import { TestAgency } from './agency.ts';
import { LogBook } from './log-book.ts';
import type { Tap } from './tap.ts';
import { openTap } from './tap.ts';

/** A register of a test federation. */
export interface TestRegister {
  readonly id: string;
  readonly tokenTypes: readonly string[];
}

export interface FederationOptions {
  /** Agencies with their registers. */
  readonly agencies: Readonly<Record<string, readonly TestRegister[]>>;
  /** Put a tap between agencies and gateway: what it hears is everything that the gateway receives and sends. */
  readonly tap?: boolean;
  /** Port of the gateway; any free one when left out. */
  readonly port?: number;
  /** Changes to gateway.yaml, as text. */
  readonly configure?: (yaml: string) => string;
  /** Changes to policy.yaml, as text. */
  readonly configurePolicy?: (yaml: string) => string;
  /** Puts files beside gateway.yaml before the gateway starts. */
  readonly prepare?: (gatewayFolder: string) => void | Promise<void>;
  /** More settings of an agency's agent.yaml; may put files into its folder, which is there. */
  readonly agentSettings?: (id: string, folder: string) => object;
  /** Persons that one agency may ask about at a node in a day. */
  readonly nodeQuota?: number;
  /** Persons that all agencies together may ask about at a node in a day. */
  readonly nodeQuotaOfAll?: number;
  /** Milliseconds between two published checkpoints. */
  readonly publishEveryMs?: number;
}

/** Tests ask as nobody would who works on a case, and by night too: nothing of it is to stand out, unless a test is about that. */
const QUIET = `  burst: 1000000
  withoutHits: 1000000
  consecutiveNumbers: 100
  atNight: 1000000
  slowDownSeconds: 0`;

/**
 * A whole federation in this process, from the real parts: gateway and agents with their servers, sockets, worker
 * threads and SQLite files, in a temporary folder. Gateway and agents can be stopped and started one by one.
 */
export class Federation {
  readonly folder: string;
  readonly logs = new LogBook();
  readonly agencies = new Map<string, TestAgency>();
  readonly #options: FederationOptions;
  #gateway: { readonly running: RunningGateway; readonly close: () => Promise<void> } | undefined;
  #port: number;
  tap: Tap | undefined;

  private constructor(options: FederationOptions) {
    this.#options = options;
    this.#port = options.port ?? 0;
    this.folder = mkdtempSync(join(tmpdir(), 'hitmachine-test-'));
  }

  /** The enrolment token that was made last. */
  lastToken = '';

  static async start(options: FederationOptions): Promise<Federation> {
    const federation = new Federation(options);
    const { files } = await makeGatewayFiles(await loadSodium(), federation.gatewayFolder, {
      federation: 'waalstad',
      listen: '127.0.0.1:0',
    });
    const yaml = readFileSync(files.config, 'utf8');
    writeFileSync(files.config, options.configure?.(yaml) ?? yaml);
    const policy = readFileSync(files.policy, 'utf8')
      .replace('agency: { minute: 240, day: 2000 }', 'agency: { day: 1000000 }')
      .replace('professional: { minute: 60, day: 300 }', 'professional: { day: 1000000 }')
      .replace('  burst: 60\n  slowDownSeconds: 30\n', `${QUIET}\n`);
    writeFileSync(files.policy, options.configurePolicy?.(policy) ?? policy);
    await options.prepare?.(federation.gatewayFolder);
    await federation.startGateway();
    if (options.tap === true) federation.tap = await openTap(federation.gatewayUrl);
    for (const [id, registers] of Object.entries(options.agencies)) await federation.addAgency(id, registers);
    return federation;
  }

  get gatewayFolder(): string {
    return join(this.folder, 'gateway');
  }

  /** Where the gateway itself listens. */
  get gatewayUrl(): string {
    if (this.#gateway === undefined) throw new Error('the gateway is stopped');
    return this.#gateway.running.url;
  }

  /** Where the gateway's metrics are read, where gateway.yaml has some. */
  get gatewayMetricsUrl(): string | undefined {
    return this.#gateway?.running.metricsUrl;
  }

  async startGateway(): Promise<void> {
    const backend = await loadSodium();
    const files = gatewayFiles(this.gatewayFolder);
    const config = readConfig(files.config);
    const store = await openGatewayStore(files, config);
    const running = await startGateway({
      backend,
      seeds: await readSeeds(backend, files, config),
      federation: config.federation,
      firstPolicy: () => readPolicy(files.policy, config.federation),
      listen: { host: '127.0.0.1', port: this.#port },
      tls:
        config.tls &&
        tlsFiles(files.directory, config.tls, (error) => {
          throw error;
        }),
      store,
      console: await openConsole(files, config.console),
      metrics: config.metrics,
      runtime: { now: Date.now, random: systemRandom },
      publishEveryMs: this.#options.publishEveryMs,
      log: operationalLog(pino({ level: 'debug' }, this.logs.stream('gateway'))),
    });
    this.#port = Number(new URL(running.url).port);
    this.#gateway = { running, close: () => store.close() };
  }

  /** What a gateway does by itself when its key store has changed. */
  async takeGatewayKeys(): Promise<void> {
    const files = gatewayFiles(this.gatewayFolder);
    const seeds = await readSeeds(await loadSodium(), files, readConfig(files.config));
    await this.#gateway?.running.takeKeys(seeds);
  }

  async stopGateway(): Promise<void> {
    const gateway = this.#gateway;
    this.#gateway = undefined;
    await gateway?.running.close();
    await gateway?.close();
  }

  /** Invites and enrols an agency; it does not serve yet. */
  async addAgency(id: string, registers: readonly TestRegister[]): Promise<TestAgency> {
    const folder = join(this.folder, id);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const config = {
      listen: '127.0.0.1:0',
      registers: registers.map((register) => ({
        ...register,
        name: `Registratie ${register.id}`,
        areaOfLife: 'veiligheid',
        contact: { name: `Team ${register.id}`, telephone: '024 000 00 00' },
      })),
      ...this.#options.agentSettings?.(id, folder),
    };
    writeFileSync(join(folder, 'agent.yaml'), stringify(config));
    const quotas = {
      personsPerAgencyPerDay: this.#options.nodeQuota ?? 1_000_000,
      personsPerDay: this.#options.nodeQuotaOfAll ?? 1_000_000,
    };
    writeFileSync(join(folder, 'policy.yaml'), stringify({ quotas }));
    const agency = new TestAgency(id, folder, this.logs);
    await agency.run('init');
    const token = (this.lastToken = await this.invite(id));
    await agency.run('enrol', '--gateway', this.tap?.url ?? this.gatewayUrl, '--token', token);
    this.agencies.set(id, agency);
    return agency;
  }

  /** An enrolment token, as `hit-gateway agency add` makes it. */
  async invite(id: string): Promise<string> {
    const backend = await loadSodium();
    const files = gatewayFiles(this.gatewayFolder);
    const config = readConfig(files.config);
    const { identityKey } = gatewayKeys(backend, await readSeeds(backend, files, config));
    const store = await openGatewayStore(files, config);
    try {
      const { token } = await inviteAgency(
        { ...store, runtime: { now: Date.now, random: systemRandom }, gatewayKey: identityKey },
        { id, name: `Organisatie ${id}`, kind: 'other', clients: 1_000_000 },
      );
      return token;
    } finally {
      await store.close();
    }
  }

  agency(id: string): TestAgency {
    const agency = this.agencies.get(id);
    if (agency === undefined) throw new Error(`no agency ${id} in this test`);
    return agency;
  }

  /** Starts every agency and waits until each answers for all that it has imported, and all have heard of each other. */
  async serveAll(): Promise<void> {
    for (const agency of this.agencies.values()) await agency.start();
    for (const agency of this.agencies.values()) await agency.ready();
    await this.introduced();
  }

  /** Resolves once every running agency has a roster in which all running agencies stand with their registers. */
  async introduced(): Promise<void> {
    const running = [...this.agencies.values()].filter(({ isRunning }) => isRunning);
    const registers = running.flatMap(({ id }) =>
      (this.#options.agencies[id] ?? []).map((register) => `${id}/${register.id}`),
    );
    for (const agency of running) await agency.knows(registers);
  }

  /** Stops everything and removes the folder. */
  async close(): Promise<void> {
    await Promise.all([...this.agencies.values()].map((agency) => agency.stop()));
    await this.tap?.close();
    await this.stopGateway();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
