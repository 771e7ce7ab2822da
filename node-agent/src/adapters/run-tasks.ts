import { parentPort } from 'node:worker_threads';
import type { ErrorCode } from '@hitmachine/protocol';
import { HitError } from '@hitmachine/protocol/arithmetic';
import { stepBack } from '../step-back.ts';

export interface Job<Task> {
  readonly id: number;
  readonly task: Task;
}

/** `code` where it is one of ours: an error itself loses its kind on the way between threads. */
export type JobResult<Value> =
  | { readonly id: number; readonly value: Value }
  | { readonly id: number; readonly code?: ErrorCode; readonly error: string };

/**
 * Makes this worker thread run tasks. `moved` names the arrays of a result that are handed over rather than
 * copied, with all of the memory that they lie in. On
 * Linux, where a thread has a priority of its own, it steps back behind the threads that answer, unless they may have to
 * wait for it.
 */
export function runTasks<Task, Value>(
  run: (task: Task) => Value,
  moved: (value: Value) => readonly ArrayBufferView[] = () => [],
  isWaitedFor = false,
): void {
  if (process.platform === 'linux' && !isWaitedFor) stepBack();
  parentPort?.on('message', ({ id, task }: Job<Task>) => {
    try {
      const value = run(task);
      parentPort?.postMessage({ id, value } satisfies JobResult<Value>, buffersOf(moved(value)));
    } catch (error) {
      const result: JobResult<Value> =
        error instanceof HitError
          ? { id, code: error.code, error: error.detail }
          : { id, error: error instanceof Error ? error.message : 'a worker thread could not compute it' };
      parentPort?.postMessage(result);
    }
  });
}

/** The memory in which arrays lie. */
export const buffersOf = (arrays: readonly ArrayBufferView[]): ArrayBuffer[] =>
  arrays.map(({ buffer }) => buffer as ArrayBuffer);
