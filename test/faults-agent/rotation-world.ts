import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { TestAgency } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';
import { numbers } from '../node-agent/support/words.ts';
import { freePort } from '../support/free-port.ts';
import { PROGRAMS, ServingProgram, runToEnd } from '../support/programs.ts';
import { AgentProcess } from './agent-process.ts';
import { AskedAllAlong } from './asked-all-along.ts';
import { queryFile } from './holdings.ts';
import { require } from './require.ts';

/** One register is imported once, before everything; into the other one clients are imported all the while. */
const STILL = 'vast';
const MOVING = 'stroom';
const WAIT_MS = 90_000;

/** How the federation is made in which keys are changed. */
export interface RotationOptions {
  /** Clients of the register that is imported once, and that come and go in the other one. */
  readonly clients: number;
}

/**
 * A gateway and an agency, `politie`, each in a process of its own, of which one is killed while keys are changed: another
 * agency, `gemeente`, asks without a pause, and imports go on.
 */
export class RotationWorld {
  readonly #federation: Federation;
  readonly #gateway: ServingProgram;
  readonly #still: readonly string[];
  readonly #stays: readonly string[];
  readonly #comesAndGoes: readonly string[];
  #agent: AgentProcess | undefined;
  #url = '';
  #asked: AskedAllAlong | undefined;
  #importing: Promise<void> | undefined;
  #goesOn = true;
  #imports = 0;
  #repeated = 0;

