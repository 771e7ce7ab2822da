import { dutchTime } from '@hitmachine/protocol';
import { dayNumber } from '../days.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/**
 * Whether an import is due that was last done at `doneAt` (milliseconds since 1970; undefined for never): at `06:30` in
 * the Netherlands each day, or `every 15 minutes`.
 */
export function isDueBy(schedule: string, doneAt: number | undefined, now: number): boolean {
  if (doneAt === undefined) return true;
  const minutes = /^every (\d+) /.exec(schedule)?.[1];
  if (minutes !== undefined) return now - doneAt >= Number(minutes) * MINUTE_MS;
  return doneAt < lastTime(schedule, now);
}

/** When it was that time of day last: today, or yesterday. A time that a change of clocks skips is that of an hour later. */
function lastTime(time: string, now: number): number {
  const today = momentOf(dayNumber(now), time);
  return today <= now ? today : momentOf(dayNumber(now) - 1, time);
}

/** A day (since 1970) and a time of day in the Netherlands, in milliseconds since 1970. */
function momentOf(day: number, time: string): number {
  const [hours, minutes] = time.split(':').map(Number) as [number, number];
  const asUtc = day * DAY_MS + (hours * 60 + minutes) * MINUTE_MS;
  // The Netherlands are one or two hours ahead.
  for (const ahead of [2, 1]) {
    const at = asUtc - ahead * 60 * MINUTE_MS;
    if (dutchTime(at).time === time && dayNumber(at) === day) return at;
  }
  return asUtc - 60 * MINUTE_MS;
}
