import { DAY_MS, dayOf, momentOf, wallTime } from '@hitmachine/web';
import type { LogFigure, LogSearch } from '../src/ports/log-search.ts';
import { figuresOf, grouped, isLookup, isRefusal, sum } from './figures.ts';
import type { SearchField } from './search-form.ts';

/** Something that is worth a look. It proves nothing. */
export interface Signal {
  readonly kind: 'burst' | 'night' | 'above-usual' | 'refusals' | 'silent';
  /** The agency that asked, or the node that was asked. */
  readonly agency: string;
  /** When, milliseconds since 1970; undefined for the whole period. */
  readonly at: number | undefined;
  readonly count: number;
  /** What is usual on a day, or the share (0 to 1) that the count is of all. */
  readonly against: number;
  /** Finds the entries. */
  readonly search: Partial<Record<SearchField, string>>;
}

export interface Signals {
  readonly signals: readonly Signal[];
  /** True when there was too much to look at all of it. */
  readonly cut: boolean;
}

/** Lookups of one agency within ten minutes: more than somebody types, unless a case system asks. */
const BURST = 20;
const BURST_MS = 10 * 60_000;
/** A day counts as far above the usual from this many lookups on, and this many times what is usual. */
const ABOVE_AT_LEAST = 10;
const ABOVE_FACTOR = 3;
/** Days before the period that say what is usual, and how many of them must have had lookups. */
export const USUAL_DAYS = 28;
const USUAL_AT_LEAST = 3;
const REFUSALS_AT_LEAST = 5;
const REFUSALS_SHARE = 0.2;
const SILENT_AT_LEAST = 10;
const SILENT_SHARE = 0.5;
/** The night, by the clock on the wall. */
const NIGHT = { from: '22:00', to: '06:00' };
/** Lookups that are looked at one by one. */
const MAX_LOOKED_AT = 20_000;
const PAGE = 1_000;

/**
 * Looks for what is worth a look in a period (moments at midnight UTC). `rows` are the figures of the period and of
 * the {@link USUAL_DAYS} before it.
 */
export async function findSignals(
  search: LogSearch,
  rows: readonly LogFigure[],
  from: number,
  to: number,
): Promise<Signals> {
  const period = { from: wallTime(from), to: wallTime(to) };
  const inside = rows.filter(({ day }) => day >= dayOf(from));
  const looked = { left: MAX_LOOKED_AT };
  const signals = [
    ...(await bursts(search, inside, looked)),
    ...(await nights(search, from, to, looked)),
    ...aboveUsual(rows, from),
    ...manyRefusals(inside, period),
    ...silentNodes(inside, period),
  ];
  return { signals, cut: looked.left <= 0 };
}

const daySearch = (from: number, to: number, agency: string): Signal['search'] => ({
  from: wallTime(from),
  to: wallTime(to),
  event: 'lookup',
  agency,
});

/** Times of the lookups of an agency, or of all with their agency, oldest first, as far as there is room to look. */
async function lookupTimes(
  search: LogSearch,
  filter: { readonly from: number; readonly to: number; readonly agency?: string },
  looked: { left: number },
): Promise<{ readonly at: number; readonly agency: string }[]> {
  const times: { at: number; agency: string }[] = [];
  let before: number | undefined;
  while (looked.left > 0) {
    const found = await search.find({ ...filter, events: ['lookup'] }, before, Math.min(PAGE, looked.left));
    looked.left -= found.length;
    for (const { entry } of found)
      if (entry.event === 'lookup') times.push({ at: entry.at, agency: entry.agency });
    before = found.at(-1)?.index;
    if (found.length < PAGE) break;
  }
  return times.reverse();
}

