import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunningAgent } from '@hitmachine/node-agent';
import { operationalLog, runProgram, startAgent } from '@hitmachine/node-agent';
import { pino } from 'pino';
import type { LogBook } from './log-book.ts';

/** A person or client in a test, with the names of the columns of a client file. */
export interface TestPerson {
  readonly bsn?: string;
  readonly prefix?: string;
  readonly surname?: string;
  readonly givenNames?: string;
  readonly birthDate?: string;
  readonly postcode?: string;
  readonly houseNumber?: string;
}

export interface RegisterResult {
  readonly register: string;
  readonly status: 'known' | 'not-known' | 'no-answer' | 'refused' | 'invalid';
  readonly matchedOn?: readonly string[];
  readonly reason?: string;
  readonly contact?: unknown;
}

export interface LookupResult {
  readonly lookupIds: readonly string[];
  /** The first of them: most questions take one lookup. */
  readonly lookupId: string;
  readonly complete: boolean;
  readonly persons: readonly {
    readonly ref: string;
    readonly lookupId?: string;
    readonly registers: readonly RegisterResult[];
    readonly notAsked: readonly { readonly register: string; readonly reason: string }[];
  }[];
}

interface Status {
  readonly problems: readonly string[];
  readonly registers: readonly { readonly id: string; readonly state: string; readonly upToDate: boolean }[];
}

/** What is used here of `GET /v1/roster`. */
interface ListedRegisters {
  readonly agencies: readonly {
    readonly id: string;
    readonly registers: readonly { readonly id: string }[];
  }[];
}

const COLUMNS = ['bsn', 'prefix', 'surname', 'givenNames', 'birthDate', 'postcode', 'houseNumber'] as const;
/** What has to be confirmed for the purposes of a new gateway. */
export const STATEMENTS: Readonly<Record<string, readonly string[]>> = {
  'casusoverleg-zvh': ['problemen', 'leefgebieden', 'overlast', 'domeinen'],
  'huiselijk-geweld': ['melding'],
};
const READY_MS = 60_000;

/** One agency of a test federation: its commands, its agent and its API. */
export class TestAgency {
  readonly id: string;
  readonly folder: string;
  readonly #logs: LogBook;
  #agent: RunningAgent | undefined;
  /** How far the agent's clock runs ahead of the machine's, in milliseconds. */
  clockAheadMs = 0;

  constructor(id: string, folder: string, logs: LogBook) {
    this.id = id;
    this.folder = folder;
    this.#logs = logs;
  }

  get isRunning(): boolean {
    return this.#agent !== undefined;
  }

  /** Runs a command of hit-agent in this agency's directory. Throws with what it said when it fails. */
  async run(command: string, ...options: string[]): Promise<string> {
    const { code, out, err } = await this.tryRun(command, ...options);
    if (code !== 0) throw new Error(`hit-agent ${command} failed: ${err}`);
    return out;
  }

  async tryRun(command: string, ...options: string[]): Promise<{ code: number; out: string; err: string }> {
    let out = '';
    let err = '';
    const code = await runProgram([command, ...options, '--dir', this.folder], {
      terminal: { out: (text) => (out += `${text}\n`), err: (text) => (err += text), interactive: false },
      defaultDirectory: this.folder,
      stopped: new AbortController().signal,
    });
    this.#logs.write(`${this.id} terminal`, out + err);
    return { code, out, err };
  }

  /** Replaces the content of a register. */
  async import(register: string, clients: readonly TestPerson[]): Promise<void> {
    const quote = (value: string): string => `"${value.replaceAll('"', '""')}"`;
    const lines = clients.map((client) => COLUMNS.map((column) => quote(client[column] ?? '')).join(','));
    const file = join(this.folder, `${register}.csv`);
    writeFileSync(file, [COLUMNS.join(','), ...lines, ''].join('\n'));
    await this.run('import', file, '--register', register, '--allow-shrink');
  }

