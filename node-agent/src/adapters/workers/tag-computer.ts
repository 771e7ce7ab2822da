import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { ELEMENT_BYTES, TAG_BYTES } from '@hitmachine/protocol';
import type { TagComputer } from '../../ports/tag-computer.ts';
import type { TagJob, TagResult } from './tag-worker.ts';

/** Elements a job: about a third of a second of work, so that a table spreads over all workers. */
const JOB_ELEMENTS = 1_024;

interface Pending {
  readonly resolve: (tags: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

/** One worker thread, and the jobs that were handed to it. A worker that dies is replaced; its jobs fail. */
class TagWorker {
  readonly pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #nextId = 0;

  run(job: Omit<TagJob, 'id'>): Promise<Uint8Array> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.#start().postMessage({ ...job, id } satisfies TagJob);
    });
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(new URL('./tag-worker.ts', import.meta.url));
    worker.unref();
    worker.on('message', (result: TagResult) => {
      const pending = this.pending.get(result.id);
      this.pending.delete(result.id);
      if ('tags' in result) pending?.resolve(result.tags);
      else pending?.reject(new Error(result.error));
    });
    const fail = (reason: string): void => {
      if (this.#worker === worker) this.#worker = undefined;
      for (const { reject } of this.pending.values()) reject(new Error(reason));
      this.pending.clear();
    };
    worker.on('error', (error: Error) => fail(`a worker thread failed: ${error.message}`));
    worker.on('exit', () => fail('a worker thread stopped'));
    this.#worker = worker;
    return worker;
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }
}

/** {@link TagComputer} on worker threads; leaves one processor to the thread that answers. */
export function workerTagComputer(threads = Math.max(1, availableParallelism() - 1)): TagComputer {
  const workers = Array.from({ length: threads }, () => new TagWorker());
  const idlest = (): TagWorker =>
    workers.reduce((best, worker) => (worker.pending.size < best.pending.size ? worker : best));
  return {
    async tags(factor, prefix, elements) {
      const result = new Uint8Array((elements.length / ELEMENT_BYTES) * TAG_BYTES);
      const size = JOB_ELEMENTS * ELEMENT_BYTES;
      const parts = Array.from({ length: Math.ceil(elements.length / size) }, async (_, i) => {
        const part = elements.subarray(i * size, (i + 1) * size);
        result.set(await idlest().run({ factor, prefix, elements: part }), i * JOB_ELEMENTS * TAG_BYTES);
      });
      await Promise.all(parts);
      return result;
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.close()));
    },
  };
}
