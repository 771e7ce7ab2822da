import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Told } from '../support/city-agency.ts';
import { City } from '../support/city.ts';
import { personsAsked, unlogged } from '../support/log-check.ts';
import type { Fault, Means } from './faults.ts';
import { Watch, clientsOf } from './watch.ts';

/** Persons that an agency may ask about in a minute: some way above what the watching agencies need. */
const QUOTA = 240;
const MINUTE_MS = 60_000;
const GREEDY = 'gretig';

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
  /** Answers that had nothing to do with the fault and did not come; undefined where everything had. */
  readonly untouchedMissing: number | undefined;
  /** Seconds from the end of the cause until all agencies are served again; undefined when they were not in time. */
  readonly recovery: number | undefined;
  /** Why there was no answer, how often. */
  readonly reasons: ReadonlyMap<string, number>;
  /** What went wrong with the fault itself. */
  readonly failure?: string | undefined;
}

export const holds = (seen: Seen): boolean =>
  seen.skipped !== undefined ||
  (seen.failure === undefined &&
    seen.wrong + seen.unlogged + seen.overruns + (seen.untouchedMissing ?? 0) === 0 &&
    seen.recovery !== undefined &&
    seen.answers > 0);

/** A city with three replicas, agents that are told of all of them, and somebody who asks at each all the time. */
export async function withCity(
  faults: readonly Fault[],
  means: { readonly net: Means['net']; readonly disk: Means['disk'] },
  tell: (seen: Seen) => void,
): Promise<void> {
  const city = await City.start({
    replicas: 3,
    redis: { cluster: 1 },
    quota: `{ minute: ${QUOTA}, day: 1000000 }`,
  });
  try {
    const urls = city.replicas.map(({ url }) => url);
    for (const [i, id] of ['eerste', 'tweede', 'derde'].entries())
      await city.addAgency(id, clientsOf(i), urls);
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
  const none = { answers: 0, wrong: 0, unlogged: 0, overruns: 0, untouchedMissing: undefined };
  const skipped = fault.missing?.(means);
  if (skipped !== undefined)
    return { fault: fault.name, skipped, ...none, recovery: undefined, reasons: new Map() };
  const from = watch.asked.length;
  let failure: string | undefined;
  await fault.strike(means).catch((error: unknown) => (failure = (error as Error).message));
  const over = performance.now();
  const recovery = await watch.recovered(over, fault.withinMs);
  // What was under way when it recovered has come in by then too.
  await delay(500);
  const told = watch.asked.slice(from).flatMap((asked) => asked.told);
  const during = watch.asked.slice(from).filter(({ at }) => at < over);
  const untouched = fault.untouched?.bind(fault);
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
    untouchedMissing:
      untouched &&
      during
        .flatMap((asked) => asked.told)
        .filter(({ asker, node, isTrue }: Told) => untouched(asker, node) && isTrue === undefined).length,
    recovery: recovery === undefined ? undefined : recovery / 1_000,
    reasons,
    failure,
  };
}

/** Persons beyond the quota of a minute, by what stands in the log, of all agencies. */
function overruns(log: Parameters<typeof personsAsked>[0]): number {
  const agencies = new Set(log.flatMap((entry) => (entry.event === 'lookup' ? [entry.agency] : [])));
  let over = 0;
  for (const agency of [...agencies, GREEDY])
    for (const persons of personsAsked(log, agency, MINUTE_MS).values()) over += Math.max(0, persons - QUOTA);
  return over;
}
