import { Worker } from 'node:worker_threads';
import { HitError } from '@hitmachine/protocol';
import type { FoundEntry, LogFigure, LogFilter, LogSearch } from '../../ports/log-search.ts';
import type { Query, Row } from '../log-query.ts';
import { countQuery, figureOf, figuresQuery, findQuery, foundEntryOf } from '../log-query.ts';
import type { SearchReply, SearchRequest } from './search-worker.ts';

const placeholder = (n: number): string => `?${n}`;

interface Waiting {
  readonly resolve: (rows: readonly Row[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Searching the log in SQLite, one search after another in a thread with a connection of its own that cannot write: a
 * search through a million entries takes seconds, and SQLite would keep the whole gateway waiting for it.
 */
export class SqliteLogSearch implements LogSearch {
  readonly #path: string;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #jobs = 0;
  #closed = false;

  /** `path`: the file of a database that is there. */
  constructor(path: string) {
    this.#path = path;
  }

  async find(filter: LogFilter, before: number | undefined, limit: number): Promise<readonly FoundEntry[]> {
    return (await this.#rows(findQuery(placeholder, filter, before, limit))).map(foundEntryOf);
  }

  async count(filter: LogFilter): Promise<number> {
    return Number((await this.#rows(countQuery(placeholder, filter)))[0]?.['entries']);
  }

  async figures(filter: LogFilter): Promise<readonly LogFigure[]> {
    return (await this.#rows(figuresQuery(placeholder, filter))).map(figureOf);
  }

  /** Stops the thread; searches that still wait are rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
  }

  #rows({ text, values }: Query<string | number>): Promise<readonly Row[]> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw failed('the database is closed');
      const worker = (this.#worker ??= this.#start());
      const job = ++this.#jobs;
      this.#waiting.set(job, { resolve, reject });
      worker.postMessage({ job, text, values } satisfies SearchRequest);
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL('./search-worker.ts', import.meta.url), { workerData: this.#path });
    worker.unref();
    worker.on('message', (reply: SearchReply) => {
      const waiting = this.#waiting.get(reply.job);
      this.#waiting.delete(reply.job);
      if ('rows' in reply) waiting?.resolve(reply.rows);
      else waiting?.reject(failed(reply.reason));
    });
    worker.on('error', (error) => this.#lost(worker, error instanceof Error ? error.message : 'unknown'));
    worker.on('exit', () => this.#lost(worker, 'the thread ended'));
    return worker;
  }

  /** The next search starts a new thread. */
  #lost(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(failed(reason));
    this.#waiting.clear();
  }
}

const failed = (reason: string): HitError =>
  new HitError('storage-failed', undefined, { cause: new Error(reason) });
