import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EarlySignals, Population } from './population/index.ts';
import { PILOT, earlySignals } from './population/index.ts';
import type { Processes } from './processes.ts';
import type { Workspace } from './workspace.ts';

const PURPOSE = 'vroegsignalering';
const ASKER = 'gemeente-waalstad';

/** What came out of the households of the pilot, asked by machine. */
export interface PilotResult {
  readonly households: number;
  readonly persons: number;
  readonly nowhere: number;
  readonly seconds: number;
  readonly wrong: readonly string[];
}

/** Everything of `hit-agent batch` but the file and the folder of the report. */
export const batchFlags = (directory: string): string[] => [
  ...['--dir', directory, '--purpose', PURPOSE, '--case', 'VS-2026', '--role', 'process-director'],
  ...['--confirm', 'all', '--professional', 'j.jansen'],
];

/** Writes the households of the pilot into a file of the workspace; what must come out of them goes along. */
export function writeHouseholds(
  population: Population,
  workspace: Workspace,
): EarlySignals & { readonly file: string } {
  const folder = join(workspace.path, 'try');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'households.csv');
  const signals = earlySignals(population, new Date().toISOString().slice(0, 10).replaceAll('-', ''));
  writeFileSync(file, signals.csv, { mode: 0o600 });
  return { ...signals, file };
}

interface Figures {
  readonly households: { readonly asked: number; readonly nowhere: number };
  readonly persons: { readonly asked: number };
  readonly registers: Readonly<Record<string, { readonly householdsKnown: number }>>;
}

/** Asks about the households of the pilot in one batch, and holds the figures against the model. */
export async function repeatPilot(
  processes: Processes,
  population: Population,
  workspace: Workspace,
): Promise<PilotResult> {
  const { file, known, nowhere } = writeHouseholds(population, workspace);
  const out = join(workspace.path, 'report');
  rmSync(out, { recursive: true, force: true });
  const started = performance.now();
  const printed = await processes.run('agent', [
    ...['batch', file, '--out', out, '--json'],
    ...batchFlags(workspace.of(ASKER)),
  ]);
  const seconds = (performance.now() - started) / 1_000;
  const figures = JSON.parse(printed.split('\n').at(-1) ?? '') as Figures;
  const expected: [string, number, number | undefined][] = [
    ['households', PILOT.households, figures.households.asked],
    ['persons', PILOT.persons, figures.persons.asked],
    ['households known nowhere', nowhere, figures.households.nowhere],
    ...Object.entries(known).map(([register, times]): [string, number, number | undefined] => [
      `households known at ${register}`,
      times,
      figures.registers[register]?.householdsKnown,
    ]),
  ];
  return {
    households: figures.households.asked,
    persons: figures.persons.asked,
    nowhere: figures.households.nowhere,
    seconds,
    wrong: expected.flatMap(([what, right, said]) =>
      said === right ? [] : [`The pilot's households: ${said ?? 'no'} ${what}, but ${right} is right`],
    ),
  };
}
