import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeSecretFile } from '../directory.ts';

const runningSchema = z.strictObject({ url: z.url(), pid: z.int().positive() });

/** Where the agent of a directory serves, and as which process. */
export type RunningAgentNote = z.infer<typeof runningSchema>;

const noteFile = (path: string): string => join(path, 'running.json');

export function noteRunning(path: string, note: RunningAgentNote): void {
  writeSecretFile(noteFile(path), `${JSON.stringify(note)}\n`);
}

export function removeNote(path: string): void {
  rmSync(noteFile(path), { force: true });
}

/**
 * The agent that serves from a directory, if one does. After a crash its note stays behind, and by then another
 * program may listen at the address: a note counts only while its process lives and is an agent, so that the
 * key of the API goes to nobody else. In a container every agent is process 1, so a note about this very process is
 * about the one before it.
 */
export function runningAgent(path: string): RunningAgentNote | undefined {
  if (!existsSync(noteFile(path))) return undefined;
  try {
    const note = runningSchema.parse(JSON.parse(readFileSync(noteFile(path), 'utf8')));
    if (note.pid === process.pid) return undefined;
    process.kill(note.pid, 0);
    return isAgent(note.pid) ? note : undefined;
  } catch {
    return undefined;
  }
}

/** Process numbers are used again; where the system tells what a process is, a look is taken. */
function isAgent(pid: number): boolean {
  const file = `/proc/${pid}/cmdline`;
  return !existsSync(file) || readFileSync(file, 'utf8').includes('hit-agent');
}
