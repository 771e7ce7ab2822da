import { HitError } from '../errors.ts';
import type { SignalSettings } from './signal-settings.ts';

interface Slowed {
  readonly until: number;
  lastAt: number;
}

/**
 * Who stood out has to wait between two lookups, for a while. In memory alone: whoever starts anew has forgotten it.
 * Times in milliseconds since 1970.
 */
export class Pace {
  readonly #settings: () => SignalSettings;
  readonly #slowed = new Map<string, Slowed>();

  constructor(settings: () => SignalSettings) {
    this.#settings = settings;
  }

  /** Throws `quota-exceeded` with the rule `slowed-down` for who has to wait before the next lookup. */
  require(who: string, now: number): void {
    const slowed = this.#slowed.get(who);
    if (slowed === undefined) return;
    const { slowDownSeconds } = this.#settings();
    const due = Math.min(slowed.lastAt + slowDownSeconds * 1_000, slowed.until);
    if (now >= due) return;
    throw new HitError(
      'quota-exceeded',
      `this professional's lookups stood out: for a while there have to be ${slowDownSeconds} seconds between two of them`,
      { retryAfter: Math.max(1, Math.ceil((due - now) / 1_000)), rule: 'slowed-down' },
    );
  }

  /** Takes a lookup that is let through: the next one has to wait for it. */
  seen(who: string, now: number): void {
    const slowed = this.#slowed.get(who);
    if (slowed !== undefined) slowed.lastAt = now;
  }

  /** From now on, for as long as the policy says. */
  slow(who: string, now: number): void {
    const { slowDownSeconds, slowDownMinutes } = this.#settings();
    if (slowDownSeconds > 0) this.#slowed.set(who, { until: now + slowDownMinutes * 60_000, lastAt: now });
    for (const [name, { until }] of this.#slowed) if (until <= now) this.#slowed.delete(name);
  }
}
