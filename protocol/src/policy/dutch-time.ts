import type { LocalTime } from './node-policy.ts';

const DUTCH = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'Europe/Amsterdam',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  weekday: 'short',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
});
const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

const MINUTE_MS = 60_000;
/** The minute that was asked about last: every question to a node asks, and the calendar takes longer than its rules. */
let latest: { readonly minute: number; readonly time: LocalTime } | undefined;

/** Day of the week and time of day in the Netherlands. `now` in milliseconds since 1970. */
export function dutchTime(now: number): LocalTime {
  const minute = Math.floor(now / MINUTE_MS);
  if (latest?.minute === minute) return latest.time;
  const parts = partsOf(now);
  const time = {
    weekday: WEEKDAYS.indexOf(parts.get('weekday') ?? ''),
    time: `${parts.get('hour') ?? ''}:${parts.get('minute') ?? ''}`,
  };
  latest = { minute, time };
  return time;
}

/** The day in the Netherlands, as `yyyymmdd`. */
export function dutchDay(now: number): string {
  const parts = partsOf(now);
  return ['year', 'month', 'day'].map((part) => parts.get(part) ?? '').join('');
}

const partsOf = (now: number): ReadonlyMap<string, string> =>
  new Map(DUTCH.formatToParts(now).map(({ type, value }) => [type, value]));
