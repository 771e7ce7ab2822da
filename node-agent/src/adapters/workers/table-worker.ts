import { parentPort } from 'node:worker_threads';
import type { ErrorCode } from '@hitmachine/protocol';
import {
  ELEMENT_BYTES,
  HitError,
  TAG_BYTES,
  bucketTree,
  buildTable,
  loadSodium,
  maskBucketHash,
  tagOf,
} from '@hitmachine/protocol';
import { sha256 } from '../../sha256.ts';
import type { PseudonymPage } from '../../ports/pseudonym-store.ts';
import type { BuiltTable } from '../../ports/table-builder.ts';
import { secureRandom } from '../../random.ts';

/** Tags and bucket hashes of some pseudonyms, in their order. */
export interface Entries {
  readonly tags: Uint8Array<ArrayBuffer>;
  readonly hashes: Uint16Array<ArrayBuffer>;
}

/** What a worker is asked for: the entries of a page, or the table of all entries. */
export type Task =
  | {
      readonly type: 'entries';
      readonly factor: Uint8Array;
      readonly prefix: Uint8Array;
      readonly maskKey: Uint8Array;
      readonly page: PseudonymPage;
    }
  | { readonly type: 'table'; readonly entries: Entries; readonly maxBits: number };

export interface Job {
  readonly id: number;
  readonly task: Task;
}

/** `code` where it is one of ours: an error itself loses its kind on the way between threads. */
export type JobResult =
  | { readonly id: number; readonly value: Entries | BuiltTable }
  | { readonly id: number; readonly code?: ErrorCode; readonly error: string };

const { group } = await loadSodium();

function entriesOf({ factor, prefix, maskKey, page }: Extract<Task, { type: 'entries' }>): Entries {
  const count = page.maskedHashes.length;
  const tags = new Uint8Array(count * TAG_BYTES);
  const hashes = new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    const element = page.elements.subarray(i * ELEMENT_BYTES, (i + 1) * ELEMENT_BYTES);
    tags.set(tagOf(prefix, group.multiply(factor, element)), i * TAG_BYTES);
    hashes[i] = maskBucketHash(maskKey, element, page.maskedHashes[i] as number);
  }
  return { tags, hashes };
}

function tableOf({ entries: { tags, hashes }, maxBits }: Extract<Task, { type: 'table' }>): BuiltTable {
  const entries = Array.from(hashes, (bucketHash, i) => ({
    bucketHash,
    tag: tags.subarray(i * TAG_BYTES, (i + 1) * TAG_BYTES),
  }));
  const table = buildTable(entries, maxBits, secureRandom);
  return { table, tree: bucketTree(table, sha256) };
}

parentPort?.on('message', ({ id, task }: Job) => {
  let result: JobResult;
  try {
    result = { id, value: task.type === 'entries' ? entriesOf(task) : tableOf(task) };
  } catch (error) {
    result =
      error instanceof HitError
        ? { id, code: error.code, error: error.detail }
        : { id, error: error instanceof Error ? error.message : 'the table could not be computed' };
  }
  parentPort?.postMessage(result);
});
