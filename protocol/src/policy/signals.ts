import type { LocalTime } from './node-policy.ts';

/** What a sequence of lookups may look like, when it does not look like work on a case. */
export const SIGNALS = ['burst', 'at-night', 'above-usual', 'without-hits', 'consecutive-numbers'] as const;
export type SignalName = (typeof SIGNALS)[number];

/** Something that stood out: about whom, and how many persons it took. Names nobody who was asked about. */
export interface Signal {
  readonly signal: SignalName;
  /** The professional, or the agency where a professional is not known, as who watches knows it. */
  readonly who: string;
  readonly count: number;
}

/** A lookup as everybody sees it who takes part in it. */
export interface SeenLookup {
  readonly who: string;
  /** Whose usual `who` is compared with: the agency of the professional, where a watch sees several. */
  readonly agency?: string;
  readonly purpose: string;
  readonly persons: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly local: LocalTime;
}

/** The most that a watch remembers; who was seen least recently is forgotten first. */
export const MAX_WATCHED = 20_000;

/** What is kept of `who`, made when there is nothing yet; afterwards he or she is the most recent. */
export function remembered<T>(all: Map<string, T>, who: string, fresh: () => T): T {
  const one = all.get(who) ?? fresh();
  all.delete(who);
  all.set(who, one);
  const oldest = all.size > MAX_WATCHED ? all.keys().next().value : undefined;
  if (oldest !== undefined) all.delete(oldest);
  return one;
}
