import { Worker } from 'node:worker_threads';
import { HitError } from '@hitmachine/protocol';
import type { FoundEntry, LogFigure, LogFilter, LogSearch } from '../../ports/log-search.ts';
import { CatchUp } from '../catch-up.ts';
import type { Query, Row } from '../log-query.ts';
import { countQuery, figureOf, figuresQuery, findQuery, foundEntryOf } from '../log-query.ts';
import type { SearchReply, SearchRequest, SearchResult, SearchTask } from './search-worker.ts';

const placeholder = (n: number): string => `?${n}`;

interface Waiting {
  readonly resolve: (result: SearchResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Searching the log in SQLite, one search after another in a thread with a connection of its own that cannot write to
 * the log: a search through a million entries takes seconds, and SQLite would keep the whole gateway waiting for it.
 * The thread keeps the index by which entries are found.
 */
export class SqliteLogSearch implements LogSearch {
  readonly #path: string;
  readonly #waiting = new Map<number, Waiting>();
  readonly #catchUp = new CatchUp(async () => (await this.#ask({ task: 'step' })).more);
  #worker: Worker | undefined;
  #jobs = 0;
  #closed = false;

  /** `path`: the file of a database that is there. */
  constructor(path: string) {
    this.#path = path;
  }

  async find(filter: LogFilter, before: number | undefined, limit: number): Promise<readonly FoundEntry[]> {
    return (await this.#search('entries', findQuery(placeholder, filter, before, limit))).map(foundEntryOf);
  }

  async count(filter: LogFilter): Promise<number> {
    return Number((await this.#search('rows', countQuery(placeholder, filter)))[0]?.['entries']);
  }

  async figures(filter: LogFilter): Promise<readonly LogFigure[]> {
    return (await this.#search('rows', figuresQuery(placeholder, filter))).map(figureOf);
  }

  /** Tells that entries were appended: the index takes them in by and by. */
  noteAppended(): void {
    this.#catchUp.soon();
  }

  /** Stops the thread; searches that still wait are rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#catchUp.stop();
    await this.#worker?.terminate();
  }

  async #search(task: 'rows' | 'entries', { text, values }: Query<string | number>): Promise<readonly Row[]> {
    return (await this.#ask({ task, text, values })).rows;
  }

  #ask(task: SearchTask): Promise<SearchResult> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw failed('the database is closed');
      const worker = (this.#worker ??= this.#start());
      const job = ++this.#jobs;
      this.#waiting.set(job, { resolve, reject });
      // A process waits for a search, and not for the index to be brought up to date.
      if (task.task !== 'step') worker.ref();
      worker.postMessage({ job, ...task } satisfies SearchRequest);
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL('./search-worker.ts', import.meta.url), { workerData: this.#path });
    worker.unref();
    worker.on('message', (reply: SearchReply) => {
      const waiting = this.#waiting.get(reply.job);
      this.#waiting.delete(reply.job);
      if (this.#waiting.size === 0) worker.unref();
      if ('rows' in reply) waiting?.resolve(reply);
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
