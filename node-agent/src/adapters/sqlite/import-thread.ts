import type { PseudonymStore } from '../../ports/pseudonym-store.ts';
import { WorkerThreads } from '../worker-threads.ts';
import type { ImportPlace, Step } from './import-worker.ts';
import type { RunStep, SqliteStage } from './pseudonym-store.ts';
import { commitStage } from './pseudonym-store.ts';

/**
 * Imports into the database in `file` on a thread and a connection of their own, for a process that answers meanwhile:
 * to collect and compare a large register takes seconds in which a thread can do nothing else.
 */
export function sqliteImportThread(file: string): Pick<PseudonymStore, 'beginImport'> {
  return {
    async beginImport(register) {
      const thread = new WorkerThreads<Step, unknown>(new URL('./import-worker.ts', import.meta.url), 1, {
        file,
        register,
      } satisfies ImportPlace);
      const step: RunStep = <Name extends keyof SqliteStage>(
        name: Name,
        ...values: Parameters<SqliteStage[Name]>
      ) => thread.run({ name, values } as Step) as Promise<ReturnType<SqliteStage[Name]>>;
      await thread.run({ name: 'begin', values: [] }).catch(async (error: unknown) => {
        await thread.close();
        throw error;
      });
      // What was collected has no name in the file system: it goes with the thread.
      const abandon = (): Promise<void> => thread.close();
      return {
        add: (tokenType, pseudonyms) => step('add', tokenType, pseudonyms),
        addHeld: () => step('addHeld'),
        remove: (tokenType, elements) => step('remove', tokenType, elements),
        commit: async (...given) => {
          try {
            return await commitStage(step, given);
          } finally {
            await abandon();
          }
        },
        preview: () => step('preview'),
        abandon,
      };
    },
  };
}
