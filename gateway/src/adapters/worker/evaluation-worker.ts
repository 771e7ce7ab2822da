import { parentPort, workerData } from 'node:worker_threads';
import type { ErrorCode, FieldError, KeyPair } from '@hitmachine/protocol';
import { HitError, createSuite, loadSodium } from '@hitmachine/protocol';
import { onRuntime, secureRandom } from '@hitmachine/service';
import type { EvaluationResult } from './evaluation.ts';
import { evaluateAll } from './evaluation.ts';

/** What the worker is asked, and what it says. Errors cross the border by their parts: a class would not. */
export interface WorkerRequest {
  readonly job: number;
  readonly elements: Uint8Array;
  readonly proof: boolean;
}
export type WorkerReply =
  | { readonly job: number; readonly result: EvaluationResult }
  | {
      readonly job: number;
      readonly code: ErrorCode;
      readonly detail: string;
      readonly fields: readonly FieldError[];
    };

if (parentPort !== null) {
  const port = parentPort;
  const key = workerData as KeyPair;
  const suite = createSuite('voprf', onRuntime(await loadSodium()));
  port.on('message', ({ job, elements, proof }: WorkerRequest) => {
    try {
      port.postMessage({
        job,
        result: evaluateAll(suite, key, elements, { proof, random: secureRandom }),
      } satisfies WorkerReply);
    } catch (error) {
      const { code, detail, fields } = error instanceof HitError ? error : new HitError('internal');
      port.postMessage({ job, code, detail, fields } satisfies WorkerReply);
    }
  });
}
