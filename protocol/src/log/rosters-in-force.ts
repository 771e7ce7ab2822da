import type { Register } from '../wire/agency.ts';
import type { Roster } from '../wire/roster.ts';

/** A version of the roster; `roster` is undefined where its document is missing or wrong. */
export interface RosterInForce {
  readonly version: number;
  readonly roster: Roster | undefined;
}

interface Entered extends RosterInForce {
  /** Milliseconds since 1970. */
  until: number;
}

/**
 * The roster in force, and those that were until a moment ago: a gateway checks a request by the roster of that moment,
 * and a newer one may come into the log before the request does.
 */
export class RostersInForce {
  readonly #graceMs: number;
  #entered: Entered[] = [];

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  /** Takes the roster that comes into force at a moment. */
  enter(one: RosterInForce, at: number): void {
    const last = this.#entered.at(-1);
    if (last !== undefined) last.until = at + this.#graceMs;
    this.#entered.push({ ...one, until: Number.POSITIVE_INFINITY });
  }

  /** Those that a request may go by that is logged at a moment, the newest first. */
  at(moment: number): readonly RosterInForce[] {
    if (this.#entered.some(({ until }) => until < moment))
      this.#entered = this.#entered.filter(({ until }) => until >= moment);
    return this.#entered.toReversed();
  }

  /** The registers of an agency by each of them; undefined where one of them cannot be read. */
  registersOf(agency: string, moment: number): readonly (readonly Register[])[] | undefined {
    const found: (readonly Register[])[] = [];
    for (const { roster } of this.at(moment)) {
      if (roster === undefined) return undefined;
      found.push(roster.agencies.find(({ id }) => id === agency)?.registers ?? []);
    }
    return found;
  }
}
