import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SeenLookup, Signal } from '@hitmachine/protocol';
import { LookupWatch, MAX_WATCHED, OutcomeWatch, signalsSchema } from '@hitmachine/protocol';
import { dutchTime } from '../../protocol/src/index.ts';

const settings = (json: object = {}) => {
  const parsed = signalsSchema.parse({
    burst: 20,
    atNight: 5,
    withoutHits: 10,
    consecutiveNumbers: 4,
    ...json,
  });
  return () => parsed;
};
const MINUTE = 60_000;
const DAY = 86_400_000;
/** A Tuesday morning in winter. */
const T0 = Date.parse('2026-01-13T09:00:00Z');
const NIGHT = Date.parse('2026-01-13T22:30:00Z');

const seen = (at: number, persons: number, change: Partial<SeenLookup> = {}): SeenLookup => ({
  who: 'j.jansen',
  purpose: 'overleg',
  persons,
  at,
  local: dutchTime(at),
  ...change,
});
const names = (signals: readonly Signal[]): string[] => signals.map(({ signal }) => signal);

describe('a burst', () => {
  it('is told when more persons than allowed are asked about in ten minutes, and then once', () => {
    const watch = new LookupWatch(settings());
    expect(watch.add(seen(T0, 20))).toEqual([]);
    expect(watch.add(seen(T0 + MINUTE, 1))).toEqual([{ signal: 'burst', who: 'j.jansen', count: 21 }]);
    expect(watch.add(seen(T0 + 2 * MINUTE, 5))).toEqual([]);
    expect(watch.add(seen(T0 + 9 * MINUTE, 5))).toEqual([]);
    // It goes on: told again after ten minutes.
    expect(names(watch.add(seen(T0 + 11 * MINUTE, 15)))).toEqual(['burst']);
  });

  it('is none when the same persons are spread over time, or over professionals', () => {
    const watch = new LookupWatch(settings());
    for (let i = 0; i < 10; i++) expect(watch.add(seen(T0 + i * 5 * MINUTE, 10))).toEqual([]);
    const other = new LookupWatch(settings());
    for (let i = 0; i < 10; i++) expect(other.add(seen(T0, 20, { who: `p${i}` }))).toEqual([]);
  });
});

describe('asking at night', () => {
  it('is told once a night, over midnight, and again the next night', () => {
    const watch = new LookupWatch(settings());
    expect(watch.add(seen(NIGHT, 4))).toEqual([]);
    expect(watch.add(seen(NIGHT + 2 * 3_600_000, 2))).toEqual([
      { signal: 'at-night', who: 'j.jansen', count: 6 },
    ]);
    expect(watch.add(seen(NIGHT + 4 * 3_600_000, 2))).toEqual([]);
    expect(watch.add(seen(NIGHT + DAY, 5))).toEqual([]);
    expect(names(watch.add(seen(NIGHT + DAY + MINUTE, 1)))).toEqual(['at-night']);
    // The same night of the week after counts for itself.
    expect(watch.add(seen(NIGHT + 8 * DAY, 5))).toEqual([]);
  });

  it('does not count the day: 06:00 is no night, 23:00 is, Dutch time', () => {
    const watch = new LookupWatch(settings());
    expect(watch.add(seen(Date.parse('2026-01-13T05:00:00Z'), 6))).toEqual([]);
    expect(watch.add(seen(Date.parse('2026-01-13T21:59:00Z'), 6, { who: 'b' }))).toEqual([]);
    expect(names(watch.add(seen(Date.parse('2026-01-13T22:00:00Z'), 6, { who: 'c' })))).toEqual(['at-night']);
    const early = new LookupWatch(settings({ night: { from: 0, until: 6 } }));
    expect(names(early.add(seen(Date.parse('2026-01-13T04:59:00Z'), 6)))).toEqual(['at-night']);
    expect(early.add(seen(Date.parse('2026-01-13T22:30:00Z'), 6, { who: 'd' }))).toEqual([]);
  });

  it('holds for a night of fifteen hours as for a short one', () => {
    const watch = new LookupWatch(settings({ night: { from: 18, until: 9 } }));
    expect(watch.add(seen(Date.parse('2026-01-13T17:30:00Z'), 4))).toEqual([]);
    expect(names(watch.add(seen(Date.parse('2026-01-14T07:30:00Z'), 2)))).toEqual(['at-night']);
  });
});

