import type { LogEntry } from '@hitmachine/protocol';
import { describe, expect, it } from 'vitest';
import { answer, lookup, lookupId } from '../contract/support/log-entries.ts';
import type { Told } from '../support/city-agency.ts';
import { personsAsked, personsBeyond, unlogged } from '../support/log-check.ts';
import { POSTGRES_MISSING } from '../support/postgres.ts';
import { REDIS_MISSING } from '../support/redis.ts';
import { FAULTS } from './faults.ts';
import type { Seen } from './run.ts';
import { holds, withCity } from './run.ts';
import { tableOf } from './table.ts';

const missing = POSTGRES_MISSING ?? REDIS_MISSING;
const why = missing === undefined ? '' : ` (left out: ${missing})`;
const UNTOUCHED = { answers: 4, missing: 0, p95Before: 50, p95During: 60 };
const seenWell: Seen = {
  ...{ fault: 'x', answers: 5, wrong: 0, unlogged: 0, overruns: 0, recovery: 1 },
  untouched: UNTOUCHED,
  reasons: new Map([['timeout', 2]]),
};

/** What `npm run test:faults` does, with one fault of it. */
describe.skipIf(missing !== undefined)(`a gateway of several replicas when things go wrong${why}`, () => {
  it('answers truly, logs every answer and recovers by itself when a replica is killed', async () => {
    const seen: Seen[] = [];
    const killed = FAULTS.filter(({ name }) => name.startsWith('a replica is killed'));
    await withCity(killed, { net: undefined, disk: undefined }, (one) => seen.push(one));
    expect(seen).toHaveLength(1);
    expect(seen.filter((one) => !holds(one))).toEqual([]);
  }, 180_000);
});

describe('the table of faults', () => {
  it('fails for a wrong answer, one that is not logged, a quota that was passed, silence, no recovery, and what had nothing to do with it', () => {
    expect(holds(seenWell)).toBe(true);
    expect(holds({ ...seenWell, untouched: 'everything is stopped' })).toBe(true);
    const bad: Partial<Seen>[] = [
      ...[{ wrong: 1 }, { unlogged: 1 }, { overruns: 1 }],
      ...[{ missing: 1 }, { answers: 0 }, { p95During: 5_000 }, { p95During: Number.NaN }].map((change) => ({
        untouched: { ...UNTOUCHED, ...change },
      })),
      ...[{ recovery: undefined }, { answers: 0 }, { failure: 'it did not start' }],
    ];
    for (const change of bad) expect(holds({ ...seenWell, ...change })).toBe(false);
    expect(tableOf([seenWell, { ...seenWell, wrong: 1 }])).toMatch(/x +holds[^]*x +FAILS/);
  });

  it('misses no answer that is not in the log, and no person beyond a quota', () => {
    const told = {
      lookupId: lookupId(1),
      asker: 'wijkteam',
      node: 'ggz',
      reason: undefined,
      tookMs: 9,
    } as const;
    const held: Told[] = [
      { ...told, status: 'known', isTrue: true },
      { ...told, status: 'no-answer', isTrue: undefined },
    ];
    const entries = [lookup(1, { persons: 3 }), answer(1, 'ggz', 5)].map((event) => ({
      at: 90_000,
      ...event,
    }));
    expect(unlogged(entries, held)).toEqual([]);
    for (const without of [0, 1])
      expect(
        unlogged(
          entries.filter((_, i) => i !== without),
          held,
        ),
      ).toHaveLength(1);
    expect([...personsAsked(entries, 'wijkteam', 60_000)]).toEqual([[1, 3]]);
    expect(personsBeyond(entries, 'wijkteam', 60_000, 2)).toBe(1);
    expect(personsBeyond(entries, 'wijkteam', 60_000, 3)).toBe(0);
  });

  it('knows that the time of the log stood still while a clock was ahead, and what that may hide', () => {
    const at = (...times: readonly number[]): LogEntry[] =>
      times.map((time, i) => ({ at: time, ...lookup(i, { persons: 1 }) }));
    const beyond = (...times: readonly number[]): number =>
      personsBeyond(at(...times), 'wijkteam', 60_000, 2);
    // One of the next minute by the log was let through in this one.
    expect(beyond(50_000, 61_000, 61_000, 62_000)).toBe(0);
    // This minute was full: there is one too many in both.
    expect(beyond(40_000, 50_000, 61_000, 61_000, 62_000)).toBe(1);
    // Where it did not stand still each minute counts by itself.
    expect(beyond(61_000, 62_000, 63_000)).toBe(1);
  });
});
