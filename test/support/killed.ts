import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Kills a program that a test started, if it still runs; resolves when it is gone. */
export async function killed(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null) return;
  const gone = once(process, 'exit');
  process.kill('SIGKILL');
  await gone;
}
