import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import type { TestAgency } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';
import { numbers } from '../node-agent/support/words.ts';
import type { Authority } from '../support/certificates.ts';
import type { TestPostgres } from '../support/postgres.ts';
import type { Ended } from './agent-process.ts';
import { AgentProcess } from './agent-process.ts';
import type { Holdings, Query } from './holdings.ts';
import { goneSince, holdingsOf, queryFile } from './holdings.ts';
import { require } from './require.ts';
import type { Setting } from './setting.ts';
import type { SetUp } from './set-up.ts';
import { setUp } from './set-up.ts';

export const REGISTER = 'zaken';
const AGENCY = 'politie';
const NAME = `${AGENCY}/${REGISTER}`;
/** How long an agency may take to be ready again once the cause is gone. */
const RECOVERY_MS = 60_000;
/** How long a fault may take to be seen. */
const NOTICED_MS = 30_000;

/**
 * A federation of real parts, in which one agency, `politie`, has its agent in a process of its own that all kinds of
 * things are done to, and another one, `gemeente`, asks it.
 */
export class World {
  readonly federation: Federation;
  readonly clients = numbers(40, 240_000_000);
  readonly stranger = numbers(1, 290_000_000)[0] as string;
  readonly scratch = mkdtempSync(join(tmpdir(), 'hit-faults-'));
  readonly #police: TestAgency;
  /** Where the agent's directory is: scenarios may move it. */
  folder: string;
  #agent: AgentProcess | undefined;
  url = '';
  /** Lookups that the asker was told of, with an answer. */
  readonly answered: string[] = [];

  readonly setting: Setting;
  readonly #setUp: SetUp;
  readonly #query: Query;

  private constructor(federation: Federation, setting: Setting, made: SetUp) {
    this.federation = federation;
    this.setting = setting;
    this.#setUp = made;
    this.#police = federation.agency(AGENCY);
    this.folder = this.#police.folder;
    const { postgres } = made;
    this.#query = postgres === undefined ? queryFile(() => this.folder) : (text) => postgres.sql(text);
  }

