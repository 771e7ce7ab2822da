import type { LocalTime } from './node-policy.ts';
import type { SignalSettings } from './signal-settings.ts';
import type { SeenLookup, Signal, SignalName } from './signals.ts';
import { remembered } from './signals.ts';

const BURST_MS = 600_000;
const STEP_MS = 10_000;
const DAY_MS = 86_400_000;
/** Days over which the usual is taken, the present one not among them. */
const USUAL_DAYS = 28;
/** Days of work, of all professionals together, below which there is no usual yet. */
const USUAL_NEEDS = 10;

interface Watched {
  readonly agency: string;
  /** Persons in the last ten minutes, in steps, oldest first: however many lookups there are, they are few. */
  recent: { readonly step: number; persons: number }[];
  /** The last night with a lookup: the day of the week on which it began, its first lookup, and persons since. */
  night: { readonly weekday: number; readonly since: number; persons: number };
  /** Persons by day (UTC), newest last. */
  days: { readonly day: number; persons: number }[];
  /** What was told last of each signal: a time, a night or a day. */
  readonly told: Map<SignalName, number>;
}

/**
 * Watches lookups as they come, in memory, without a clock of its own, and tells of each thing once: of a burst once in
 * ten minutes, of a night once, of a day once. Lookups for an exempt purpose count for nothing. What it holds is
 * bounded: {@link MAX_WATCHED} that asked, and four weeks of each.
 */
export class LookupWatch {
  readonly #settings: () => SignalSettings;
  readonly #watched = new Map<string, Watched>();
  /** The usual of each agency on the day on which it was last asked for. */
  readonly #usual = new Map<string, number | undefined>();
  #today = 0;

  /** `settings` are looked at for each lookup: they come with a policy that changes. */
  constructor(settings: () => SignalSettings) {
    this.#settings = settings;
  }

  /** Whom it remembers. */
  get size(): number {
    return this.#watched.size;
  }

  add({ who, agency = '', purpose, persons, at, local }: SeenLookup): Signal[] {
    const settings = this.#settings();
    if (settings.exempt.includes(purpose)) return [];
    const day = Math.floor(at / DAY_MS);
    this.#beginDay(day);
    const one = remembered(this.#watched, who, () => watched(agency));
    const inBurst = addToRecent(one, at, persons);
    const night = nightOf(settings.night, local);
    if (night !== undefined) addToNight(one, night, at, persons);
    const today = addToDay(one, day, persons);
    const usual = this.#usualOf(one.agency, day);

    const told = (signal: SignalName): number => one.told.get(signal) ?? Number.NEGATIVE_INFINITY;
    const signals: Signal[] = [];
    const tell = (signal: SignalName, count: number, mark: number): void => {
      one.told.set(signal, mark);
      signals.push({ signal, who, count });
    };
    if (inBurst > settings.burst && at - told('burst') >= BURST_MS) tell('burst', inBurst, at);
    const { since, persons: atNight } = one.night;
    if (night !== undefined && atNight > settings.atNight && told('at-night') !== since)
      tell('at-night', atNight, since);
    if (
      usual !== undefined &&
      today > settings.burst &&
      today > settings.aboveUsual * usual &&
      told('above-usual') !== day
    )
      tell('above-usual', today, day);
    return signals;
  }

  /** Once a day: forgets who has not asked for long, and the usual of the day before. */
  #beginDay(day: number): void {
    if (day <= this.#today) return;
    this.#today = day;
    this.#usual.clear();
    for (const [who, { days }] of this.#watched)
      if ((days.at(-1)?.day ?? 0) < day - USUAL_DAYS) this.#watched.delete(who);
  }

  /** The median of what an agency's professionals asked on days before this one; undefined before there are enough. */
  #usualOf(agency: string, today: number): number | undefined {
    if (this.#usual.has(agency)) return this.#usual.get(agency);
    const counts = [...this.#watched.values()]
      .filter((one) => one.agency === agency)
      .flatMap(({ days }) => days.filter(({ day }) => day < today).map(({ persons }) => persons))
      .sort((a, b) => a - b);
    const usual = counts.length < USUAL_NEEDS ? undefined : counts[Math.floor(counts.length / 2)];
    this.#usual.set(agency, usual);
    return usual;
  }
}

const watched = (agency: string): Watched => ({
  agency,
  recent: [],
  night: { weekday: -1, since: 0, persons: 0 },
  days: [],
  told: new Map(),
});

/** Gives the persons of the last ten minutes. */
function addToRecent(one: Watched, at: number, persons: number): number {
  const step = Math.floor(at / STEP_MS);
  const last = one.recent.at(-1);
  if (last?.step === step) last.persons += persons;
  else
    one.recent = [...one.recent.filter((past) => past.step > step - BURST_MS / STEP_MS), { step, persons }];
  return one.recent.reduce((sum, past) => sum + past.persons, 0);
}

function addToNight(one: Watched, weekday: number, at: number, persons: number): void {
  if (one.night.weekday !== weekday || at - one.night.since >= DAY_MS)
    one.night = { weekday, since: at, persons: 0 };
  one.night.persons += persons;
}

function addToDay(one: Watched, day: number, persons: number): number {
  one.days = one.days.filter((past) => past.day >= day - USUAL_DAYS);
  const last = one.days.at(-1);
  if (last?.day !== day) {
    one.days.push({ day, persons });
    return persons;
  }
  last.persons += persons;
  return last.persons;
}

/** The day of the week on which the night began that it is now; undefined by day. */
function nightOf({ from, until }: SignalSettings['night'], { weekday, time }: LocalTime): number | undefined {
  const hour = Number(time.slice(0, 2));
  if (from <= until) return hour >= from && hour < until ? weekday : undefined;
  if (hour >= from) return weekday;
  return hour < until ? (weekday + 6) % 7 : undefined;
}
