import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { HitError, TAG_BYTES } from '@hitmachine/protocol';
import type { BuiltTable, TableBuilder } from '../../ports/table-builder.ts';
import type { Entries, Job, JobResult, Task } from './table-worker.ts';

interface Pending {
  readonly resolve: (value: Entries | BuiltTable) => void;
  readonly reject: (error: Error) => void;
}

/** One worker thread, and the jobs that were handed to it. A worker that dies is replaced; its jobs fail. */
class TableWorker {
  readonly pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #nextId = 0;

  run(task: Task): Promise<Entries | BuiltTable> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.#start().postMessage({ id, task } satisfies Job);
    });
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(new URL('./table-worker.ts', import.meta.url));
    worker.unref();
    worker.on('message', (result: JobResult) => {
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

/** {@link TableBuilder} on worker threads; leaves one processor to the thread that answers. */
export function workerTableBuilder(threads = Math.max(1, availableParallelism() - 1)): TableBuilder {
  const workers = Array.from({ length: threads }, () => new TableWorker());
  const run = (task: Task): Promise<Entries | BuiltTable> =>
    workers.reduce((best, worker) => (worker.pending.size < best.pending.size ? worker : best)).run(task);
  return {
    async build({ factor, prefix, maskKey, maxBits }, pages) {
      const parts: Promise<Entries | BuiltTable>[] = [];
      for await (const page of pages) {
        const part = run({ type: 'entries', factor, prefix, maskKey, page });
        // Awaited below, when all pages are read; until then nobody else would hear of a failure.
        part.catch(() => undefined);
        parts.push(part);
      }
      const entries = join((await Promise.all(parts)) as Entries[]);
      return (await run({ type: 'table', entries, maxBits })) as BuiltTable;
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.close()));
    },
  };
}

function join(parts: readonly Entries[]): Entries {
  const count = parts.reduce((sum, { hashes }) => sum + hashes.length, 0);
  const tags = new Uint8Array(count * TAG_BYTES);
  const hashes = new Uint16Array(count);
  let at = 0;
  for (const part of parts) {
    tags.set(part.tags, at * TAG_BYTES);
    hashes.set(part.hashes, at);
    at += part.hashes.length;
  }
  return { tags, hashes };
}
