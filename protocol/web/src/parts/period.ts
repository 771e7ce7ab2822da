import { DAY_MS, dayOf } from './days.ts';

/** A period as somebody filled it in: days in UTC, both of them included. */
export interface PeriodForm {
  readonly from: string;
  readonly to: string;
  readonly canaries: boolean;
  readonly mistake: boolean;
}

/** Days in the longest period: beyond, the drawings say nothing and the search takes long. */
const MAX_DAYS = 92;
const DEFAULT_DAYS = 30;
/** Lengths that are one click away, in days. */
export const QUICK_PERIODS = [7, 30, 90] as const;

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Reads a period from the query of an address; the last thirty days when it says nothing. */
export function readPeriod(query: URLSearchParams, now: number): PeriodForm {
  const usual = lastDays(DEFAULT_DAYS, now);
  const given = (name: string): string => (query.get(name) ?? '').trim();
  const from = given('from') === '' ? usual.from : given('from');
  const to = given('to') === '' ? usual.to : given('to');
  const days = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
  const fits = isDay(from) && isDay(to) && days >= 1 && days <= MAX_DAYS;
  return { from, to, canaries: query.has('canaries'), mistake: !fits };
}

const isDay = (text: string): boolean => {
  const time = DAY.test(text) ? Date.parse(text) : Number.NaN;
  return !Number.isNaN(time) && dayOf(time) === text;
};

/** The moments at which a period begins and ends, milliseconds since 1970. */
export const momentsOf = ({ from, to }: PeriodForm): { from: number; to: number } => ({
  from: Date.parse(from),
  to: Date.parse(to) + DAY_MS,
});

const lastDays = (days: number, now: number): { from: string; to: string } => ({
  from: dayOf(now - (days - 1) * DAY_MS),
  to: dayOf(now),
});

/** The address of the page at `path` for the last days up to now. */
export const quickPeriodPath = (path: string, days: number, now: number): string =>
  `${path}?${new URLSearchParams(lastDays(days, now)).toString()}`;