async function bursts(
  search: LogSearch,
  rows: readonly LogFigure[],
  looked: { left: number },
): Promise<Signal[]> {
  const busy = grouped(rows.filter(isLookup), ({ day, agency }) => `${day}\n${agency ?? ''}`).filter(
    ([, of]) => sum(of, 'entries') >= BURST,
  );
  const signals: Signal[] = [];
  for (const [key] of busy) {
    const [day = '', agency = ''] = key.split('\n');
    const from = Date.parse(day);
    const times = await lookupTimes(search, { from, to: from + DAY_MS, agency }, looked);
    let [start, most, at] = [0, 0, from];
    times.forEach((time, index) => {
      while (time.at - (times[start]?.at ?? 0) >= BURST_MS) start++;
      if (index - start + 1 > most) [most, at] = [index - start + 1, times[start]?.at ?? from];
    });
    if (most >= BURST)
      signals.push({
        kind: 'burst',
        agency,
        at,
        count: most,
        against: 0,
        search: daySearch(at, at + BURST_MS + 60_000, agency),
      });
  }
  return signals;
}

async function nights(
  search: LogSearch,
  from: number,
  to: number,
  looked: { left: number },
): Promise<Signal[]> {
  const signals: Signal[] = [];
  // The night that ends on the first day belongs to the period as well.
  for (let day = from - DAY_MS; day < to; day += DAY_MS) {
    const start = Math.max(from, momentOf(`${dayOf(day)}T${NIGHT.from}`) ?? from);
    const end = Math.min(to, momentOf(`${dayOf(day + DAY_MS)}T${NIGHT.to}`) ?? to);
    if (start >= end) continue;
    const times = await lookupTimes(search, { from: start, to: end }, looked);
    for (const [agency, of] of grouped(times, (time) => time.agency))
      signals.push({
        kind: 'night',
        agency,
        at: of[0]?.at,
        count: of.length,
        against: 0,
        search: daySearch(start, end, agency),
      });
  }
  return signals;
}

function aboveUsual(rows: readonly LogFigure[], from: number): Signal[] {
  const perAgency = grouped(rows.filter(isLookup), ({ agency }) => agency ?? '');
  return perAgency.flatMap(([agency, ofAgency]) => {
    const days = grouped(ofAgency, ({ day }) => day).map(([day, of]) => ({
      at: Date.parse(day),
      count: sum(of, 'entries'),
    }));
    return days.flatMap(({ at, count }): Signal[] => {
      const before = days.filter((day) => day.at < at && day.at >= at - USUAL_DAYS * DAY_MS);
      if (at < from || count < ABOVE_AT_LEAST || before.length < USUAL_AT_LEAST) return [];
      const usual = before.reduce((total, day) => total + day.count, 0) / before.length;
      if (count <= ABOVE_FACTOR * usual) return [];
      const against = Math.round(usual);
      return [
        { kind: 'above-usual', agency, at, count, against, search: daySearch(at, at + DAY_MS, agency) },
      ];
    });
  });
}

function manyRefusals(rows: readonly LogFigure[], period: { from: string; to: string }): Signal[] {
  return grouped(
    rows.filter((row) => row.event === 'lookup' || row.event === 'lookup-refused'),
    ({ agency }) => agency ?? '',
  ).flatMap(([agency, of]): Signal[] => {
    const count = sum(of.filter(isRefusal), 'entries');
    const against = count / sum(of, 'entries');
    if (count < REFUSALS_AT_LEAST || against < REFUSALS_SHARE) return [];
    const search = { ...period, event: 'lookup-refused', agency };
    return [{ kind: 'refusals', agency, at: undefined, count, against, search }];
  });
}

function silentNodes(rows: readonly LogFigure[], period: { from: string; to: string }): Signal[] {
  return figuresOf(rows, []).nodes.flatMap(({ node, answered, refused, none }): Signal[] => {
    const against = none / (answered + refused + none);
    if (none < SILENT_AT_LEAST || against < SILENT_SHARE) return [];
    return [
      {
        kind: 'silent',
        agency: node,
        at: undefined,
        count: none,
        against,
        search: { ...period, event: 'answer' },
      },
    ];
  });
}
