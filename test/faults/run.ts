import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { LogEntry } from '@hitmachine/protocol';
import { percentile } from '../scale/percentile.ts';
import type { Told } from '../support/city-agency.ts';
import { City } from '../support/city.ts';
import { personsBeyond, unlogged } from '../support/log-check.ts';
import type { Fault, Means } from './faults.ts';
import { ELSEWHERE, EVERYWHERE } from './faults.ts';
import { Watch, clientsOf } from './watch.ts';

/** Persons that an agency may ask about in a minute: some way above what the watching agencies need. */
const QUOTA = 240;
const MINUTE_MS = 60_000;
/** What is looked at before each fault, to compare with, in milliseconds. */
const CALM_MS = 4_000;

/** What was seen of one fault. */
export interface Seen {
  readonly fault: string;
  /** Why it was not tried; undefined when it was. */
  readonly skipped?: string;
  /** Answers that came while it lasted, and those of them that were wrong. */
  readonly answers: number;
  readonly wrong: number;
  /** Answers that an asker holds and that the log does not tell of. */
  readonly unlogged: number;
  /** Persons beyond the quota, in all minutes. */
  readonly overruns: number;
  /** What became of answers that the fault has nothing to do with; why there are none of that kind, in words. */
  readonly untouched: Untouched | string;
  /** Seconds from the end of the cause until all agencies are served again; undefined when they were not in time. */
  readonly recovery: number | undefined;
  /** Why there was no answer, how often. */
  readonly reasons: ReadonlyMap<string, number>;
  /** What went wrong with the fault itself. */
  readonly failure?: string | undefined;
}

/** Answers whose way has nothing to do with a fault, while it lasts. */
export interface Untouched {
  /** How many there should be, and how many of them did not come. */
  readonly answers: number;
  readonly missing: number;
  /** 95th percentile of the time until an answer, in milliseconds: on the same ways before the fault, and during it. */
  readonly p95Before: number;
  readonly p95During: number;
}

/**
 * Slower than this is not answered normally: programs that are started again take half a small machine for some seconds,
 * but nobody waits for a time-out of something that is not in the way.
 */
export const normalWithinMs = (p95Before: number): number => Math.max(3 * p95Before, p95Before + 1_500);

const untouchedHolds = (untouched: Untouched | string): boolean =>
  typeof untouched === 'string' ||
  (untouched.answers > 0 &&
    untouched.missing === 0 &&
    untouched.p95During <= normalWithinMs(untouched.p95Before));

export const holds = (seen: Seen): boolean =>
  seen.skipped !== undefined ||
  (seen.failure === undefined &&
    seen.wrong + seen.unlogged + seen.overruns === 0 &&
    untouchedHolds(seen.untouched) &&
    seen.recovery !== undefined &&
    seen.answers > 0);

/**
 * A city with three replicas, agents of which two do without the last replica, and somebody who asks at each all the time.
 */
export async function withCity(
  faults: readonly Fault[],
  means: { readonly net: Means['net']; readonly disk: Means['disk'] },
  tell: (seen: Seen) => void,
): Promise<void> {
  const city = await City.start({
    replicas: 3,
    redis: { cluster: 1 },
    ...(means.disk !== undefined && { databaseDisk: means.disk.folder }),
    quota: `{ minute: ${QUOTA}, day: 1000000 }`,
  });
  try {
    const urls = city.replicas.map(({ url }) => url);
    const allButLast = urls.slice(0, -1);
    for (const [i, id] of ELSEWHERE.entries())
      await city.addAgency(id, clientsOf(i), i % 2 === 0 ? allButLast : allButLast.toReversed());
    // The last replica is one of the two that these are connected to.
    for (const [i, id] of EVERYWHERE.entries())
      await city.addAgency(id, clientsOf(ELSEWHERE.length + i), urls.toReversed());
    await Promise.all(city.agencies.map(({ program }) => program.start()));
    await Promise.all(city.agencies.map((agency) => agency.ready()));
    const watch = new Watch(city);
    await watch.start();
    if ((await watch.recovered(performance.now(), 60_000)) === undefined)
      throw new Error('the city does not get going');
    for (const fault of faults) tell(await tried(fault, { city, ...means }, watch));
    await watch.stop();
  } finally {
    await city.close();
  }
}

async function tried(fault: Fault, means: Means, watch: Watch): Promise<Seen> {
  const none = { answers: 0, wrong: 0, unlogged: 0, overruns: 0, untouched: '' };
  const skipped = fault.missing?.(means);
  if (skipped !== undefined)
    return { fault: fault.name, skipped, ...none, recovery: undefined, reasons: new Map() };
  const calm = watch.asked.length;
  await delay(CALM_MS);
  const from = watch.asked.length;
  const struck = performance.now();
  let failure: string | undefined;
  await fault.strike(means).catch((error: unknown) => (failure = (error as Error).message));
  const over = performance.now();
  const recovery = await watch.recovered(over, fault.withinMs);
  // What was under way when it recovered has come in by then too.
  await delay(500);
  const told = watch.asked.slice(from).flatMap((asked) => asked.told);
  const before = watch.asked.slice(calm, from).flatMap((asked) => asked.told);
  // What was asked a moment earlier is under way when it begins.
  const during = watch.asked.slice(calm).filter(({ at, took }) => at + took > struck && at < over);
  const log = await means.city.log();
  const reasons = new Map<string, number>();
  for (const { isTrue, reason = 'none' } of told)
    if (isTrue === undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  return {
    fault: fault.name,
    answers: told.filter(({ isTrue }) => isTrue !== undefined).length,
    wrong: told.filter(({ isTrue }) => isTrue === false).length,
    unlogged: unlogged(log, told).length,
    overruns: overruns(log),
    untouched: untouchedBy(
      fault,
      before,
      during.flatMap((asked) => asked.told),
    ),
    recovery: recovery === undefined ? undefined : recovery / 1_000,
    reasons,
    failure,
  };
}

function untouchedBy(
  { untouched }: Fault,
  before: readonly Told[],
  during: readonly Told[],
): Untouched | string {
  if (typeof untouched !== 'function') return untouched.none;
  const of = (all: readonly Told[]): readonly Told[] =>
    all.filter(({ asker, node }) => untouched(asker, node));
  const came = of(during).filter(({ isTrue }) => isTrue !== undefined);
  return {
    answers: of(during).length,
    missing: of(during).length - came.length,
    p95Before: p95(of(before)),
    p95During: p95(came),
  };
}

const p95 = (told: readonly Told[]): number => percentile(told.map(({ tookMs }) => tookMs));

/** Persons beyond the quota of a minute, by what stands in the log, of all agencies. */
function overruns(log: readonly LogEntry[]): number {
  const agencies = new Set(log.flatMap((entry) => (entry.event === 'lookup' ? [entry.agency] : [])));
  return [...agencies].reduce((sum, agency) => sum + personsBeyond(log, agency, MINUTE_MS, QUOTA), 0);
}
