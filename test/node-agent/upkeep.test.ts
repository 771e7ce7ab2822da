import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { HitError } from '@hitmachine/protocol';
import { Upkeep } from '../../node-agent/src/domain/running/upkeep.ts';
import type { StateStore } from '../../node-agent/src/ports/state-store.ts';
import { keepingLog } from './support/node.ts';

/** Upkeep with works that the test writes; time is the test's. */
function upkeepOf(
  works: Partial<Record<'roster' | 'epoch' | 'canary' | 'log', () => Promise<unknown>>>,
  canaryIsAwaited?: () => boolean,
) {
  const done: string[] = [];
  const log = keepingLog();
  let version = 1;
  let broken = false;
  const state = {
    async version() {
      if (broken) throw new Error('disk I/O error');
      return String(version);
    },
  } as StateStore;
  const work = (name: 'roster' | 'epoch' | 'canary' | 'log') => async () => {
    done.push(name);
    return works[name]?.();
  };
  const upkeep = new Upkeep(
    {
      log,
      state,
      canaryIntervalMs: 60_000,
      refreshRoster: async () => void (await work('roster')()),
      rereadState: async () => void done.push('pins'),
      refreshEpoch: async () => (await work('epoch')()) === true,
      canary: async () => void (await work('canary')()),
      canaryIsAwaited,
      watchLog: async () => void (await work('log')()),
      // Silent: what they do is tested beside their own parts.
      beginAskedAbout: async () => undefined,
      removeOldContent: async () => undefined,
      watchPolicy: () => undefined,
      epochIsDue: async () => false,
    },
    String(version),
  );
  return { upkeep, done, log, write: () => version++, breakDatabase: (is: boolean) => (broken = is) };
}

describe('what an agent does by itself', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('starts with roster, tables, canary and log, in this order, and then keeps quiet', async () => {
    vi.useFakeTimers();
    const { upkeep, done } = upkeepOf({});
    upkeep.start();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(done).toEqual(['roster', 'epoch', 'canary', 'log']);
    await vi.advanceTimersByTimeAsync(56_000);
    expect(done.slice(4).sort()).toEqual(['canary', 'epoch', 'log', 'roster']);
    upkeep.stop();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(done).toHaveLength(8);
  });

  it('asks for the canary at once when there are new tables', async () => {
    vi.useFakeTimers();
    const { upkeep, done, write } = upkeepOf({ epoch: async () => true });
    upkeep.start();
    await vi.advanceTimersByTimeAsync(500);
    done.length = 0;
    write();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(done).toEqual(['pins', 'epoch', 'canary']);
    upkeep.stop();
  });

  it('asks for a canary again when the roster, which came while the tables were taken up, has their register', async () => {
    vi.useFakeTimers();
    let [hasTables, rosterHasThem, wasProved] = [false, false, false];
    const { upkeep, done, write } = upkeepOf(
      {
        epoch: async () => {
          if (hasTables) return false;
          // The roster's news overtakes the tables that it is about.
          upkeep.rosterChanged();
          return (hasTables = true);
        },
        roster: async () => void (rosterHasThem = hasTables),
        canary: async () => void (wasProved = rosterHasThem),
      },
      () => hasTables && !wasProved,
    );
    upkeep.start();
    await vi.advanceTimersByTimeAsync(500);
    expect(done.filter((name) => name !== 'log')).toEqual([
      ...['roster', 'epoch', 'canary'],
      ...['roster', 'epoch', 'canary'],
    ]);
    expect(wasProved).toBe(true);
    done.length = 0;
    write();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(done).toEqual(['pins', 'epoch']);
    upkeep.stop();
  });

  it('tries what failed again, after longer and longer, and the rest meanwhile', async () => {
    vi.useFakeTimers();
    let failing = true;
    const { upkeep, done, log } = upkeepOf({
      roster: async () => {
        if (failing) throw new HitError('gateway-unreachable');
      },
    });
    upkeep.start();
    await vi.advanceTimersByTimeAsync(59_000);
    const attempts = done.filter((name) => name === 'roster').length;
    expect(attempts).toBeGreaterThan(3);
    expect(attempts).toBeLessThan(9);
    expect(done).toContain('canary');
    // Said once; the rest is for those who want to see everything.
    const told = () => log.lines.filter(({ level }) => level !== 'debug');
    expect(told()).toEqual([expect.objectContaining({ level: 'warn', event: 'upkeep-failed' })]);
    expect(log.lines.every(({ event }) => event === 'upkeep-failed')).toBe(true);
    failing = false;
    await vi.advanceTimersByTimeAsync(70_000);
    expect(told().slice(1)).toEqual([expect.objectContaining({ event: 'upkeep-recovered', work: 'roster' })]);
    done.length = 0;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(done.length).toBeLessThan(5);
    upkeep.stop();
  });

  it('tells of another failure of the same work, but not of the same with another number', async () => {
    vi.useFakeTimers();
    let [reason, seconds] = ['the clock is off by', 181];
    const { upkeep, log } = upkeepOf({
      roster: async () => {
        throw new HitError('gateway-unreachable', `${reason} ${seconds++} seconds`);
      },
    });
    upkeep.start();
    await vi.advanceTimersByTimeAsync(30_000);
    reason = 'nothing listens there, seen for';
    await vi.advanceTimersByTimeAsync(120_000);
    upkeep.stop();
    const told = log.lines.filter(({ level }) => level !== 'debug');
    expect(told.map(({ reason: text }) => String(text).replace(/\d+.*/, ''))).toEqual([
      'gateway-unreachable: the clock is off by ',
      'gateway-unreachable: nothing listens there, seen for ',
    ]);
  });

  it('outlives a database that cannot be read for a while', async () => {
    vi.useFakeTimers();
    const { upkeep, done, log, write, breakDatabase } = upkeepOf({});
    upkeep.start();
    await vi.advanceTimersByTimeAsync(500);
    breakDatabase(true);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(log.lines).toContainEqual(expect.objectContaining({ level: 'error', reason: 'disk I/O error' }));
    breakDatabase(false);
    done.length = 0;
    write();
    await vi.advanceTimersByTimeAsync(1_500);
    expect(done).toEqual(['pins', 'epoch']);
    upkeep.stop();
  });

  it('does one round at a time, and one more when something came in between', async () => {
    let running = 0;
    let most = 0;
    const slow = async (): Promise<void> => {
      most = Math.max(most, ++running);
      await delay(20);
      running--;
    };
    const { upkeep, done } = upkeepOf({ roster: slow, epoch: slow, canary: slow });
    upkeep.start();
    await delay(10);
    for (let i = 0; i < 5; i++) {
      upkeep.rosterChanged();
      upkeep.connected(true);
    }
    await upkeep.settled();
    upkeep.stop();
    expect(most).toBe(1);
    const round = ['roster', 'epoch', 'canary', 'log'];
    expect(done).toEqual([...round, ...round].slice(0, done.length));
    expect(done.length).toBeGreaterThanOrEqual(5);
  });

  it('can be stopped in the middle, and says nothing of what that breaks off', async () => {
    const { upkeep, done, log } = upkeepOf({
      roster: async () => {
        await delay(30);
        throw new Error('broken off');
      },
    });
    upkeep.start();
    await delay(5);
    upkeep.stop();
    await upkeep.settled();
    expect(done).toEqual(['roster']);
    expect(log.lines).toEqual([]);
  });
});
