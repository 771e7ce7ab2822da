import type { SignalSettings } from './signal-settings.ts';
import type { Signal } from './signals.ts';
import { remembered } from './signals.ts';

/** Numbers closer to each other than this are neighbours: of every eleven about one is valid. */
const CLOSE = 100;
/** Persons known nowhere for whom one hit makes up: by chance, some of those who are tried at random are known. */
const HIT_MAKES_UP_FOR = 5;

interface Watched {
  /** Persons known nowhere, less those for whom hits made up. */
  without: number;
  /** Numbers asked about of late, each once, newest last. */
  numbers: number[];
}

/**
 * What only the asking agent can see of its own professionals: hits, and the numbers themselves. In memory alone. Both
 * begin anew once told. Lookups for an exempt purpose count for nothing.
 */
export class OutcomeWatch {
  readonly #settings: () => SignalSettings;
  readonly #watched = new Map<string, Watched>();

  constructor(settings: () => SignalSettings) {
    this.#settings = settings;
  }

  /** Whom it remembers. */
  get size(): number {
    return this.#watched.size;
  }

  /**
   * Citizen service numbers in the order in which they were asked about; undefined for a person without one. Looks at
   * the last few, four times as many as make a row, so that neither another order nor other numbers in between hide it.
   */
  numbers(who: string, purpose: string, numbers: readonly (string | undefined)[]): Signal[] {
    const { consecutiveNumbers, exempt } = this.#settings();
    if (exempt.includes(purpose)) return [];
    const one = this.#of(who);
    let longest = 0;
    for (const number of numbers) {
      if (number === undefined) continue;
      const value = Number(number);
      one.numbers = [...one.numbers.filter((other) => other !== value), value].slice(-4 * consecutiveNumbers);
      longest = Math.max(longest, rowAround(one.numbers, value));
    }
    if (longest < consecutiveNumbers) return [];
    one.numbers = [];
    return [{ signal: 'consecutive-numbers', who, count: longest }];
  }

  /** For each person of a lookup: known somewhere, known nowhere, or undefined when not every register answered. */
  outcomes(who: string, purpose: string, known: readonly (boolean | undefined)[]): Signal[] {
    const { withoutHits, exempt } = this.#settings();
    if (exempt.includes(purpose)) return [];
    const one = this.#of(who);
    let most = 0;
    for (const hit of known) {
      if (hit === undefined) continue;
      one.without = hit ? Math.max(0, one.without - HIT_MAKES_UP_FOR) : one.without + 1;
      most = Math.max(most, one.without);
    }
    if (most < withoutHits) return [];
    one.without = 0;
    return [{ signal: 'without-hits', who, count: most }];
  }

  #of(who: string): Watched {
    return remembered(this.#watched, who, () => ({ without: 0, numbers: [] }));
  }
}

/** How many of the numbers make a row with this one in it: sorted, each is close to the next. */
function rowAround(numbers: readonly number[], value: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = sorted.indexOf(value);
  const isClose = (i: number): boolean => (sorted[i + 1] ?? Infinity) - (sorted[i] ?? -Infinity) < CLOSE;
  let [first, last] = [at, at];
  while (first > 0 && isClose(first - 1)) first--;
  while (last < sorted.length - 1 && isClose(last)) last++;
  return last - first + 1;
}
