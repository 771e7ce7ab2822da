import { Worker } from 'node:worker_threads';
import { HitError } from '@hitmachine/protocol';
import type { Job, JobResult } from './run-tasks.ts';
import { buffersOf } from './run-tasks.ts';

interface Pending<Value> {
  readonly resolve: (value: Value) => void;
  readonly reject: (error: Error) => void;
}

/** One worker thread, started when needed, and what it has to do. A thread that dies is replaced; its tasks fail. */
class WorkerThread<Task, Value> {
  readonly pending = new Map<number, Pending<Value>>();
  readonly #script: URL;
  readonly #data: unknown;
  #worker: Worker | undefined;
  #nextId = 0;

  constructor(script: URL, data: unknown) {
    this.#script = script;
    this.#data = data;
  }

  run(task: Task, moved: readonly ArrayBufferView[]): Promise<Value> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.#start().postMessage({ id, task } satisfies Job<Task>, buffersOf(moved));
    });
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(this.#script, { workerData: this.#data });
    worker.unref();
    worker.on('message', (result: JobResult<Value>) => {
      const pending = this.pending.get(result.id);
      this.pending.delete(result.id);
      if ('value' in result) pending?.resolve(result.value);
      else
        pending?.reject(
          result.code === undefined ? new Error(result.error) : new HitError(result.code, result.error),
        );
    });
    const fail = (reason: string): void => {
      // `exit` follows `error`, and by then another worker may have jobs of its own.
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      for (const { reject } of this.pending.values()) reject(new Error(reason));
      this.pending.clear();
    };
    worker.on('error', (error) => fail(`a worker thread failed: ${(error as Error).message}`));
    worker.on('exit', () => fail('a worker thread stopped'));
    this.#worker = worker;
    return worker;
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }
}

/** Some worker threads that run the same script, which has to call `runTasks`. */
export class WorkerThreads<Task, Value> {
  readonly count: number;
  readonly #threads: readonly WorkerThread<Task, Value>[];

  /** `data` is handed to every thread as it starts. */
  constructor(script: URL, count: number, data?: unknown) {
    this.count = count;
    this.#threads = Array.from({ length: count }, () => new WorkerThread<Task, Value>(script, data));
  }

  /**
   * Has the thread with the least to do run a task. `moved` are arrays of the task that are handed over rather
   * than copied, with all of the memory that they lie in. Rejects with what the task throws, and when the thread dies on the way; a later task starts afresh.
   */
  run(task: Task, moved: readonly ArrayBufferView[] = []): Promise<Value> {
    return this.#threads
      .reduce((best, thread) => (thread.pending.size < best.pending.size ? thread : best))
      .run(task, moved);
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}
