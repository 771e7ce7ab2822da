import { availableParallelism } from 'node:os';
import { TAG_BYTES } from '@hitmachine/protocol';
import { eachAtOnce } from '../../at-once.ts';
import type { BuiltTable, TableBuilder } from '../../ports/table-builder.ts';
import type { Entries, Task } from './table-worker.ts';
import { WorkerThreads } from '../worker-threads.ts';

/** Pages that wait for each thread: it need not wait for the next, and a large register is never in memory whole. */
const PAGES_AHEAD = 2;

/** {@link TableBuilder} on worker threads; leaves one processor to the thread that answers. */
export function workerTableBuilder(threads = Math.max(1, availableParallelism() - 1)): TableBuilder {
  const workers = new WorkerThreads<Task, Entries | BuiltTable>(
    new URL('./table-worker.ts', import.meta.url),
    threads,
  );
  return {
    async build({ factor, prefix, maskKey, maxBits }, pages) {
      const parts: Entries[] = [];
      await eachAtOnce(pages, PAGES_AHEAD * threads, async (page) => {
        parts.push((await workers.run({ type: 'entries', factor, prefix, maskKey, page })) as Entries);
      });
      const entries = join(parts);
      const moved = [entries.tags, entries.hashes];
      return (await workers.run({ type: 'table', entries, maxBits }, moved)) as BuiltTable;
    },
    close: () => workers.close(),
  };
}

/** A table is in the order of its tags, so these may come in any. */
function join(parts: readonly Entries[]): Entries {
  const count = parts.reduce((sum, { hashes }) => sum + hashes.length, 0);
  const tags = new Uint8Array(count * TAG_BYTES);
  const hashes = new Uint16Array(count);
  let at = 0;
  for (const part of parts) {
    tags.set(part.tags, at * TAG_BYTES);
    hashes.set(part.hashes, at);
    at += part.hashes.length;
  }
  return { tags, hashes };
}