describe('more than usual', () => {
  const usual = (watch: LookupWatch, agency: string, persons: number): void => {
    for (let day = 0; day < 6; day++)
      for (const who of ['a', 'b'])
        watch.add(seen(T0 + day * DAY, persons, { who: `${agency} ${who}`, agency }));
  };
  const spread = (watch: LookupWatch, who: string, agency: string, persons: number): Signal[] => {
    const signals: Signal[] = [];
    for (let i = 0; i < persons; i++)
      signals.push(...watch.add(seen(T0 + 6 * DAY + i * MINUTE, 1, { who, agency })));
    return signals;
  };

  it('is told once a day, for one professional above the agency’s usual', () => {
    const watch = new LookupWatch(settings());
    usual(watch, 'politie', 6);
    expect(spread(watch, 'politie c', 'politie', 80)).toEqual([
      { signal: 'above-usual', who: 'politie c', count: 31 },
    ]);
    expect(watch.add(seen(T0 + 7 * DAY, 10, { who: 'politie c', agency: 'politie' }))).toEqual([]);
  });

  it('compares with the own agency, not with another', () => {
    const watch = new LookupWatch(settings());
    usual(watch, 'politie', 18);
    usual(watch, 'ggz', 2);
    expect(spread(watch, 'politie c', 'politie', 60)).toEqual([]);
    expect(names(spread(watch, 'ggz c', 'ggz', 60))).toEqual(['above-usual']);
  });

  it('is not told before there is a usual, nor from the day itself', () => {
    expect(spread(new LookupWatch(settings()), 'a', '', 60)).toEqual([]);
  });
});

describe('exempt purposes', () => {
  it('count for nothing: not for themselves, and not for what comes after', () => {
    const watch = new LookupWatch(settings({ exempt: ['proef'] }));
    for (let i = 0; i < 50; i++) expect(watch.add(seen(NIGHT, 32, { purpose: 'proef' }))).toEqual([]);
    expect(watch.add(seen(NIGHT, 1))).toEqual([]);
    const outcomes = new OutcomeWatch(settings({ exempt: ['proef'] }));
    const row = Array.from({ length: 30 }, (_, i) => String(100_000_000 + 11 * i));
    expect(outcomes.numbers('a', 'proef', row)).toEqual([]);
    expect(
      outcomes.outcomes(
        'a',
        'proef',
        row.map(() => false),
      ),
    ).toEqual([]);
    expect(outcomes.numbers('a', 'overleg', ['100000500'])).toEqual([]);
    expect(outcomes.outcomes('a', 'overleg', [false])).toEqual([]);
  });

  it('follow a policy that changes', () => {
    let now = settings()();
    const watch = new LookupWatch(() => now);
    expect(watch.add(seen(T0, 15))).toEqual([]);
    now = settings({ burst: 10 })();
    expect(names(watch.add(seen(T0 + MINUTE, 1)))).toEqual(['burst']);
  });
});

