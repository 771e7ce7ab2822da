import { Worker } from 'node:worker_threads';
import type { KeyPair, Random, Secret, Suite } from '@hitmachine/protocol';
import { ELEMENT_BYTES, HitError } from '@hitmachine/protocol';
import type { Evaluator } from '../../ports/evaluator.ts';
import type { EvaluationResult } from './evaluation.ts';
import { evaluateAll } from './evaluation.ts';
import type { WorkerReply, WorkerRequest } from './evaluation-worker.ts';

/**
 * Up to this many elements are evaluated on the spot: some ten milliseconds, less than a large household takes
 * elsewhere. Imports come in batches of a thousand, half a second each, and go to a worker thread.
 */
const ON_THE_SPOT = 64;

interface Waiting {
  readonly resolve: (result: EvaluationResult) => void;
  readonly reject: (error: unknown) => void;
}

/** Evaluates small requests at once and large ones, in order, in one worker thread that starts when needed. */
export class WorkerEvaluator implements Evaluator {
  readonly #suite: Suite;
  readonly #key: Secret<KeyPair>;
  readonly #random: Random;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #jobs = 0;

  constructor(suite: Suite, key: Secret<KeyPair>, random: Random) {
    this.#suite = suite;
    this.#key = key;
    this.#random = random;
  }

  async evaluate(elements: Uint8Array, { proof }: { readonly proof: boolean }): Promise<EvaluationResult> {
    if (elements.length <= ON_THE_SPOT * ELEMENT_BYTES)
      return evaluateAll(this.#suite, this.#key.reveal(), elements, { proof, random: this.#random });
    const worker = (this.#worker ??= this.#start());
    return new Promise<EvaluationResult>((resolve, reject) => {
      const job = ++this.#jobs;
      this.#waiting.set(job, { resolve, reject });
      worker.postMessage({ job, elements, proof } satisfies WorkerRequest);
    });
  }

  /** Stops the worker; what it was still working on is refused with `not-ready`. */
  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL('./evaluation-worker.ts', import.meta.url), {
      workerData: this.#key.reveal(),
    });
    worker.unref();
    worker.on('message', (reply: WorkerReply) => {
      const waiting = this.#waiting.get(reply.job);
      this.#waiting.delete(reply.job);
      if ('result' in reply) waiting?.resolve(reply.result);
      else waiting?.reject(new HitError(reply.code, reply.detail, { fields: reply.fields }));
    });
    worker.on('error', (cause) => this.#lost(cause));
    worker.on('exit', () => this.#lost(undefined));
    return worker;
  }

  #lost(cause: unknown): void {
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(new HitError('not-ready', undefined, { cause }));
    this.#waiting.clear();
  }
}
