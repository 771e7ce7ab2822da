import type { Scenario } from './scenario.ts';
import type { Setting } from './setting.ts';
import { certificates } from './scenarios/certificates.ts';
import { databases } from './scenarios/databases.ts';
import { disk } from './scenarios/disk.ts';
import { files } from './scenarios/files.ts';
import { keys } from './scenarios/keys.ts';
import { killed } from './scenarios/killed.ts';
import { clocks, network } from './scenarios/network.ts';
import { replicas } from './scenarios/replicas.ts';
import { rotations } from './scenarios/rotations.ts';
import { World } from './world.ts';

const ORDER: readonly Setting[] = ['as it comes', 'PostgreSQL', 'mutual TLS'];
const settingOf = ({ on = 'as it comes' }: Scenario): Setting => on;

/** Every fault, in the order of the table; those that share a setting one after another, as each is set up anew. */
export const SCENARIOS: readonly Scenario[] = [
  ...[...files, ...disk, ...killed, ...network, ...clocks, ...keys, ...databases, ...certificates],
  ...rotations,
  ...replicas,
].sort((a, b) => ORDER.indexOf(settingOf(a)) - ORDER.indexOf(settingOf(b)));

/** What became of one fault. */
export interface Outcome {
  readonly fault: string;
  readonly seen: string;
  /** What was lost, one line each; empty when nothing was. */
  readonly lost: readonly string[];
  /** Why it could not be made here. */
  readonly missing?: string | undefined;
  /** Why this does not count as passed, beside losses. */
  readonly failed?: string | undefined;
}

/**
 * Makes the faults one after another to one agency, and looks after each: ready again without hands, the same answers,
 * the same clients, the log whole, receipts there. What goes wrong with one does not keep the others from being tried.
 */
export async function runScenarios(
  scenarios: readonly Scenario[],
  tell: (line: string) => void,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let world: World | undefined;
  try {
    for (const scenario of scenarios) {
      const { fault, missing, run } = scenario;
      if (missing !== undefined) {
        outcomes.push({ fault, seen: `NOT MADE HERE: ${missing}`, lost: [], missing });
        continue;
      }
      tell(`${fault} …`);
      if (world?.setting !== settingOf(scenario)) {
        await world?.close();
        world = await World.start(settingOf(scenario));
      }
      await world.requireAnswers();
      const before = await world.holdings();
      let seen = '';
      try {
        seen = await run(world);
        await world.untilReady();
        await world.requireAnswers();
        outcomes.push({ fault, seen, lost: await world.lost(before) });
      } catch (error) {
        const failed = (error as Error).message;
        outcomes.push({ fault, seen: seen === '' ? failed : seen, lost: [], failed });
        // What it left behind must not be taken for the next one's fault.
        await world.close();
        world = undefined;
      }
    }
  } finally {
    await world?.close();
  }
  return outcomes;
}

/** The table of a run. */
export function faultsTable(outcomes: readonly Outcome[]): string[] {
  const rows = outcomes.map(({ fault, seen, lost, failed, missing }) => [
    fault,
    failed === undefined ? (seen.split('\n')[0] ?? '') : `FAILED: ${failed.split('\n')[0] ?? ''}`,
    missing !== undefined || failed !== undefined ? '-' : String(lost.length),
  ]);
  const all = [['fault', 'what was seen', 'lost'], ...rows];
  const widths = [0, 1].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map(
    ([fault = '', seen = '', lost = '']) =>
      `${fault.padEnd(widths[0] ?? 0)}  ${seen.padEnd(widths[1] ?? 0)}  ${lost}`,
  );
}

/** Whether nothing was lost and everything went as it should, of what was made here. */
export const isClean = (outcomes: readonly Outcome[]): boolean =>
  outcomes.every(({ lost, failed }) => lost.length === 0 && failed === undefined);
