import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const PROGRAMS = {
  gateway: fileURLToPath(new URL('../../gateway/bin/hit-gateway.mjs', import.meta.url)),
  agent: fileURLToPath(new URL('../../node-agent/bin/hit-agent.mjs', import.meta.url)),
  provider: fileURLToPath(new URL('identity-provider.mjs', import.meta.url)),
};
const FOLLOW_PARENT = new URL('follow-parent.mjs', import.meta.url).href;

const LAST_LINES = 12;
const LISTENING_MS = 60_000;
/** How long a program may take to finish what it was doing. */
const DRAIN_MS = 10_000;

export type Program = keyof typeof PROGRAMS;

/** Something the person in front of the screen should read; no stack trace is shown with it. */
export class DemoError extends Error {
  override name = 'DemoError';
}

/** A program that serves until it is stopped. */
export interface Service {
  readonly label: string;
  /** Where it listens. */
  readonly url: string;
  /** Ends it without a warning, as a power cut would. Resolves when it is gone. */
  kill(): Promise<void>;
}

interface Running {
  readonly label: string;
  readonly child: ChildProcess;
  /** Resolves when the program is gone and all that it said was read. */
  readonly gone: Promise<void>;
  expectedToEnd: boolean;
}

/** Starts the programs, keeps what they last said, and leaves none of them behind. */
export class Processes {
  readonly #running = new Set<Running>();
  readonly #reportDeath: (service: string, error: DemoError) => void;
  #closing = false;

  /** `reportDeath` hears of every service that ends without having been told to. */
  constructor(reportDeath: (service: string, error: DemoError) => void) {
    this.#reportDeath = reportDeath;
  }

  /**
   * Runs a command to its end and gives back its standard output. `onError` gets each line of its standard error.
   * Throws `DemoError` with the last lines when the exit code is not 0.
   */
  async run(program: Program, args: readonly string[], onError?: (line: string) => void): Promise<string> {
    const label = `${program} ${args[0] ?? ''}`;
    const said: string[] = [];
    const { child, gone } = this.#start(program, args, label, true);
    const output: string[] = [];
    readLines(child.stdout, (line) => output.push(line));
    readLines(child.stderr, (line) => {
      keepLast(said, line);
      onError?.(line);
    });
    await gone;
    if (child.exitCode !== 0)
      throw new DemoError(ending(label, child, said.length > 0 ? said : output.slice(-LAST_LINES)));
    return output.join('\n').trim();
  }

  /**
   * Starts a service and waits until it listens. All that it says is added to `logFile`.
   * Throws `DemoError` when it ends before, or takes longer than a minute.
   */
  async serve(program: Program, args: readonly string[], label: string, logFile: string): Promise<Service> {
    const running = this.#start(program, ['serve', ...args], label, false);
    const { child, gone } = running;
    const said: string[] = [];
    const log = createWriteStream(logFile, { flags: 'a' });
    const { promise: listening, resolve, reject } = Promise.withResolvers<string>();
    const read = (line: string): void => {
      keepLast(said, line);
      log.write(`${line}\n`);
      const url = listeningUrl(line);
      if (url !== undefined) resolve(url);
    };
    readLines(child.stdout, read);
    readLines(child.stderr, read);
    void gone.then(() => {
      log.end();
      const error = new DemoError(ending(label, child, said));
      reject(error);
      if (!running.expectedToEnd) this.#reportDeath(label, error);
    });
    const timer = setTimeout(() => {
      reject(new DemoError(`${label} did not start listening within a minute; its log: ${logFile}`));
    }, LISTENING_MS);
    try {
      const url = await listening;
      return { label, url, kill: () => this.#kill(running) };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Stops everything: agents first, so that they can say goodbye to the gateway. Nothing can be started after. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const running of this.#running) running.expectedToEnd = true;
    await this.#stop([...this.#running].filter(({ label }) => label !== 'gateway'));
    await this.#stop([...this.#running]);
  }

  /** Ends everything at once, without a warning. */
  killAll(): void {
    this.#closing = true;
    for (const running of this.#running) {
      running.expectedToEnd = true;
      running.child.kill('SIGKILL');
    }
  }

  #start(program: Program, args: readonly string[], label: string, expectedToEnd: boolean): Running {
    if (this.#closing) throw new DemoError('the demo is stopping');
    const flags = ['--disable-warning=ExperimentalWarning', '--import', FOLLOW_PARENT];
    const child = spawn(process.execPath, [...flags, PROGRAMS[program], ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const gone = once(child, 'close').then(() => {
      this.#running.delete(running);
    });
    const running: Running = { label, child, gone, expectedToEnd };
    this.#running.add(running);
    return running;
  }

  async #kill(running: Running): Promise<void> {
    running.expectedToEnd = true;
    running.child.kill('SIGKILL');
    await running.gone;
  }

  async #stop(all: readonly Running[]): Promise<void> {
    for (const { child } of all) child.kill('SIGTERM');
    const patience = new AbortController();
    const tooLong = sleep(DRAIN_MS, undefined, { signal: patience.signal })
      .then(() => {
        for (const { child } of all) child.kill('SIGKILL');
      })
      .catch(() => undefined);
    await Promise.all(all.map(({ gone }) => gone));
    patience.abort();
    await tooLong;
  }
}

function readLines(stream: NodeJS.ReadableStream | null, read: (line: string) => void): void {
  if (stream !== null) createInterface({ input: stream }).on('line', read);
}

function keepLast(lines: string[], line: string): void {
  lines.push(line);
  if (lines.length > LAST_LINES) lines.shift();
}

function ending(label: string, child: ChildProcess, said: readonly string[]): string {
  const how = child.signalCode === null ? `exit code ${child.exitCode ?? 'unknown'}` : child.signalCode;
  const words = said.length === 0 ? ['(it said nothing)'] : said;
  return [`${label} ended with ${how}. The last it said:`, ...words.map((line) => `  │ ${line}`)].join('\n');
}

function listeningUrl(line: string): string | undefined {
  if (!line.includes('"listening"')) return undefined;
  try {
    const { event, url } = JSON.parse(line) as { event?: unknown; url?: unknown };
    return event === 'listening' && typeof url === 'string' ? url : undefined;
  } catch {
    return undefined;
  }
}