  private constructor(federation: Federation, port: number, { clients }: RotationOptions) {
    this.#federation = federation;
    const listen = ['--listen', `127.0.0.1:${port}`];
    this.#gateway = new ServingProgram([
      ...[PROGRAMS.gateway, 'serve', '--dir', federation.gatewayFolder],
      ...listen,
    ]);
    this.#still = numbers(clients, 240_000_000);
    this.#stays = numbers(20, 250_000_000);
    this.#comesAndGoes = numbers(clients, 260_000_000);
  }

  /** Starts it all, imports both registers, and begins to ask and to import. */
  static async start(options: RotationOptions): Promise<RotationWorld> {
    const port = await freePort();
    const registers = [STILL, MOVING].map((id) => ({ id, tokenTypes: ['bsn'] }));
    const federation = await Federation.start({
      port,
      agencies: { politie: registers, gemeente: [] },
      configurePolicy: (yaml) => yaml.replace('keyOverlapDays: 7', 'keyOverlapDays: 0'),
    });
    const world = new RotationWorld(federation, port, options);
    try {
      await federation.stopGateway();
      await world.#gateway.start();
      await world.#import(STILL, world.#still);
      await world.#import(MOVING, world.#stays);
      await world.#serve();
      await world.#asker.start();
      await world.#asker.ready();
      await world.#asker.knows([STILL, MOVING].map((id) => `politie/${id}`));
      world.#begin();
      await world.asked.untilAnswered(3);
      return world;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  get #asker(): TestAgency {
    return this.#federation.agency('gemeente');
  }

  get #police(): TestAgency {
    return this.#federation.agency('politie');
  }

  get agent(): AgentProcess {
    require(this.#agent !== undefined, 'the agent was not started');
    return this.#agent;
  }

  get asked(): AskedAllAlong {
    require(this.#asked !== undefined, 'nothing is asked yet');
    return this.#asked;
  }

  async #serve(): Promise<void> {
    this.#agent = this.#run('serve', '--canary-seconds', '5');
    const url = await this.#agent.url();
    require(url !== undefined, `the agent does not start: ${this.#agent.text}`);
    this.#url = url;
    await this.untilReady();
  }

  #begin(): void {
    const [still = '', stays = ''] = [this.#still[0], this.#stays[0]];
    const stranger = numbers(1, 290_000_000)[0] as string;
    const persons = [still, stays, stranger].map((bsn) => ({ bsn }));
    const registers = [`politie/${STILL}`, `politie/${MOVING}`];
    const truth = [[`politie/${STILL}`], [`politie/${MOVING}`], []];
    this.#asked = new AskedAllAlong(() => this.#asker.lookup(persons, { registers }), truth);
    this.#importing = this.#importOverAndOver();
    // What goes wrong there is this fault's, and told where its end is waited for.
    this.#importing.catch(() => undefined);
  }

  /** Imports with and without those that come and go; what a change of keys broke off is run again, as it says. */
  async #importOverAndOver(): Promise<void> {
    for (let i = 0; this.#goesOn; i++) {
      const bsns = i % 2 === 0 ? [...this.#stays, ...this.#comesAndGoes] : this.#stays;
      const { code, text } = await this.#beginImport(MOVING, bsns).ended();
      this.#imports++;
      if (code === 0) continue;
      this.#repeated++;
      // It reads the roster at its start, where it does not wait for a gateway that is away.
      require(/key-changed|gateway-unreachable/.test(text), `an import failed: ${text}`);
    }
  }

  #run(...args: string[]): AgentProcess {
    return new AgentProcess(this.#police.folder, join(this.#federation.folder, 'no-clock'), ...args);
  }

  #beginImport(register: string, bsns: readonly string[]): AgentProcess {
    const folder = join(this.#federation.folder, 'sources');
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `${register}.csv`);
    writeFileSync(file, ['bsn', ...bsns, ''].join('\n'));
    return this.#run('import', file, '--register', register, '--allow-shrink');
  }

  async #import(register: string, bsns: readonly string[]): Promise<string> {
    const { code, text } = await this.#beginImport(register, bsns).ended();
    require(code === 0, `the import failed: ${text}`);
    return text;
  }

  /** A command of the agency's administrator. */
  async hitAgent(...args: string[]): Promise<string> {
    const { code, text } = await this.#run(...args).ended();
    require(code === 0, `hit-agent ${args.join(' ')}: ${text}`);
    return text;
  }

  /** A command of the administrator of the agency that asks. */
  hitAsker(command: string, ...options: string[]): Promise<string> {
    return this.#asker.run(command, ...options);
  }

  /** A command of the gateway's administrator. */
  hitGateway(...args: string[]): Promise<string> {
    return runToEnd(PROGRAMS.gateway, ...args, '--dir', this.#federation.gatewayFolder);
  }

  /** Kills the gateway, and starts it again after a moment. Resolves when lookups have all answers again. */
  async killGateway(): Promise<void> {
    await this.asked.awayWhile(async () => {
      await this.#gateway.kill();
      await delay(500);
      await this.#gateway.start();
    });
  }

  /** Waits until something that is looked at fits. */
  async until(look: () => Promise<string>, fits: RegExp): Promise<void> {
    let seen = '';
    for (const deadline = Date.now() + WAIT_MS; Date.now() < deadline; await delay(200)) {
      seen = await look().catch((error: Error) => error.message);
      if (fits.test(seen)) return;
    }
    throw new Error(`it never says ${String(fits)}: ${seen}`);
  }

  async untilReady(): Promise<void> {
    await this.until(
      async () => ((await fetch(`${this.#url}/readyz`)).ok ? 'ready' : 'not ready'),
      /^ready$/,
    );
  }

  /**
   * Ends asking and importing; gives what came of it, in words. Throws when an answer was wrong, missing or not logged,
   * when a log does not hold, or when what was imported before would have to be imported again.
   */
  async outcome(): Promise<string> {
    await this.untilReady();
    await this.asked.untilAnswered(5);
    this.#goesOn = false;
    await this.#importing;
    await this.asked.end();
    const said = this.asked.outcome();
    const again = await this.#import(STILL, this.#still);
    require(/\b0 added, 0 removed/.test(again), `what was imported is not there any more: ${again}`);
    const logged = queryFile(() => this.#police.folder)(
      "SELECT count(DISTINCT lookup_key) AS count FROM log WHERE event = 'answered'",
    );
    const [row] = await logged;
    const missing = this.asked.answered.length - Number(row?.['count']);
    require(missing <= 0, `${missing} answers that were given are not in the agency's log`);
    await this.hitAgent('log', 'verify');
    const folder = join(this.#federation.folder, 'export');
    await this.hitGateway('audit', 'export', '--out', folder);
    // Cosigned is what was published, some minutes ago or not at all.
    await runToEnd(PROGRAMS.verify, folder, '--min-witnesses', '0');
    return `${said}; ${this.#imports} imports, ${this.#repeated} run again`;
  }

  async close(): Promise<void> {
    this.#goesOn = false;
    await this.#asked?.end();
    if (this.#agent?.isRunning === true) await this.#agent.kill();
    await this.#importing?.catch(() => undefined);
    await this.#gateway.kill();
    await this.#federation.close();
  }
}
