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

/** Day of the week and time of day in the Netherlands. `now` in milliseconds since 1970. */
export function dutchTime(now: number): LocalTime {
  const parts = partsOf(now);
  return {
    weekday: WEEKDAYS.indexOf(parts.get('weekday') ?? ''),
    time: `${parts.get('hour') ?? ''}:${parts.get('minute') ?? ''}`,
  };
}

/** The day in the Netherlands, as `yyyymmdd`. */
export function dutchDay(now: number): string {
  const parts = partsOf(now);
  return ['year', 'month', 'day'].map((part) => parts.get(part) ?? '').join('');
}

const partsOf = (now: number): ReadonlyMap<string, string> =>
  new Map(DUTCH.formatToParts(now).map(({ type, value }) => [type, value]));
