import { dutchDay } from '@hitmachine/protocol';

const DAY_MS = 86_400_000;

/** The day that it is in the Netherlands, in days since 1970. `now` in milliseconds since 1970. */
export function dayNumber(now: number): number {
  const day = dutchDay(now);
  return Date.UTC(Number(day.slice(0, 4)), Number(day.slice(4, 6)) - 1, Number(day.slice(6))) / DAY_MS;
}

/** A day, in days since 1970, as yyyy-mm-dd. */
export function isoDay(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