  static async start(setting: Setting = 'as it comes'): Promise<World> {
    const made = await setUp(setting, AGENCY);
    const federation = await Federation.start({
      agencies: { [AGENCY]: [{ id: REGISTER, tokenTypes: ['bsn'] }], gemeente: [] },
      ...made.options,
    });
    const world = new World(federation, setting, made);
    await world.#police.import(
      REGISTER,
      world.clients.map((bsn) => ({ bsn })),
    );
    await world.asker.start();
    await world.serve();
    return world;
  }

  /** The database server of the agency whose store is there. */
  get postgres(): TestPostgres {
    require(this.#setUp.postgres !== undefined, 'there is no PostgreSQL here');
    return this.#setUp.postgres;
  }

  /** Who vouches for certificates where both sides show one. */
  get authority(): Authority {
    require(this.#setUp.authority !== undefined, 'there are no certificates here');
    return this.#setUp.authority;
  }

  get asker(): TestAgency {
    return this.federation.agency('gemeente');
  }

  get agent(): AgentProcess {
    require(this.#agent !== undefined, 'the agent was not started');
    return this.#agent;
  }

  get clockFile(): string {
    return join(this.scratch, 'clock');
  }

  /** Starts the agent and waits until it is ready, unless told otherwise. */
  async serve({ untilReady = true } = {}): Promise<void> {
    this.#agent = new AgentProcess(this.folder, this.clockFile, 'serve', '--canary-seconds', '5');
    const url = await this.#agent.url();
    require(url !== undefined, `the agent does not start: ${this.#agent.text}`);
    this.url = url;
    if (untilReady) await this.untilReady();
  }

  /** Runs a command beside the agent, to its end. */
  async command(...args: string[]): Promise<Ended> {
    return this.begin(...args).ended();
  }

  /** Changes agent.yaml, of which a running agent takes no notice; gives what puts it back. */
  configure(change: (settings: Record<string, unknown>) => void): () => void {
    const file = join(this.folder, 'agent.yaml');
    const before = readFileSync(file, 'utf8');
    const settings = parse(before) as Record<string, unknown>;
    change(settings);
    writeFileSync(file, stringify(settings));
    return () => writeFileSync(file, before);
  }

  /** Begins an import of all clients and many more, and resolves when it is in the middle of it. */
  async beginImport(): Promise<AgentProcess> {
    const file = this.file('many.csv', this.csv([...this.clients, ...numbers(6_000, 260_000_000)]));
    const run = this.begin('import', file, '--register', REGISTER, '--progress', 'json');
    await run.said(/"done":[1-9]/);
    require(run.isRunning, `it was through before anything could be done to it: ${run.text}`);
    return run;
  }

  /** Begins a command beside the agent. */
  begin(...args: string[]): AgentProcess {
    return new AgentProcess(this.folder, this.clockFile, ...args);
  }

  /** A file in the scratch folder. */
  file(name: string, content: string | Uint8Array): string {
    const path = join(this.scratch, name);
    writeFileSync(path, content);
    return path;
  }

  readonly csv = (bsns: readonly string[]): string => ['bsn', ...bsns, ''].join('\n');

  async problems(): Promise<readonly string[]> {
    const response = await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(20_000) });
    const body = (await response.json()) as { problems?: readonly string[]; detail?: string };
    return response.ok ? [] : (body.problems ?? [body.detail ?? 'not ready']);
  }

  /** Waits until readiness is false for a reason that fits; gives it. */
  async untilNotReady(reason: RegExp): Promise<string> {
    const deadline = Date.now() + NOTICED_MS;
    for (;;) {
      const problems = await this.problems();
      const found = problems.find((problem) => reason.test(problem));
      if (found !== undefined) return found;
      require(Date.now() <
        deadline, `readiness should say ${String(reason)}, and says: ${problems.join('; ') || 'ready'}`);
      await delay(100);
    }
  }

  async untilReady(): Promise<void> {
    const deadline = Date.now() + RECOVERY_MS;
    let problems: readonly string[] = [];
    while (Date.now() < deadline) {
      problems = await this.problems().catch((error: Error) => [error.message]);
      if (problems.length === 0) return;
      await delay(100);
    }
    throw new Error(`it does not get ready again: ${problems.join('; ')}`);
  }

  /**
   * Asks about a client or a stranger. Gives what came out; throws when silence or a fault is shown as a wrong answer.
   */
  async ask(bsn: string): Promise<string> {
    const asked = await this.asker
      .lookup([{ bsn }], { registers: [NAME] })
      .catch((error: Error) => /"code":"([a-z-]+)"/.exec(error.message)?.[1] ?? error.message);
    // The asker's own way may be cut too; it then says so, and not that somebody is not known.
    if (typeof asked === 'string') return `no-answer (${asked})`;
    const { status = 'missing', reason } = asked.persons[0]?.registers[0] ?? {};
    const wrong = this.clients.includes(bsn) ? 'not-known' : 'known';
    require(status !==
      wrong, `a wrong answer: ${bsn === this.stranger ? 'a stranger' : 'a client'} is ${status}`);
    if (status === 'known' || status === 'not-known') this.answered.push(asked.lookupId);
    return reason === undefined ? status : `${status} (${reason})`;
  }

  /** Whether the agency answers as it did before everything, for a client and for a stranger. */
  async requireAnswers(): Promise<void> {
    const deadline = Date.now() + RECOVERY_MS;
    let [client, stranger] = ['', ''];
    while (Date.now() < deadline) {
      const index = this.answered.length % this.clients.length;
      [client, stranger] = [await this.ask(this.clients[index] as string), await this.ask(this.stranger)];
      if (client === 'known' && stranger === 'not-known') return;
      await delay(200);
    }
    throw new Error(`it does not answer again: a client is ${client}, a stranger is ${stranger}`);
  }

  /** What the agency holds now. */
  holdings(): Promise<Holdings> {
    return holdingsOf(this.#query, REGISTER);
  }

  /** What of the holdings from before is gone, and what of the answers is not in the logs. */
  async lost(before: Holdings): Promise<string[]> {
    const after = await this.holdings();
    const verified = await this.command('log', 'verify');
    const notLogged = this.answered.length - after.answered;
    return [
      ...goneSince(before, after),
      ...(verified.code === 0 ? [] : [`the chain of the log: ${verified.text}`]),
      ...(notLogged <= 0 ? [] : [`${notLogged} answers that were given are not in the log`]),
    ];
  }

  /** Moves the stopped agent's directory. */
  move(to: string): void {
    cpSync(this.folder, to, { recursive: true });
    rmSync(join(to, 'running.json'), { force: true });
    this.folder = to;
  }

  apiKey(): string {
    return readFileSync(join(this.folder, 'api-key'), 'utf8').trim();
  }

  async close(): Promise<void> {
    if (this.#agent?.isRunning === true) await this.#agent.kill();
    await this.federation.close();
    await this.#setUp.close();
    if (existsSync(this.scratch)) rmSync(this.scratch, { recursive: true });
  }
}
