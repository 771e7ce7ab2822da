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

/** A step of the import, as the stage calls it. */
export type Step = {
  [Name in keyof SqliteStage]: { readonly name: Name; readonly values: Parameters<SqliteStage[Name]> };
}[keyof SqliteStage];

const { file, register } = workerData as ImportPlace;
let stage: SqliteStage | undefined;

runTasks<Step, unknown>(
  ({ name, values }) => {
    // With the first step, so that what goes wrong is told as of any other.
    stage ??= beginStage(openDatabase(file), register);
    return call(stage, name, values);
  },
  undefined,
  // For as long as it writes, nobody else can.
  true,
);
