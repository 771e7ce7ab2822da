import { spawn } from 'node:child_process';
import type { Fence } from './markdown.ts';

/** How a shell block is marked behind its fence: `sh test` runs, `sh example` is for reading only. */
export type Marking = 'test' | 'example';

/** The marking of a shell block, or undefined when it bears none. */
export function markingOf({ info }: Fence): Marking | undefined {
  const [, word] = /^sh (test|example)$/.exec(info) ?? [];
  return word as Marking | undefined;
}

/**
 * The commands of a block that a test can run in a checkout in use. `npm ci` and `npm test` are left out: the tests
 * run from what the one installed, and are themselves the other. `.ci/run` begins with both.
 */
export function commandsOf({ text }: Fence): string {
  return text
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .map((line) =>
      line
        .split(/\s*&&\s*/)
        .filter((command) => !/^\s*npm (?:ci|test)\b/.test(command))
        .join(' && '),
    )
    .filter((line) => line.trim() !== '')
    .join('\n');
}

export interface Outcome {
  /** Exit code; null when the time was up and everything that the block started was stopped. */
  readonly code: number | null;
  readonly output: string;
}

/** Runs shell commands until the first that fails, in a process group of their own. */
export function runCommands(commands: string, folder: string, milliseconds: number): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-euo', 'pipefail', '-c', commands], {
      cwd: folder,
      env: cleanEnvironment(),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    const deadline = setTimeout(() => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, milliseconds);
    child.once('error', (error) => {
      clearTimeout(deadline);
      reject(error);
    });
    child.once('close', (code) => {
      clearTimeout(deadline);
      resolve({ code, output: Buffer.concat(chunks).toString('utf8') });
    });
  });
}

/** What a reader's shell has: without the settings by which the test runner marks its own processes. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const runner = /^(?:VITEST|TEST$|NODE_ENV$|NODE_OPTIONS$|npm_)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !runner.test(name)));
}
