import type { Scenario } from './scenario.ts';
import { files } from './scenarios/files.ts';
import { keys } from './scenarios/keys.ts';
import { killed } from './scenarios/killed.ts';
import { network } from './scenarios/network.ts';
import { replicas } from './scenarios/replicas.ts';
import { storage } from './scenarios/storage.ts';
import { World } from './world.ts';

/** Every fault, in the order of the table. */
export const SCENARIOS: readonly Scenario[] = [
  ...files,
  ...storage,
  ...killed,
  ...network,
  ...keys,
  ...replicas,
];

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
  let world = await World.start();
  try {
    for (const { fault, missing, run } of scenarios) {
      if (missing !== undefined) {
        outcomes.push({ fault, seen: `not made here: ${missing}`, lost: [], missing });
        continue;
      }
      tell(`${fault} …`);
      await world.requireAnswers();
      const before = world.holdings();
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
        world = await World.start();
      }
    }
  } finally {
    await world.close();
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

/** Whether nothing was lost, and everything that could be made went as it should. */
export const isClean = (outcomes: readonly Outcome[]): boolean =>
  outcomes.every(({ lost, failed }) => lost.length === 0 && failed === undefined);
