import type { LogEntry } from '@hitmachine/protocol';
import { lookupRequestSchema, parseJson, utf8ToBytes } from '@hitmachine/protocol';
import type { Told } from './city-agency.ts';

/** Answers that an asker holds and of which the log does not tell. */
export function unlogged(log: readonly LogEntry[], told: readonly Told[]): Told[] {
  const answered = new Set(
    log.flatMap((entry) =>
      entry.event === 'answer' && entry.outcome === 'answered' ? [`${entry.lookupId} ${entry.node}`] : [],
    ),
  );
  const opened = new Set(log.flatMap((entry) => (entry.event === 'lookup' ? [entry.lookupId] : [])));
  return told.filter(
    ({ isTrue, lookupId, node }) =>
      isTrue !== undefined && !(opened.has(lookupId) && answered.has(`${lookupId} ${node}`)),
  );
}

/** Persons that an agency was let through with, by what the log says, in each window of so many milliseconds. */
export function personsAsked(
  log: readonly LogEntry[],
  agency: string,
  windowMs: number,
): ReadonlyMap<number, number> {
  const asked = new Map<number, number>();
  for (const entry of log) {
    if (entry.event !== 'lookup' || entry.agency !== agency) continue;
    const { persons } = parseJson(lookupRequestSchema, utf8ToBytes(entry.body));
    const window = Math.floor(entry.at / windowMs);
    asked.set(window, (asked.get(window) ?? 0) + persons);
  }
  return asked;
}

/**
 * Persons that an agency was let through with beyond a quota for each window of so many milliseconds, by what the log says.
 * Its time never goes back: while the clock of a replica was ahead, entries of the others have the time of the entry before.
 * Those were let through in the window that the log says or in the one before, which together may hold twice the quota.
 */
export function personsBeyond(
  log: readonly LogEntry[],
  agency: string,
  windowMs: number,
  quota: number,
): number {
  const held = log.filter((_, i) => log[i]?.at === log[i - 1]?.at);
  const all = personsAsked(log, agency, windowMs);
  const unsure = personsAsked(held, agency, windowMs);
  let beyond = 0;
  for (const [window, persons] of all) {
    const sure = persons - (unsure.get(window) ?? 0);
    const both = persons + (all.get(window - 1) ?? 0);
    beyond += Math.max(0, sure - quota, Math.min(persons - quota, both - 2 * quota));
  }
  return beyond;
}
