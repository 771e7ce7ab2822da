import { workerData } from 'node:worker_threads';
import type { ImportBatch } from '@hitmachine/protocol';
import { blindBatch, createSuite, finishBatch, loadSodium } from '@hitmachine/protocol/arithmetic';
import type { MakerKeys } from '../../pack-pseudonyms.ts';
import { packPseudonyms } from '../../pack-pseudonyms.ts';
import type { PseudonymPage } from '../../ports/pseudonym-store.ts';
import { secureRandom } from '../../random.ts';
import { onRuntime } from '../../runtime-backend.ts';
import { runTasks } from '../run-tasks.ts';

/**
 * What a worker is asked for: tokens blinded for the gateway, or what came back made into pseudonyms. Tokens come one
 * after another in one array: to hand over hundreds of small ones takes longer, and leaves garbage in both threads.
 */
export type Task =
  | { readonly type: 'blind'; readonly tokens: Uint8Array; readonly lengths: Uint16Array }
  | {
      readonly type: 'finish';
      readonly batch: ImportBatch;
      readonly evaluated: Uint8Array;
      readonly proof: Uint8Array;
    };

const suite = createSuite('voprf', onRuntime(await loadSodium()));
const { gatewayKey, nodeKey, maskKey } = workerData as MakerKeys;

function tokensOf({ tokens, lengths }: Extract<Task, { type: 'blind' }>): Uint8Array[] {
  let at = 0;
  return Array.from(lengths, (length) => tokens.subarray(at, (at += length)));
}

runTasks<Task, ImportBatch | PseudonymPage>(
  (task) =>
    task.type === 'blind'
      ? blindBatch(suite, tokensOf(task), secureRandom)
      : packPseudonyms(
          finishBatch(suite, gatewayKey, nodeKey, task.batch, task.evaluated, task.proof),
          maskKey,
        ),
  (value) => ('blinds' in value ? [value.blinds, value.elements] : [value.elements, value.maskedHashes]),
);
