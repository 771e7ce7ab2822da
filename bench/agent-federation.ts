import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { Federation } from '../test/harness/federation.ts';
import type { Running } from './load-processes.ts';
import { PROGRAMS, environmentOf, flagsOf, serve } from './load-processes.ts';

export const ASKED = 'politie';
export const ASKING = 'gemeente';
/** What is asked, and what is imported meanwhile. */
export const [ASKED_REGISTER, OTHER_REGISTER] = ['zaken', 'incidenten'] as const;
const READY_MS = 1_800_000;
const USAGE = new URL('usage-at-exit.mjs', import.meta.url).href;

/** What a command took, all of its threads, from its start to its end. */
export interface Usage {
  /** Microseconds of processor time. */
  readonly processor: number;
  /** Bytes of memory at the most. */
  readonly peak: number;
  /** Seconds. */
  readonly took: number;
}

/** A gateway and two agents, each a process of its own as partners run it: one asks the other about clients. */
export class AgentFederation {
  readonly #setUp: Federation;
  readonly #running = new Map<string, Running>();
  #lookups = 0;

  private constructor(setUp: Federation) {
    this.#setUp = setUp;
  }

  /** `settings` are further ones of agent.yaml in an agency's folder. */
  static async start(
    settings?: (agency: string, folder: string) => Readonly<Record<string, unknown>>,
  ): Promise<AgentFederation> {
    const registers = [ASKED_REGISTER, OTHER_REGISTER].map((id) => ({ id, tokenTypes: ['bsn'] }));
    const setUp = await Federation.start({
      agencies: { [ASKED]: registers, [ASKING]: [] },
      nodeQuota: 1e9,
      nodeQuotaOfAll: 1e9,
      ...(settings !== undefined && { agentSettings: settings }),
    });
    const federation = new AgentFederation(setUp);
    try {
      const { port } = new URL(setUp.gatewayUrl);
      await setUp.stopGateway();
      mkdirSync(join(setUp.folder, 'logs'));
      const where = ['--dir', setUp.gatewayFolder, '--listen', `127.0.0.1:${port}`];
      federation.#running.set(
        'gateway',
        await serve('gateway', 'gateway', where, federation.#log('gateway')),
      );
      return federation;
    } catch (error) {
      await federation.close();
      throw error;
    }
  }

  async serve(agency: string): Promise<void> {
    const where = ['--dir', this.folderOf(agency)];
    this.#running.set(agency, await serve('agent', agency, where, this.#log(agency)));
  }

  /** Ends an agent without a warning, as a power cut would. */
  async kill(agency: string): Promise<void> {
    const agent = this.#agent(agency);
    process.kill(agent.pid, 'SIGKILL');
    await agent.stop();
  }

  folderOf(agency: string): string {
    return join(this.#setUp.folder, agency);
  }

  /** Where the API of an agent is, which runs. */
  urlOf(agency: string): string {
    return this.#agent(agency).url;
  }

  /** Resolves once an agent answers from the last import of each register. */
  async upToDate(agency: string): Promise<void> {
    const deadline = performance.now() + READY_MS;
    for (;;) {
      const status = (await (await this.#call(agency, 'GET', '/v1/status')).json()) as {
        readonly problems: readonly string[];
        readonly registers: readonly { readonly state: string; readonly upToDate: boolean }[];
      };
      const pending = status.registers.some(({ state, upToDate }) => state !== 'not-imported' && !upToDate);
      if (status.problems.length === 0 && !pending) return;
      if (performance.now() > deadline) throw new Error(`${agency}: ${JSON.stringify(status)}`);
      await delay(200);
    }
  }

  /** Runs `hit-agent import` to its end. */
  async import(register: string, numbers: Iterable<string>): Promise<Usage> {
    const file = join(this.folderOf(ASKED), `${register}.csv`);
    await writeNumbers(file, numbers);
    return runToEnd(['import', file, '--register', register, '--allow-shrink'], this.folderOf(ASKED));
  }

  /** Whether a person is known at the register that is asked; throws when there is no answer. */
  async isKnown(bsn: string): Promise<boolean> {
    const response = await this.#call(ASKING, 'POST', '/v1/lookups', {
      purpose: 'casusoverleg-zvh',
      caseReference: `ZVH-${this.#lookups++}`,
      professional: 'j.jansen',
      role: 'case-worker',
      statements: ['problemen', 'leefgebieden', 'overlast', 'domeinen'],
      persons: [{ bsn }],
      registers: [`${ASKED}/${ASKED_REGISTER}`],
    });
    const result = (await response.json()) as {
      readonly persons?: readonly { readonly registers: readonly { readonly status: string }[] }[];
    };
    const status = result.persons?.[0]?.registers[0]?.status;
    if (status === 'known' || status === 'not-known') return status === 'known';
    throw new Error(`no answer: ${JSON.stringify(result)}`);
  }

  /** Bytes of memory that a serving agent took at the most, as the kernel counts them. */
  peakOf(agency: string): number {
    const status = readFileSync(`/proc/${this.#agent(agency).pid}/status`, 'utf8');
    return 1_024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]);
  }

  async close(): Promise<void> {
    const agents = [...this.#running].filter(([name]) => name !== 'gateway');
    await Promise.all(agents.map(([, agent]) => agent.stop()));
    await this.#running.get('gateway')?.stop();
    await this.#setUp.close();
  }

  #agent(agency: string): Running {
    const agent = this.#running.get(agency);
    if (agent === undefined) throw new Error(`${agency} does not run`);
    return agent;
  }

  #call(agency: string, method: string, path: string, body?: unknown): Promise<Response> {
    const key = readFileSync(join(this.folderOf(agency), 'api-key'), 'utf8').trim();
    return fetch(new URL(path, this.#agent(agency).url), {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  #log(name: string): string {
    return join(this.#setUp.folder, 'logs', `${name}.log`);
  }
}

/** A file of clients with nothing but their numbers. */
export async function writeNumbers(file: string, numbers: Iterable<string>): Promise<void> {
  const out = createWriteStream(file);
  out.write('bsn\n');
  for (const number of numbers) if (!out.write(`${number}\n`)) await once(out, 'drain');
  out.end();
  await once(out, 'close');
}

/** Runs a command of `hit-agent` in a folder to its end, and throws what it says when it fails. */
export async function runToEnd(command: readonly string[], folder: string): Promise<Usage> {
  const started = performance.now();
  const args = [...command, '--progress', 'none', '--dir', folder];
  const child = spawn(
    process.execPath,
    [...flagsOf(PROGRAMS.agent), '--import', USAGE, PROGRAMS.agent, ...args],
    { stdio: ['ignore', 'ignore', 'pipe'], env: environmentOf(PROGRAMS.agent) },
  );
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const [said] = await Promise.all([text(child.stderr), once(child, 'close')]);
  process.off('exit', kill);
  const took = (performance.now() - started) / 1_000;
  if (child.exitCode !== 0) throw new Error(`hit-agent ${command[0]} failed: ${said}`);
  const { processorUs, peakKb } = JSON.parse(said.trimEnd().split('\n').at(-1) as string) as {
    processorUs: number;
    peakKb: number;
  };
  return { processor: processorUs, peak: 1_024 * peakKb, took };
}
