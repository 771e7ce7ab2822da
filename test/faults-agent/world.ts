import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import type { TestAgency } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';
import { numbers } from '../node-agent/support/node.ts';
import type { Ended } from './agent-process.ts';
import { AgentProcess } from './agent-process.ts';
import { require } from './require.ts';

export const REGISTER = 'zaken';
const NAME = `politie/${REGISTER}`;
/** How long an agency may take to be ready again once the cause is gone. */
const RECOVERY_MS = 60_000;
/** How long a fault may take to be seen. */
const NOTICED_MS = 30_000;

/** What an agency holds, to be compared before and after a fault. */
export interface Holdings {
  readonly clients: string;
  readonly log: readonly string[];
  readonly receipts: readonly string[];
}

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

  private constructor(federation: Federation) {
    this.federation = federation;
    this.#police = federation.agency('politie');
    this.folder = this.#police.folder;
  }

  static async start(): Promise<World> {
    const federation = await Federation.start({
      agencies: { politie: [{ id: REGISTER, tokenTypes: ['bsn'] }], gemeente: [] },
    });
    const world = new World(federation);
    await world.#police.import(
      REGISTER,
      world.clients.map((bsn) => ({ bsn })),
    );
    await world.asker.start();
    await world.serve();
    return world;
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
    const result = await this.asker.lookup([{ bsn }], { registers: [NAME] });
    const { status = 'missing', reason } = result.persons[0]?.registers[0] ?? {};
    const wrong = this.clients.includes(bsn) ? 'not-known' : 'known';
    require(status !==
      wrong, `a wrong answer: ${bsn === this.stranger ? 'a stranger' : 'a client'} is ${status}`);
    if (status === 'known' || status === 'not-known') this.answered.push(result.lookupId);
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
  holdings(): Holdings {
    const database = new DatabaseSync(join(this.folder, 'agent.sqlite'), { readOnly: true });
    try {
      const rows = (query: string): string[] =>
        database
          .prepare(query)
          .all()
          .map((row) =>
            JSON.stringify(row, (_, value: unknown) =>
              value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
            ),
          );
      const pseudonyms = rows(
        `SELECT register, token_type, element FROM pseudonyms WHERE register = '${REGISTER}'`,
      );
      return {
        clients: `${pseudonyms.length} ${createHash('sha256').update(pseudonyms.sort().join('\n')).digest('hex')}`,
        log: rows('SELECT sequence, event, lookup_key FROM log ORDER BY sequence'),
        receipts: rows('SELECT lookup_id FROM receipts ORDER BY lookup_id'),
      };
    } finally {
      database.close();
    }
  }

  /** What of the holdings from before is gone, and what of the answers is not in the logs. */
  async lost(before: Holdings): Promise<string[]> {
    const after = this.holdings();
    const gone = (name: 'log' | 'receipts'): string[] => {
      const held = new Set(after[name]);
      return before[name].filter((row) => !held.has(row)).map((row) => `${name}: ${row}`);
    };
    const verified = await this.command('log', 'verify');
    return [
      ...(after.clients === before.clients ? [] : [`clients: ${before.clients} became ${after.clients}`]),
      ...gone('log'),
      ...gone('receipts'),
      ...(verified.code === 0 ? [] : [`the chain of the log: ${verified.text}`]),
      ...this.#notLogged(),
    ];
  }

  /** Answers that the asker got and that do not stand in the log of the agency that gave them. */
  #notLogged(): string[] {
    const database = new DatabaseSync(join(this.folder, 'agent.sqlite'), { readOnly: true });
    try {
      const { count } = database
        .prepare("SELECT count(DISTINCT lookup_key) AS count FROM log WHERE event = 'answered'")
        .get() as { count: number };
      return count >= this.answered.length
        ? []
        : [`${this.answered.length - count} answers that were given are not in the log`];
    } finally {
      database.close();
    }
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
    if (existsSync(this.scratch)) rmSync(this.scratch, { recursive: true });
  }
}
