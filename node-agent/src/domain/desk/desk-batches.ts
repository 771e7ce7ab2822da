import { setTimeout as delay } from 'node:timers/promises';
import { HitError } from '@hitmachine/protocol';
import type { BatchEnd, BatchHousehold, BatchProgress } from './batch.ts';
import { runBatch } from './batch.ts';
import type { BatchPerson, BatchStatus } from './batch-figures.ts';
import { NO_COUNTS } from './batch-figures.ts';
import { DESK_MS } from './desk-lookups.ts';
import type { LookupService } from '../asking/lookup.ts';
import { beginLookup } from '../asking/lookup.ts';
import type { LookupInput } from '../asking/lookup-input.ts';

/** What is asked about every household, but for who lives there. */
export type BatchQuestion = Omit<LookupInput, 'persons'>;

/** Figures over the households of a file, as they come. */
export interface DeskBatch {
  readonly key: string;
  /** The professional at the identity provider. */
  readonly subject: string;
  readonly question: BatchQuestion;
  readonly households: number;
  /** Numbers below it are left out of the report. */
  readonly smallest: number;
  /** Milliseconds since 1970. */
  readonly since: number;
  progress: BatchProgress;
  /** Set while a limit is waited for. */
  waiting: { readonly seconds: number } | undefined;
  /** Undefined while it runs. */
  end: BatchEnd | undefined;
  stop(): void;
}

/** Batches at a time in this agent: each keeps a few questions under way. */
const MOST_AT_ONCE = 2;

/** The batches of professionals: they run by themselves, and stay in memory for as long as a question of the desk does. */
export class DeskBatches {
  readonly #service: LookupService;
  readonly #known = new Map<string, DeskBatch>();
  readonly #running = new Set<Promise<void>>();

  constructor(service: LookupService) {
    this.#service = service;
  }

  /** Begins; a form that was sent before gives what it gave then. Throws `not-ready` when too many run. */
  begin(
    of: Pick<DeskBatch, 'key' | 'subject' | 'question' | 'smallest'>,
    households: readonly BatchHousehold[],
  ): DeskBatch {
    const before = this.#known.get(of.key);
    if (before !== undefined) return this.find(of.key, of.subject);
    if (this.#running.size >= MOST_AT_ONCE)
      throw new HitError('not-ready', 'too many files are asked about at the moment; try again later');
    const stopped = new AbortController();
    const batch: DeskBatch = {
      ...of,
      households: households.length,
      since: this.#service.clock(),
      progress: { next: 0, counts: NO_COUNTS },
      waiting: undefined,
      end: undefined,
      stop: () => stopped.abort(),
    };
    this.#known.set(of.key, batch);
    const running = this.#run(batch, households, stopped.signal);
    this.#running.add(running);
    void running.then(() => {
      this.#running.delete(running);
      setTimeout(() => this.#known.delete(of.key), DESK_MS).unref();
    });
    return batch;
  }

  /** Begins no household any more; resolves when those under way have ended. */
  async stop(): Promise<void> {
    for (const batch of this.#known.values()) batch.stop();
    await Promise.all(this.#running);
  }

  /** A batch of this professional. Throws `not-found`. */
  find(key: string, subject: string): DeskBatch {
    const batch = this.#known.get(key);
    if (batch?.subject === subject) return batch;
    throw new HitError('not-found', 'there is no such file, or its figures are not kept any more');
  }

  async #run(batch: DeskBatch, households: readonly BatchHousehold[], signal: AbortSignal): Promise<void> {
    const { progress, end } = await runBatch({
      households,
      from: batch.progress,
      signal,
      ask: ({ persons }) => this.#ask({ ...batch.question, persons }),
      progress(now, waiting) {
        batch.progress = now;
        batch.waiting = waiting;
      },
      wait: async (seconds) => {
        await delay(seconds * 1_000, undefined, { signal, ref: false }).catch(() => undefined);
      },
    });
    batch.progress = progress;
    batch.waiting = undefined;
    batch.end = end;
  }

  async #ask(input: LookupInput): Promise<BatchPerson[]> {
    const { notAsked, events } = await beginLookup(this.#service, input);
    const persons = notAsked.map(
      (own) => new Map<string, BatchStatus>(own.map(({ register }) => [register.name, 'not-asked'])),
    );
    for await (const event of events)
      if (event.type === 'register')
        event.outcomes.forEach(({ status }, i) =>
          persons[event.persons[i] as number]?.set(event.register.name, status),
        );
    return persons;
  }
}
