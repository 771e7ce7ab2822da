import { parentPort } from 'node:worker_threads';
import { ELEMENT_BYTES, TAG_BYTES, loadSodium, tagOf } from '@hitmachine/protocol';

/** One piece of a table: everything that is needed to compute its tags. */
export interface TagJob {
  readonly id: number;
  readonly factor: Uint8Array;
  readonly prefix: Uint8Array;
  readonly elements: Uint8Array;
}

export type TagResult =
  { readonly id: number; readonly tags: Uint8Array } | { readonly id: number; readonly error: string };

const { group } = await loadSodium();

function compute({ factor, prefix, elements }: TagJob): Uint8Array {
  const count = elements.length / ELEMENT_BYTES;
  const tags = new Uint8Array(count * TAG_BYTES);
  for (let i = 0; i < count; i++) {
    const element = elements.subarray(i * ELEMENT_BYTES, (i + 1) * ELEMENT_BYTES);
    tags.set(tagOf(prefix, group.multiply(factor, element)), i * TAG_BYTES);
  }
  return tags;
}

parentPort?.on('message', (job: TagJob) => {
  let result: TagResult;
  try {
    result = { id: job.id, tags: compute(job) };
  } catch (error) {
    result = { id: job.id, error: error instanceof Error ? error.message : 'the tags could not be computed' };
  }
  parentPort?.postMessage(result);
});
