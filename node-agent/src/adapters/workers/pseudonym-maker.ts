import { availableParallelism } from 'node:os';
import type { ImportBatch } from '@hitmachine/protocol';
import { concatBytes } from '@hitmachine/protocol';
import type { PseudonymMaker } from '../../ports/pseudonym-maker.ts';
import type { PseudonymPage } from '../../ports/pseudonym-store.ts';
import type { MakerKeys } from '../../pack-pseudonyms.ts';
import type { Task } from './pseudonym-worker.ts';
import { WorkerThreads } from '../worker-threads.ts';

/** Batches on their way for each thread: while one is computed another is at the gateway, and one waits. */
const BATCHES_EACH = 3;

/** {@link PseudonymMaker} on worker threads, one for each processor. */
export function workerPseudonymMaker(keys: MakerKeys, threads = availableParallelism()): PseudonymMaker {
  const workers = new WorkerThreads<Task, ImportBatch | PseudonymPage>(
    new URL('./pseudonym-worker.ts', import.meta.url),
    threads,
    keys,
  );
  return {
    atOnce: BATCHES_EACH * threads,
    async make(tokens, evaluate) {
      const blind = {
        tokens: concatBytes(...tokens),
        lengths: Uint16Array.from(tokens, ({ length }) => length),
      };
      const packed = [blind.tokens, blind.lengths];
      const batch = (await workers.run({ type: 'blind', ...blind }, packed)) as ImportBatch;
      const { evaluated, proof } = await evaluate(batch.elements);
      const back = [batch.blinds, batch.elements];
      return (await workers.run({ type: 'finish', batch, evaluated, proof }, back)) as PseudonymPage;
    },
    close: () => workers.close(),
  };
}
