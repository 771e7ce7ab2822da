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
