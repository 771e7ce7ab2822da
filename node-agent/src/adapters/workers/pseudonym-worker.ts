import { workerData } from 'node:worker_threads';
import type { ImportBatch } from '@hitmachine/protocol';
import { blindBatch, createSuite, finishBatch, loadSodium } from '@hitmachine/protocol/arithmetic';
import type { MakerKeys } from '../../pack-pseudonyms.ts';
import { packPseudonyms } from '../../pack-pseudonyms.ts';
import type { PseudonymPage } from '../../ports/pseudonym-store.ts';
import { secureRandom } from '../../random.ts';
import { onRuntime } from '../../runtime-backend.ts';
import { runTasks } from '../run-tasks.ts';

/** What a worker is asked for: tokens blinded for the gateway, or what came back made into pseudonyms. */
export type Task =
  | { readonly type: 'blind'; readonly tokens: readonly Uint8Array[] }
  | {
      readonly type: 'finish';
      readonly batch: ImportBatch;
      readonly evaluated: Uint8Array;
      readonly proof: Uint8Array;
    };

const suite = createSuite('voprf', onRuntime(await loadSodium()));
const { gatewayKey, nodeKey, maskKey } = workerData as MakerKeys;

runTasks<Task, ImportBatch | PseudonymPage>(
  (task) =>
    task.type === 'blind'
      ? blindBatch(suite, task.tokens, secureRandom)
      : packPseudonyms(
          finishBatch(suite, gatewayKey, nodeKey, task.batch, task.evaluated, task.proof),
          maskKey,
        ),
  (value) => ('blinds' in value ? [value.elements] : [value.elements, value.maskedHashes]),
);
