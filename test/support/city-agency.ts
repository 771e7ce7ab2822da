import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { stringify } from 'yaml';
import { PROGRAMS, ServingProgram, runToEnd } from './programs.ts';

const READY_MS = 120_000;
const ASK_MS = 40_000;
/** The register that every agency of the city has. */
export const REGISTER = 'clienten';
const STATEMENTS = ['problemen', 'leefgebieden', 'overlast', 'domeinen'];

/** A citizen service number that passes the 11-test, of nobody: the n-th of those that begin with 9. */
export function numberOf(n: number): string {
  for (let tail = 0; ; tail++) {
    const digits = String(90_000_000 + n * 10 + tail).padStart(8, '0');
    const sum = [...digits].reduce((total, digit, i) => total + Number(digit) * (9 - i), 0);
    if (sum % 11 < 10) return `${digits}${sum % 11}`;
  }
}

/** What an asker was told about one person at one agency. */
export interface Told {
  readonly lookupId: string;
  readonly asker: string;
  readonly node: string;
  readonly status: 'known' | 'not-known' | 'no-answer' | 'refused' | 'invalid';
  readonly reason: string | undefined;
  /** Whether what was told is the truth; undefined where nothing was told. */
  readonly isTrue: boolean | undefined;
  /** Milliseconds from the question until this answer was there. */
  readonly tookMs: number;
}

/** The lines of a lookup that say what became of it. */
type Line =
  | { readonly type: 'opened'; readonly lookupId: string }
  | { readonly type: 'problem'; readonly problem: { readonly code: string } }
  | {
      readonly type: 'register';
      readonly persons: readonly { register: string; status: Told['status']; reason?: string }[];
    }
  | { readonly type: 'begun' | 'end' };

async function* linesOf(response: Response): AsyncGenerator<Line> {
  let rest = '';
  for await (const text of (response.body as ReadableStream<Uint8Array>).pipeThrough(
    new TextDecoderStream(),
  )) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line) as Line;
  }
}

/** An agency of the city: its agent in a process of its own, and who its clients are. */
export class CityAgency {
  readonly id: string;
  readonly folder: string;
  readonly clients: ReadonlySet<string>;
  program: ServingProgram;
  readonly #port: number;

  constructor(id: string, folder: string, clients: readonly string[], port: number) {
    this.id = id;
    this.folder = folder;
    this.clients = new Set(clients);
    this.#port = port;
    this.program = new ServingProgram([PROGRAMS.agent, 'serve', '--dir', folder]);
  }

  /** Makes its files, enrols at the gateway and imports its clients. */
  async enrol(urls: readonly string[], token: string): Promise<void> {
    const config = {
      listen: `127.0.0.1:${this.#port}`,
      gateway: { urls },
      registers: [
        {
          id: REGISTER,
          name: `Cliënten van ${this.id}`,
          areaOfLife: 'veiligheid',
          tokenTypes: ['bsn'],
          contact: { name: 'Balie', telephone: '024 000 00 00' },
        },
      ],
    };
    writeFileSync(join(this.folder, 'agent.yaml'), stringify(config));
    const quotas = { personsPerAgencyPerDay: 1_000_000, personsPerDay: 1_000_000 };
    writeFileSync(join(this.folder, 'policy.yaml'), stringify({ quotas }));
    const file = join(this.folder, 'clients.csv');
    writeFileSync(file, ['bsn', ...this.clients, ''].join('\n'));
    const run = (...argv: string[]): Promise<string> =>
      runToEnd(PROGRAMS.agent, ...argv, '--dir', this.folder);
    await run('init');
    await run('enrol', '--gateway', urls[0] ?? '', '--token', token);
    await run('import', file, '--register', REGISTER);
  }

  /** Resolves once the agent is connected and answers. */
  async ready(): Promise<void> {
    const deadline = Date.now() + READY_MS;
    for (;;) {
      const status = await this.#status().catch(() => undefined);
      if (status?.problems.length === 0 && status.registers.every(({ upToDate }) => upToDate)) return;
      if (Date.now() > deadline)
        throw new Error(
          `${this.id} does not get ready: ${JSON.stringify(status)}\n${this.program.said.slice(-5).join('\n')}`,
        );
      await delay(250);
    }
  }

  /** Whether the agent is connected to two processes of the gateway. */
  async reachesTwo(): Promise<boolean> {
    const status = await this.#status().catch(() => undefined);
    return new Set(status?.gateway.connections.flatMap(({ replica }) => replica ?? [])).size >= 2;
  }

  /**
   * Asks about a person at other agencies, and takes each answer as it comes in. A refusal of the lookup as a whole is
   * told for each of them.
   */
  async ask(bsn: string, others: readonly CityAgency[]): Promise<readonly Told[]> {
    const since = performance.now();
    const told = new Map<string, Told>();
    let [lookupId, why] = ['', 'the stream ended'];
    const tell = (node: string, status: Told['status'], reason: string | undefined): void => {
      const knows = others.find(({ id }) => id === node)?.clients.has(bsn) === true;
      const isTrue =
        status === 'known' || status === 'not-known' ? (status === 'known') === knows : undefined;
      const tookMs = performance.now() - since;
      told.set(node, { lookupId, asker: this.id, node, status, reason, isTrue, tookMs });
    };
    try {
      const response = await this.#fetch('POST', '/v1/lookups', {
        purpose: 'casusoverleg-zvh',
        caseReference: 'ZVH-2026-0001',
        professional: 'j.jansen',
        role: 'case-worker',
        statements: STATEMENTS,
        persons: [{ bsn }],
        registers: others.map(({ id }) => `${id}/${REGISTER}`),
      });
      if (!response.ok) why = ((await response.json()) as { code?: string }).code ?? String(response.status);
      else
        for await (const line of linesOf(response))
          if (line.type === 'opened') lookupId = line.lookupId;
          else if (line.type === 'problem') why = line.problem.code;
          else if (line.type === 'register')
            for (const { register, status, reason } of line.persons)
              tell(register.split('/')[0] ?? '', status, reason);
    } catch {
      why = 'the agent is away';
    }
    for (const { id } of others) if (!told.has(id)) tell(id, 'no-answer', why);
    return [...told.values()];
  }

  async #status(): Promise<{
    problems: unknown[];
    registers: { upToDate: boolean }[];
    gateway: { connections: { replica?: string }[] };
  }> {
    return (await (await this.#fetch('GET', '/v1/status')).json()) as never;
  }

  #fetch(method: string, path: string, body?: unknown): Promise<Response> {
    const key = readFileSync(join(this.folder, 'api-key'), 'utf8').trim();
    return fetch(new URL(path, `http://127.0.0.1:${this.#port}`), {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        ...(method === 'POST' && { accept: 'application/x-ndjson' }),
      },
      signal: AbortSignal.timeout(ASK_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }
}
