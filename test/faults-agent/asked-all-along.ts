import { setTimeout as delay } from 'node:timers/promises';
import type { LookupResult } from '../harness/agency.ts';
import { require } from './require.ts';

/** A lookup without an answer of all registers: why, and from when to when it was under way. */
interface Unanswered {
  readonly why: string;
  readonly from: number;
  readonly to: number;
}

/** While new tables show their canaries: what a node says that has just taken them up, after each import too. */
const STARTING = /^no-answer \(starting\)$/;

/**
 * Puts the same question over and over, several at a time and without a pause, and holds every answer against what is
 * true. Lookups that meet a time in which the gateway is away may have no answer; the others must, or say `starting`.
 */
export class AskedAllAlong {
  readonly #put: () => Promise<LookupResult>;
  /** `truth`: the registers that know each person of the question. */
  readonly #truth: readonly (readonly string[])[];
  readonly #wrong: string[] = [];
  readonly #unanswered: Unanswered[] = [];
  readonly #away: { readonly from: number; to: number }[] = [];
  /** Lookups that were answered by every register. */
  readonly answered: string[] = [];
  #going = true;
  readonly #askers: Promise<void>[];

  constructor(put: () => Promise<LookupResult>, truth: readonly (readonly string[])[], atOnce = 2) {
    this.#put = put;
    this.#truth = truth;
    this.#askers = Array.from({ length: atOnce }, () => this.#ask());
  }

  async #ask(): Promise<void> {
    while (this.#going) {
      const from = performance.now();
      const why = await this.#once().catch(
        (error: Error) => /"code":"([a-z-]+)"/.exec(error.message)?.[1] ?? error.message,
      );
      if (why === undefined) continue;
      this.#unanswered.push({ why, from, to: performance.now() });
      // Whoever is refused at once must not ask a thousand times a second.
      await delay(20);
    }
  }

  /** Why a register did not answer, if one did not. */
  async #once(): Promise<string | undefined> {
    const { lookupId, persons } = await this.#put();
    const silent = persons.flatMap(({ registers }, person) =>
      registers.flatMap(({ register, status, reason }) => {
        if (status !== 'known' && status !== 'not-known') return [`${status} (${reason ?? ''})`];
        const isTrue = (status === 'known') === (this.#truth[person] ?? []).includes(register);
        if (!isTrue) this.#wrong.push(`person ${person} at ${register} is ${status}`);
        return [];
      }),
    );
    if (silent.length === 0) this.answered.push(lookupId);
    return silent.find((why) => !STARTING.test(why)) ?? silent[0];
  }

  /** Resolves when so many more lookups have been answered by every register. */
  async untilAnswered(more: number): Promise<void> {
    const [before, deadline] = [this.answered.length, Date.now() + 90_000];
    while (this.answered.length < before + more) {
      require(Date.now() < deadline, `no answer any more: ${this.#unanswered.at(-1)?.why ?? 'none'}`);
      await delay(20);
    }
  }

  /** Runs what takes the gateway away and brings it back; it is away until a lookup has all answers again. */
  async awayWhile(restart: () => Promise<void>): Promise<void> {
    const away = { from: performance.now(), to: Infinity };
    this.#away.push(away);
    await restart();
    await this.untilAnswered(1);
    away.to = performance.now();
  }

  async end(): Promise<void> {
    this.#going = false;
    await Promise.all(this.#askers);
  }

  /** What came of it, in words. Throws when an answer was wrong, or there was none while the gateway was there. */
  outcome(): string {
    const [wrong] = this.#wrong;
    require(wrong === undefined, `${this.#wrong.length} wrong answers, the first: ${wrong ?? ''}`);
    require(this.answered.length > 20, `only ${this.answered.length} lookups were answered`);
    const meets = ({ from, to }: Unanswered): boolean =>
      this.#away.some((away) => from <= away.to && to >= away.from);
    const there = this.#unanswered.filter((one) => !meets(one));
    const lost = there.filter(({ why }) => !STARTING.test(why)).map(({ why }) => why);
    require(lost.length ===
      0, `${lost.length} had no answer while the gateway was there: ${[...new Set(lost)].join(', ')}`);
    const awayMs = this.#away.reduce((sum, { from, to }) => sum + to - from, 0);
    return [
      `${this.answered.length} lookups, none wrong`,
      `${this.#unanswered.length - there.length} without an answer while the gateway was away (${seconds(awayMs)})`,
      `${there.length} while new tables showed their canaries`,
    ].join(', ');
  }
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1_000).toFixed(1)} s`;
