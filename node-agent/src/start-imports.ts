import { spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fileOf } from '@hitmachine/service';
import type { ConfiguredRegister } from './config.ts';
import type { ImportEnd, ImportPlan } from './domain/importing/source-imports.ts';

const PROGRAM = fileURLToPath(new URL('../bin/hit-agent.mjs', import.meta.url));
/** Those of the program's first line. */
const FLAGS = (readFileSync(PROGRAM, 'utf8').split('\n', 1)[0] ?? '')
  .split(' ')
  .filter((word) => word.startsWith('--'));
/** Of what an import says, this much is kept: the first bad rows, and how it ended. */
const KEPT_CHARACTERS = 4_000;
/** How often it is looked whether this replica still leads. */
const LOOK_MS = 1_000;

/** The registers whose sources are imported by the running agent. */
export function importPlans(directory: string, registers: readonly ConfiguredRegister[]): ImportPlan[] {
  return registers.flatMap(({ id, source }) => {
    if (source === undefined || (source.schedule === undefined && !source.watch)) return [];
    const file = (source.csv ?? source.jsonLines)?.file;
    const look = source.watch && file !== undefined ? () => lookAt(fileOf(directory, file)) : undefined;
    return [{ register: id, schedule: source.schedule, look }];
  });
}

function lookAt(file: string): ReturnType<NonNullable<ImportPlan['look']>> {
  try {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    const { ino, size, mtimeMs, ctimeMs } = stat;
    // A rename moves the time of the inode, and not that of the content.
    return { stamp: `${ino} ${size} ${mtimeMs}`, changedAt: Math.max(mtimeMs, ctimeMs) };
  } catch {
    return undefined;
  }
}

/** Imports in processes of their own, so that answering goes on; ends those that run when `stopped` is aborted, or another replica leads. */
export function importBeside(
  directory: string,
  stopped: AbortSignal,
  leads: () => boolean,
): (register: string) => Promise<ImportEnd> {
  return (register) =>
    new Promise((resolve) => {
      const args = ['import', '--register', register, '--dir', directory, '--json', '--progress', 'none'];
      const child = spawn(process.execPath, [...FLAGS, PROGRAM, ...args], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let [head, tail] = ['', ''];
      child.stderr.on('data', (chunk: Buffer) => {
        head = (head + chunk.toString()).slice(0, KEPT_CHARACTERS);
        tail = (tail + chunk.toString()).slice(-KEPT_CHARACTERS);
      });
      // It takes what is done with it, and the next one goes on from there.
      const stop = (): void => void child.kill('SIGINT');
      stopped.addEventListener('abort', stop, { once: true });
      const looking = setInterval(() => void (leads() || stop()), LOOK_MS);
      const ended = (end: ImportEnd): void => {
        clearInterval(looking);
        stopped.removeEventListener('abort', stop);
        resolve(end);
      };
      child.once('error', (error) =>
        ended({ ok: false, code: 'internal', reason: `the import could not be started: ${error.message}` }),
      );
      child.once('close', (code) => ended(code === 0 ? { ok: true } : endOf(head, tail)));
    });
}

/** The last line says why, with its code; the first bad row, if there is one, where. */
function endOf(head: string, tail: string): ImportEnd {
  const lines = tail.trimEnd().split('\n');
  const last = /^hit-agent: (.*) \(([a-z-]+)\)$/.exec(lines.at(-1) ?? '');
  if (last === null) return { ok: false, code: 'internal', reason: 'the import was broken off' };
  const [, why = '', code = ''] = last;
  const first = head.split('\n')[0] ?? '';
  const where = /:( row )?\d+: /.test(first) && !first.startsWith('hit-agent:') ? ` First: ${first}` : '';
  return { ok: false, code, reason: `${why}${where}` };
}