describe('numbers that lie close to each other', () => {
  const number = (i: number): string => String(123_456_780 + 11 * i);
  const told = (numbers: readonly (string | undefined)[]): Signal[] => {
    const watch = new OutcomeWatch(settings());
    return numbers.flatMap((one) => watch.numbers('a', 'overleg', [one]));
  };

  it.each<readonly [string, readonly (string | undefined)[]]>([
    ['upwards', [0, 1, 2, 3].map(number)],
    ['downwards', [3, 2, 1, 0].map(number)],
    ['in any order', [2, 0, 3, 1].map(number)],
    [
      'with others in between',
      [number(0), '900000001', number(1), undefined, '555000001', number(2), number(3)],
    ],
    [
      'two rows by turns',
      [number(0), '900000001', number(1), '900000012', number(2), '900000023', number(3)],
    ],
  ])('are a row %s', (_, numbers) => {
    expect(told(numbers)).toEqual([{ signal: 'consecutive-numbers', who: 'a', count: 4 }]);
  });

  it('are none when they are far apart, of one person again and again, or of two professionals', () => {
    expect(told(['100000000', '100000100', '100000200', '100000300', '100000400'])).toEqual([]);
    expect(told(Array.from({ length: 20 }, () => number(1)))).toEqual([]);
    const watch = new OutcomeWatch(settings());
    expect(watch.numbers('a', 'overleg', [0, 1, 2].map(number))).toEqual([]);
    expect(watch.numbers('b', 'overleg', [3, 4, 5].map(number))).toEqual([]);
  });

  it('are told once, and again for the next row', () => {
    const watch = new OutcomeWatch(settings());
    const one = (i: number): Signal[] => watch.numbers('a', 'overleg', [number(i)]);
    expect([0, 1, 2, 3, 4, 5, 6, 7].map((i) => one(i).length)).toEqual([0, 0, 0, 1, 0, 0, 0, 1]);
  });

  it('of strangers are hardly ever a row', () => {
    const stranger = fc.integer({ min: 10_000_000, max: 999_999_999 }).map(String);
    fc.assert(
      fc.property(fc.array(stranger, { maxLength: 200 }), (numbers) => {
        const watch = new OutcomeWatch(settings({ consecutiveNumbers: 5 }));
        const apart = [...numbers]
          .sort()
          .every((value, i, all) => Number(value) - Number(all[i - 1] ?? -1e9) >= 100);
        if (apart) expect(numbers.flatMap((one) => watch.numbers('a', 'x', [one]))).toEqual([]);
      }),
    );
  });
});

describe('persons without hits', () => {
  const none = (count: number): boolean[] => Array.from({ length: count }, () => false);
  const outcomes = (watch: OutcomeWatch, known: readonly (boolean | undefined)[]): Signal[] =>
    watch.outcomes('a', 'overleg', known);

  it('are told at the limit, once, and begin anew', () => {
    const watch = new OutcomeWatch(settings());
    expect(outcomes(watch, none(9))).toEqual([]);
    expect(outcomes(watch, none(1))).toEqual([{ signal: 'without-hits', who: 'a', count: 10 }]);
    expect(outcomes(watch, none(9))).toEqual([]);
  });

  it('are made up for by hits; no answer is neither', () => {
    const watch = new OutcomeWatch(settings());
    expect(outcomes(watch, [...none(9), true, ...none(5)])).toEqual([]);
    expect(outcomes(watch, [undefined, undefined])).toEqual([]);
    expect(names(outcomes(watch, none(1)))).toEqual(['without-hits']);
  });

  it('are seen through a hit now and then, as one finds by trying at random', () => {
    const watch = new OutcomeWatch(settings());
    const tries = Array.from({ length: 40 }, (_, i) => i % 9 === 8);
    expect(names(tries.flatMap((known) => outcomes(watch, [known])))).toContain('without-hits');
  });

  it('are none where every second household is known, as in the work that this is for', () => {
    const watch = new OutcomeWatch(settings({ withoutHits: 40 }));
    for (let i = 0; i < 1_000; i++) expect(outcomes(watch, [i % 2 === 0])).toEqual([]);
  });
});

describe('what a watch remembers', () => {
  it('is bounded, and the least recent goes first', () => {
    const watch = new LookupWatch(settings());
    const outcomes = new OutcomeWatch(settings());
    watch.add(seen(T0, 20));
    for (let i = 0; i < MAX_WATCHED + 100; i++) {
      watch.add(seen(T0, 1, { who: `p${i}` }));
      outcomes.outcomes(`p${i}`, 'overleg', [false]);
    }
    expect(watch.size).toBe(MAX_WATCHED);
    expect(outcomes.size).toBe(MAX_WATCHED);
    // Forgotten, so that this is the first that is seen of them.
    expect(watch.add(seen(T0, 1))).toEqual([]);
    expect(names(watch.add(seen(T0, 20, { who: `p${MAX_WATCHED}` })))).toEqual(['burst']);
  });

  it('goes after four weeks without a question', () => {
    const watch = new LookupWatch(settings());
    for (let i = 0; i < 100; i++) watch.add(seen(T0, 1, { who: `p${i}` }));
    watch.add(seen(T0 + 28 * DAY, 1));
    expect(watch.size).toBe(101);
    watch.add(seen(T0 + 29 * DAY, 1));
    expect(watch.size).toBe(1);
  });
});
