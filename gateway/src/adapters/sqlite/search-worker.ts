import { parentPort, workerData } from 'node:worker_threads';
import type { Row } from '../log-query.ts';
import { SearchIndex } from './search-index.ts';

/** What the thread is asked: to take in a step of the log, or to search; of what was found, the entries too or not. */
export type SearchTask =
  | { readonly task: 'step' }
  | {
      readonly task: 'rows' | 'entries';
      readonly text: string;
      readonly values: readonly (string | number)[];
    };
export type SearchRequest = SearchTask & { readonly job: number };

/** `more`: whether there is more to take in. */
export interface SearchResult {
  readonly rows: readonly Row[];
  readonly more: boolean;
}
export type SearchReply =
  ({ readonly job: number } & SearchResult) | { readonly job: number; readonly reason: string };

let index: SearchIndex | undefined;

function answer(request: SearchTask): SearchResult {
  index ??= new SearchIndex(workerData as string);
  if (request.task === 'step') return { rows: [], more: index.step() };
  // Rows have no prototype, and so cross to the other thread as they are.
  const rows = index.search(request.text, request.values);
  if (request.task === 'rows') return { rows, more: false };
  const indices = rows.map(({ idx }) => Number(idx));
  return { rows: index.leaves(indices).map((leaf, i) => ({ idx: indices[i], leaf })), more: false };
}

if (parentPort !== null) {
  const port = parentPort;
  port.on('message', ({ job, ...request }: SearchRequest) => {
    let reply: SearchReply;
    try {
      reply = { job, ...answer(request) };
    } catch (error) {
      reply = { job, reason: error instanceof Error ? error.message : String(error) };
    }
    port.postMessage(reply);
  });
}
