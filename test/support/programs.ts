import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const NODE_OPTIONS = ['--disable-warning=ExperimentalWarning'];
const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The programs that partners run, as files. */
export const PROGRAMS = {
  gateway: at('gateway/bin/hit-gateway.mjs'),
  agent: at('node-agent/bin/hit-agent.mjs'),
  verify: at('gateway/bin/hit-verify.mjs'),
} as const;

/** Runs a command of a program to its end. Throws with what it said when it fails. */
export async function runToEnd(program: string, ...argv: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [...NODE_OPTIONS, program, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = once(child, 'exit');
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if ((await exit)[0] !== 0) throw new Error(`${argv.join(' ')}: ${err}${out}`);
  return out;
}

/** A program that serves, in a process of its own, until it is stopped or killed. */
export class ServingProgram {
  readonly #argv: readonly string[];
  readonly #environment: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  /** The last lines that it wrote. */
  readonly said: string[] = [];

  constructor(argv: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.#argv = argv;
    this.#environment = environment;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Starts it and waits until it says that it listens. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [...NODE_OPTIONS, ...this.#argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...this.#environment },
    });
    this.#child = child;
    const keep = (line: string): void => {
      this.said.push(line);
      if (this.said.length > 200) this.said.shift();
    };
    createInterface({ input: child.stderr }).on('line', keep);
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        keep(line);
        if (line.includes('"listening"')) resolve();
      });
      child.once('exit', () =>
        reject(new Error(`${this.#argv.join(' ')} ended:\n${this.said.slice(-8).join('\n')}`)),
      );
    });
  }

  /** As systemd stops it. */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  /** As a loss of power ends it. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Takes away its processor until {@link resume}, with all connections open. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.isRunning) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
}
