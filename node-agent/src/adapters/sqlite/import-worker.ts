import { workerData } from 'node:worker_threads';
import { runTasks } from '../run-tasks.ts';
import { openDatabase } from './database.ts';
import type { SqliteStage } from './pseudonym-store.ts';
import { beginStage, call } from './pseudonym-store.ts';

/** The database, and the register that is imported. */
export interface ImportPlace {
  readonly file: string;
  readonly register: string;
}

/** A step of the import, as the stage calls it; `begin` is the first. */
export type Step = { readonly name: 'begin'; readonly values: [] } | StageStep;
type StageStep = {
  [Name in keyof SqliteStage]: { readonly name: Name; readonly values: Parameters<SqliteStage[Name]> };
}[keyof SqliteStage];

const { file, register } = workerData as ImportPlace;
let stage: SqliteStage | undefined;

runTasks<Step, unknown>(
  (step) => {
    if (step.name === 'begin') return void (stage = beginStage(openDatabase(file), register));
    // This thread took the place of one that died, with all that it had collected.
    if (stage === undefined) throw new Error('the import lost its thread, so nothing was changed');
    return call(stage, step.name, step.values);
  },
  undefined,
  // For as long as it writes, nobody else can.
  true,
);
