import { HitError } from '@hitmachine/protocol';
import type { BatchCounts, BatchPerson } from './batch-figures.ts';
import { withHousehold } from './batch-figures.ts';
import type { LookupInput } from '../asking/lookup-input.ts';

/** A household of a file. */
export interface BatchHousehold {
  /** Line of its first person, from 1. */
  readonly line: number;
  readonly persons: LookupInput['persons'];
}

/** How far a batch is. `next` is the first household that was not asked: everything before it is in the figures. */
export interface BatchProgress {
  readonly next: number;
  readonly counts: BatchCounts;
}

/** How a batch ended: with the file, by somebody who stopped it, or by a refusal that goes for all households. */
export type BatchEnd =
  | { readonly type: 'complete' }
  | { readonly type: 'stopped' }
  | { readonly type: 'failed'; readonly line: number; readonly error: HitError };

export interface BatchRun {
  readonly households: readonly BatchHousehold[];
  readonly from: BatchProgress;
  /** Asks about one household: one question. */
  ask(household: BatchHousehold): Promise<readonly BatchPerson[]>;
  /** Told after every household. */
  progress(now: BatchProgress, waiting: { readonly seconds: number } | undefined): void;
  /** Resolves after so many seconds, or earlier when the signal aborts. */
  wait(seconds: number, signal: AbortSignal): Promise<void>;
  /** Ends the batch after the households that are under way. */
  readonly signal: AbortSignal;
}

/** Questions under way at once: enough to keep a gateway busy, and too few to be in anybody's way. */
const AT_ONCE = 4;
/** A limit that lasts longer is one a day, and not waited for. */
const LONGEST_WAIT_S = 120;
/** Tries of one household where nothing but the moment is wrong, and seconds between them. */
const TRIES = 4;
const PAUSE_S = 5;
const PASSING: readonly HitError['code'][] = ['gateway-unreachable', 'roster-outdated', 'not-ready'];

/**
 * Asks about households one after another, some at once. A limit a minute is waited for; a limit a day, a rule that
 * refuses, or a gateway that stays away ends the batch, and what was asked until then stands. Never rejects.
 */
export async function runBatch(run: BatchRun): Promise<{ progress: BatchProgress; end: BatchEnd }> {
  const { households, signal } = run;
  let { counts } = run.from;
  let next = run.from.next;
  let ended: BatchEnd | undefined;
  /** What is finished out of turn is counted in turn, so that a batch can go on from one place. */
  const finished = new Map<number, readonly BatchPerson[]>();
  let counted = next;

  const count = (): void => {
    for (let persons = finished.get(counted); persons !== undefined; persons = finished.get(counted)) {
      finished.delete(counted++);
      counts = withHousehold(counts, persons);
    }
  };
  const work = async (): Promise<void> => {
    while (ended === undefined && !signal.aborted && next < households.length) {
      const index = next++;
      const household = households[index] as BatchHousehold;
      try {
        const persons = await patiently(run, household, () => ({ next: counted, counts }));
        if (persons === undefined) return;
        finished.set(index, persons);
        count();
        run.progress({ next: counted, counts }, undefined);
      } catch (error) {
        const known =
          error instanceof HitError ? error : new HitError('internal', undefined, { cause: error });
        ended ??= { type: 'failed', line: household.line, error: known };
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const whole = counted === households.length;
  return {
    progress: { next: counted, counts },
    end: whole ? { type: 'complete' } : (ended ?? { type: 'stopped' }),
  };
}

/** One household, tried again where that makes sense; undefined when it was stopped first. Throws what is in the way. */
async function patiently(
  run: BatchRun,
  household: BatchHousehold,
  now: () => BatchProgress,
): Promise<readonly BatchPerson[] | undefined> {
  for (let tries = 1; ; tries++) {
    try {
      return await run.ask(household);
    } catch (error) {
      const seconds = pauseAfter(error, tries);
      if (seconds === undefined) throw error;
      run.progress(now(), { seconds });
      await run.wait(seconds, run.signal);
      if (run.signal.aborted) return undefined;
    }
  }
}

/** Seconds to wait before the same is tried again; undefined when that would not help. */
function pauseAfter(error: unknown, tries: number): number | undefined {
  if (!(error instanceof HitError)) return undefined;
  if (error.code === 'quota-exceeded')
    return error.retryAfter !== undefined && error.retryAfter <= LONGEST_WAIT_S
      ? error.retryAfter
      : undefined;
  return PASSING.includes(error.code) && tries < TRIES ? PAUSE_S * tries : undefined;
}
