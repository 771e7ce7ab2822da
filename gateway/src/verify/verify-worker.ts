import { parentPort, workerData } from 'node:worker_threads';
import type { Tile } from '@hitmachine/protocol';
import { loadSodium } from '@hitmachine/protocol';
import type { AllKeys } from './bundle-check.ts';
import { checkBundle, findKeys } from './bundle-check.ts';
import { ExportFolder } from './export-folder.ts';

/** What a worker is asked to do with one bundle of the export. */
export interface BundleJob {
  readonly type: 'keys' | 'check';
  readonly tile: Tile;
}

/** The keys are told once, before the first check. */
export type WorkerMessage = { readonly number: number; readonly job: BundleJob } | { readonly keys: AllKeys };

if (parentPort !== null) {
  const port = parentPort;
  const backend = await loadSodium();
  const folder = new ExportFolder(String(workerData));
  let keys: AllKeys = new Map();
  port.on('message', (message: WorkerMessage) => {
    if ('keys' in message) {
      ({ keys } = message);
      return;
    }
    const { number, job } = message;
    const result =
      job.type === 'keys' ? findKeys(folder, job.tile) : checkBundle(backend, folder, job.tile, keys);
    port.postMessage({ number, result });
  });
}
