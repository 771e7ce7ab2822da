import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Backend, Tile } from '@hitmachine/protocol';
import type { AllKeys, BundleResult, CheckedBundle, FoundKeys } from './bundle-check.ts';
import { checkBundle, findKeys } from './bundle-check.ts';
import type { ExportFolder } from './export-folder.ts';
import type { BundleJob, WorkerMessage } from './verify-worker.ts';

/** Bundles that each worker has before it, so that it never waits for the next one. */
const AHEAD = 3;
const MOST_WORKERS = 32;
/** Bundles that take about as long as the start of a worker. */
const WORTH_A_WORKER = 8;

interface Waiting {
  readonly resolve: (result: BundleResult) => void;
  readonly reject: (error: unknown) => void;
}

/** Worker threads that read and check bundles, or this thread for a small log; results come in the order of the jobs. */
export class BundleWorkers {
  readonly #backend: Backend;
  readonly #folder: ExportFolder;
  readonly #workers: Worker[];
  #keys: AllKeys = new Map();
  #failure: Error | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #jobs = 0;

  constructor(backend: Backend, folder: ExportFolder, bundles: number) {
    this.#backend = backend;
    this.#folder = folder;
    const count = Math.min(availableParallelism(), MOST_WORKERS, Math.floor(bundles / WORTH_A_WORKER));
    this.#workers = Array.from({ length: count }, () => {
      const worker = new Worker(new URL('./verify-worker.ts', import.meta.url), { workerData: folder.path });
      worker.on('message', ({ number, result }: { number: number; result: BundleResult }) => {
        const waiting = this.#waiting.get(number);
        this.#waiting.delete(number);
        waiting?.resolve(result);
      });
      worker.on('error', (error: Error) => this.#failed(error));
      return worker;
    });
  }

  /** The enrolments in the bundles. */
  findKeys(tiles: Iterable<Tile>): AsyncGenerator<FoundKeys, void> {
    return this.#run('keys', tiles) as AsyncGenerator<FoundKeys, void>;
  }

  /** Checks the entries of the bundles, each by itself. */
  check(tiles: Iterable<Tile>, keys: AllKeys): AsyncGenerator<CheckedBundle, void> {
    this.#keys = keys;
    for (const worker of this.#workers) worker.postMessage({ keys } satisfies WorkerMessage);
    return this.#run('check', tiles) as AsyncGenerator<CheckedBundle, void>;
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  /** Few at a time, so that memory does not grow with the log. Rejects when a worker fails. */
  async *#run(type: BundleJob['type'], tiles: Iterable<Tile>): AsyncGenerator<BundleResult, void> {
    const running: Promise<BundleResult>[] = [];
    for (const tile of tiles) {
      running.push(this.#start({ type, tile }));
      if (running.length >= AHEAD * this.#workers.length) yield (await running.shift()) as BundleResult;
    }
    for (const result of running) yield await result;
  }

  #start(job: BundleJob): Promise<BundleResult> {
    const number = this.#jobs++;
    const worker = this.#workers[number % this.#workers.length];
    if (worker === undefined) return Promise.resolve(this.#here(job));
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const result = new Promise<BundleResult>((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      worker.postMessage({ number, job } satisfies WorkerMessage);
    });
    // Whoever waits for it hears of a failure; the others must not count as unhandled.
    result.catch(() => undefined);
    return result;
  }

  #here({ type, tile }: BundleJob): BundleResult {
    if (type === 'keys') return findKeys(this.#folder, tile);
    return checkBundle(this.#backend, this.#folder, tile, this.#keys);
  }

  #failed(error: Error): void {
    this.#failure = error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
