import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { K6Figures } from './k6-summary.ts';
import { readSummary } from './k6-summary.ts';
import type { K6Program } from './k6-program.ts';
import type { SignedLookup } from './load-asker.ts';
import { killedAtExit } from './load-processes.ts';

const SCRIPT = fileURLToPath(new URL('./load-lookups.js', import.meta.url));
/** Reasons that are told; what k6 says beyond is counted. */
const MOST_REASONS = 5;

/** What load-lookups.js is told. */
export interface Stage {
  /** k6 takes whole numbers only. */
  readonly perMinute: number;
  readonly seconds: number;
  /** Seconds that answers may take once the last lookup was begun. */
  readonly patience: number;
  /** Lookups that wait at once. */
  readonly most: number;
  /** Registers that have to answer. */
  readonly wanted: number;
}

/** A k6 that drives. */
export interface Driving {
  readonly pid: number;
  readonly figures: Promise<K6Figures>;
  /** Why lookups failed, so far, each with how often. */
  reasons(): string[];
}

/**
 * Starts k6 on lookups that are signed, of which there have to be enough. `folder` holds what it reads and writes, and
 * `helper` is where it has questions sealed. `figures` throws when k6 does not come to its end.
 */
export function driveK6(
  { path }: K6Program,
  stage: Stage,
  lookups: readonly SignedLookup[],
  { folder, helper }: { readonly folder: string; readonly helper: string },
): Driving {
  const [prepared, summary] = [join(folder, 'lookups.jsonl'), join(folder, 'summary.json')];
  writeFileSync(prepared, lookups.map((lookup) => `${JSON.stringify(lookup)}\n`).join(''));
  rmSync(summary, { force: true });
  // Nothing else of the surroundings: variables and settings of k6 itself would change what it does.
  const env = {
    ...{ PATH: process.env.PATH, HOME: folder },
    ...{ STAGE: JSON.stringify(stage), LOOKUPS: prepared, SUMMARY: summary, HELPER: helper },
  };
  const child = spawn(
    path,
    ['run', '--quiet', '--no-usage-report', '--log-format', 'raw', '--address', '', SCRIPT],
    { env, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const said = new Map<string, number>();
  createInterface({ input: child.stderr }).on('line', (line) => said.set(line, (said.get(line) ?? 0) + 1));
  const reasons = (): string[] =>
    [...said].slice(0, MOST_REASONS).map(([reason, times]) => `${times} × ${reason}`);
  const forget = killedAtExit(child);
  const figures = async (): Promise<K6Figures> => {
    const [code] = (await once(child, 'close')) as [number | null];
    forget();
    if (code !== 0) throw new Error(`k6 ended with ${code ?? 'a signal'}:\n${reasons().join('\n')}`);
    return readSummary(readFileSync(summary, 'utf8'));
  };
  return { pid: child.pid ?? 0, figures: figures(), reasons };
}
