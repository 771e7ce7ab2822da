import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const PROGRAMS = {
  gateway: fileURLToPath(new URL('../gateway/bin/hit-gateway.mjs', import.meta.url)),
  agent: fileURLToPath(new URL('../node-agent/bin/hit-agent.mjs', import.meta.url)),
};
const LISTENING_MS = 60_000;
const STOP_MS = 15_000;
const LAST_LINES = 8;

/** A program that partners deploy, as a process of its own. */
export interface Running {
  readonly name: string;
  readonly pid: number;
  readonly url: string;
  /** Lets it answer nobody, with all connections open, until {@link resume}. */
  freeze(): void;
  resume(): void;
  /** Stops it as its administrator does. */
  stop(): Promise<void>;
}

const running = new Set<() => void>();
process.once('exit', () => running.forEach((kill) => kill()));

/** It is not left behind, whatever becomes of this process. Gives what to call when it has ended. */
export function killedAtExit(child: ChildProcess): () => void {
  const kill = (): void => void child.kill('SIGKILL');
  running.add(kill);
  return () => void running.delete(kill);
}

/** Starts `serve` of a program with the flags of its first line, and waits until it listens. */
export async function serve(
  program: keyof typeof PROGRAMS,
  name: string,
  args: readonly string[],
  logFile: string,
): Promise<Running> {
  const path = PROGRAMS[program];
  const child = spawn(process.execPath, [...flagsOf(path), path, 'serve', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environmentOf(path),
  });
  const gone = once(child, 'close').then(killedAtExit(child));
  const url = await listening(child, name, logFile);
  return {
    name,
    pid: child.pid as number,
    url,
    freeze: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async stop() {
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      const tooLong = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await gone;
      clearTimeout(tooLong);
    },
  };
}

/** The flags that the program is run with when it is called by its name. */
export const flagsOf = (path: string): string[] => firstLine(path).filter((word) => word.startsWith('--'));

/** The environment that it is run in then. */
export function environmentOf(path: string): NodeJS.ProcessEnv {
  const set = firstLine(path).filter((word) => /^[A-Z_]+=/.test(word));
  return { ...process.env, ...Object.fromEntries(set.map((word) => word.split('=', 2) as [string, string])) };
}

const firstLine = (path: string): string[] => (readFileSync(path, 'utf8').split('\n', 1)[0] ?? '').split(' ');

async function listening(child: ChildProcess, name: string, logFile: string): Promise<string> {
  const log = createWriteStream(logFile, { flags: 'a' });
  const said: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream as NodeJS.ReadableStream }).on('line', (line) => {
      log.write(`${line}\n`);
      said.push(line);
      if (said.length > LAST_LINES) said.shift();
      const url = /"url":"(http[^"]+)"/.exec(line)?.[1];
      if (url !== undefined && line.includes('"listening"')) resolve(url);
    });
  child.once('close', () => {
    log.end();
    reject(new Error(`${name} ended. The last it said:\n${said.join('\n')}`));
  });
  const timer = setTimeout(() => reject(new Error(`${name} does not listen; see ${logFile}`)), LISTENING_MS);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

/** Clock ticks a second in /proc, whatever the kernel's own rate (proc_pid_stat(5); USER_HZ is 100 on Linux). */
const TICKS = 100;

/** Seconds of processor time that a process took so far, all of its threads, in user and kernel mode. */
export function processorSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name, in brackets, may hold spaces; utime and stime are fields 14 and 15, counted from 1.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}
