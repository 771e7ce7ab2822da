import { execFileSync } from 'node:child_process';
import type { Subject } from './rounds.ts';

/** One way to look somebody up in a set of a given size, made ready to be measured. */
export interface Peer {
  readonly name: string;
  /** What each side does for one lookup. */
  readonly sides: readonly {
    readonly side: 'asker' | 'holder' | 'gateway';
    readonly subject: Subject;
  }[];
  /** Bytes that go out and come back for one lookup. */
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Bytes that every asker fetches beforehand, once for each key or epoch. */
  readonly fetchedBytes: number;
  /** What the parties learn that they were not told. */
  readonly leaks: string;
}

/** Runs npm in a folder. Gives what it says, or throws an error that says in one line what went wrong. */
export function npm(folder: string, ...args: readonly string[]): string {
  try {
    return execFileSync('npm', [...args, '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: folder,
      encoding: 'utf8',
      stdio: 'pipe',
    });
  } catch (error) {
    const said = String((error as { stderr?: unknown }).stderr ?? error);
    const [line = 'npm failed'] = said.split('\n').filter((text) => text.trim() !== '');
    throw new Error(line, { cause: error });
  }
}