  /** Serves; on any free port unless told. */
  async start(port = 0): Promise<void> {
    const log = operationalLog(pino({ level: 'debug' }, this.#logs.stream(this.id)));
    const listen = { host: '127.0.0.1', port };
    // Minutes, elsewhere: a test cannot wait for them.
    const options = { directory: this.folder, log, listen, logPatienceMs: 2_000 };
    this.#agent ??= await startAgent({ ...options, clock: () => Date.now() + this.clockAheadMs });
  }

  async stop(): Promise<void> {
    const agent = this.#agent;
    this.#agent = undefined;
    await agent?.close();
  }

  /** Resolves once the agent is connected and answers from the last import of each register. */
  async ready(): Promise<void> {
    const deadline = Date.now() + READY_MS;
    for (;;) {
      const status = (await this.call('GET', '/v1/status')) as Status;
      const pending = status.registers.filter(({ state, upToDate }) => state !== 'not-imported' && !upToDate);
      if (status.problems.length === 0 && pending.length === 0) return;
      if (Date.now() > deadline) throw new Error(`${this.id} does not get ready: ${JSON.stringify(status)}`);
      await delay(50);
    }
  }

  /** Resolves once the roster that this agency trusts lists the registers, each named agency/register. */
  async knows(registers: readonly string[]): Promise<void> {
    const deadline = Date.now() + READY_MS;
    for (;;) {
      const roster = (await this.call('GET', '/v1/roster')) as ListedRegisters;
      const listed = roster.agencies.flatMap((agency) =>
        agency.registers.map(({ id }) => `${agency.id}/${id}`),
      );
      const missing = registers.filter((register) => !listed.includes(register));
      if (missing.length === 0) return;
      if (Date.now() > deadline) throw new Error(`${this.id} does not hear of ${missing.join(', ')}`);
      await delay(50);
    }
  }

  /** Asks about persons; `registers` all when left out. */
  async lookup(
    persons: readonly TestPerson[],
    options: {
      readonly registers?: readonly string[];
      readonly purpose?: string;
      readonly professional?: string;
      readonly role?: string;
      readonly statements?: readonly string[];
      readonly caseReference?: string;
    } = {},
  ): Promise<LookupResult> {
    const result = (await this.call('POST', '/v1/lookups', {
      purpose: options.purpose ?? 'casusoverleg-zvh',
      caseReference: options.caseReference ?? 'ZVH-2026-0001',
      professional: options.professional ?? 'j.jansen',
      role: options.role ?? (options.purpose === 'subject-access' ? 'privacy-officer' : 'case-worker'),
      statements: options.statements ?? STATEMENTS[options.purpose ?? 'casusoverleg-zvh'] ?? [],
      persons: persons.map(describePerson),
      ...(options.registers === undefined ? {} : { registers: options.registers }),
    })) as LookupResult;
    return { ...result, lookupId: result.lookupIds[0] ?? '' };
  }

  /** Calls this agency's API. Throws with the problem document when it says no. */
  async call(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await this.fetch(method, path, body);
    const value: unknown = await response.json();
    if (!response.ok && path !== '/readyz') throw new Error(`${method} ${path}: ${JSON.stringify(value)}`);
    return value;
  }

  async fetch(method: string, path: string, body?: unknown): Promise<Response> {
    if (this.#agent === undefined) throw new Error(`${this.id} does not run`);
    const key = readFileSync(join(this.folder, 'api-key'), 'utf8').trim();
    return fetch(new URL(path, this.#agent.url), {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }
}

/** A test person as the agency's API takes it. */
function describePerson({
  bsn,
  prefix,
  surname,
  givenNames,
  birthDate,
  postcode,
  houseNumber,
}: TestPerson): object {
  return {
    ...(bsn === undefined ? {} : { bsn }),
    ...(surname === undefined ? {} : { name: { surname, prefix, givenNames } }),
    ...(birthDate === undefined ? {} : { birthDate }),
    ...(postcode === undefined ? {} : { address: { postcode, number: houseNumber } }),
  };
}

/** The names of the registers at which a person is known; throws when a register did not answer. */
export function knownAt(result: LookupResult, person = 0): string[] {
  return (result.persons[person]?.registers ?? []).flatMap(({ register, status, reason }) => {
    if (status === 'known') return [register];
    if (status === 'not-known') return [];
    throw new Error(`${register}: ${status} (${reason ?? ''})`);
  });
}
