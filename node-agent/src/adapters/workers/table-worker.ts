import {
  ELEMENT_BYTES,
  TAG_BYTES,
  bucketTree,
  buildTable,
  loadSodium,
  maskBucketHash,
  tagOf,
} from '@hitmachine/protocol/arithmetic';
import type { TableEntries } from '@hitmachine/protocol';
import { sha256 } from '../../sha256.ts';
import type { PseudonymPage } from '../../ports/pseudonym-store.ts';
import type { BuiltTable } from '../../ports/table-builder.ts';
import { secureRandom } from '../../random.ts';
import { runTasks } from '../run-tasks.ts';

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

/** As the protocol reads them: one at a time, since an object for each takes twenty times the memory of what it holds. */
const oneByOne = ({ tags, hashes }: Entries): TableEntries => ({
  length: hashes.length,
  *[Symbol.iterator]() {
    for (let i = 0; i < hashes.length; i++)
      yield {
        bucketHash: hashes[i] as number,
        tag: tags.subarray(i * TAG_BYTES, (i + 1) * TAG_BYTES),
      };
  },
});

function tableOf({ entries, maxBits }: Extract<Task, { type: 'table' }>): BuiltTable {
  const table = buildTable(oneByOne(entries), maxBits, secureRandom);
  return { table, tree: bucketTree(table, sha256) };
}

runTasks<Task, Entries | BuiltTable>(
  (task) => (task.type === 'entries' ? entriesOf(task) : tableOf(task)),
  (value) => ('tags' in value ? [value.tags, value.hashes] : [value.table.bytes, value.tree.hashes]),
);
