import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { Row } from '../log-query.ts';

/** What the thread is asked, and what it says. */
export interface SearchRequest {
  readonly job: number;
  readonly text: string;
  readonly values: readonly (string | number)[];
}
export type SearchReply =
  { readonly job: number; readonly rows: readonly Row[] } | { readonly job: number; readonly reason: string };

const BUSY_TIMEOUT_MS = 5_000;

if (parentPort !== null) {
  const port = parentPort;
  const database = new DatabaseSync(workerData as string, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  port.on('message', ({ job, text, values }: SearchRequest) => {
    let reply: SearchReply;
    try {
      // Rows have no prototype, and so cross to the other thread as they are.
      reply = { job, rows: database.prepare(text).all(...values) };
    } catch (error) {
      reply = { job, reason: error instanceof Error ? error.message : String(error) };
    }
    port.postMessage(reply);
  });
}
