import { availableParallelism } from 'node:os';
import type { PseudonymMover } from '../../ports/pseudonym-mover.ts';
import type { PseudonymPage } from '../../ports/pseudonym-store.ts';
import type { Task } from './move-worker.ts';
import { WorkerThreads } from '../worker-threads.ts';

/** Pages on their way for each thread: while one is computed another is stored. */
const PAGES_EACH = 2;

/** {@link PseudonymMover} on worker threads, one for each processor; they step back behind whoever answers. */
export function workerPseudonymMover(threads = availableParallelism()): PseudonymMover {
  const workers = new WorkerThreads<Task, PseudonymPage>(
    new URL('./move-worker.ts', import.meta.url),
    threads,
  );
  return {
    atOnce: PAGES_EACH * threads,
    move: (move, page) => workers.run({ move, page }),
    close: () => workers.close(),
  };
}
