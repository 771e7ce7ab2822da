import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { runProgram } from '@hitmachine/node-agent';

const PROGRAM = fileURLToPath(new URL('../../../node-agent/bin/hit-agent.mjs', import.meta.url));

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The program as an administrator starts it: a process of its own. */
export class Program {
  readonly child: ChildProcess;
  readonly exit: Promise<Exit>;
  out = '';
  err = '';
  readonly #waiting = new Set<() => void>();

  /** Started with a text on its standard input. */
  static withInput(text: string, folder: string, ...args: string[]): Program {
    const program = new Program(folder, ...args);
    program.child.stdin!.end(text);
    return program;
  }

  constructor(folder: string, ...args: string[]) {
    this.child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', PROGRAM, ...args, '--dir', folder],
      {
        stdio: ['pipe', 'pipe', 'pipe'],
      },
    );
    this.child.stdout!.on('data', (chunk: Buffer) => this.#add('out', chunk));
    this.child.stderr!.on('data', (chunk: Buffer) => this.#add('err', chunk));
    this.exit = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        resolve({ code, signal });
        for (const look of this.#waiting) look();
      });
    });
  }

  #add(to: 'out' | 'err', chunk: Buffer): void {
    this[to] += chunk.toString();
    for (const look of this.#waiting) look();
  }

  /** Resolves with the match once the program has written it; rejects when it ends without. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    const find = (): RegExpExecArray | null => pattern.exec(`${this.out}\n${this.err}`);
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = find();
        if (match !== null) {
          this.#waiting.delete(look);
          resolve(match);
        } else if (this.child.exitCode !== null || this.child.signalCode !== null) {
          this.#waiting.delete(look);
          reject(new Error(`ended without ${String(pattern)}: ${this.out}${this.err}`));
        }
      };
      this.#waiting.add(look);
      look();
    });
  }

  kill(signal: NodeJS.Signals): Promise<Exit> {
    this.child.kill(signal);
    return this.exit;
  }
}

const TABLES = ['imports', 'pseudonyms', 'pins', 'epochs', 'tables', 'answered_persons', 'log'];

/** What stands in the tables of an agent, to be compared; of another connection than the agent's. */
export function contentOf(folder: string, tables: readonly string[] = TABLES): string {
  const database = new DatabaseSync(join(folder, 'agent.sqlite'), { readOnly: true });
  try {
    return JSON.stringify(
      tables.map((table) => [table, database.prepare(`SELECT * FROM ${table}`).all()]),
      (_, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value),
    );
  } finally {
    database.close();
  }
}

/** Runs a command in this process, on no terminal. `serve` stops as soon as it runs. */
export async function runCommand(
  folder: string,
  ...args: string[]
): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = await runProgram(args, {
    terminal: { out: (text) => (out += `${text}\n`), err: (text) => (err += text), interactive: false },
    defaultDirectory: folder,
    stopped: AbortSignal.abort(),
  });
  return { code, out, err };
}
