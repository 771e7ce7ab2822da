import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { LaterStands } from '../../node-agent/src/domain/importing/later-stands.ts';

describe('of two works on one thing', () => {
  let works: LaterStands;
  let stored: string[];
  let made: () => void;
  let early: Promise<void>;
  let end: { well: () => void; badly: (error: Error) => void };
  let later: Promise<void>;

  /** The earlier is made while the later is being stored. */
  beforeEach(async () => {
    works = new LaterStands();
    stored = [];
    const making = Promise.withResolvers<void>();
    made = making.resolve;
    early = works.run(
      'K-1',
      () => making.promise,
      async () => void stored.push('early'),
    );
    const storing = Promise.withResolvers<void>();
    end = { well: storing.resolve, badly: storing.reject };
    later = works.now('K-1', async () => {
      await storing.promise;
      stored.push('later');
    });
    made();
    await setImmediate();
    expect(stored).toEqual([]);
  });

  it('the earlier is dropped when the later is stored', async () => {
    end.well();
    await Promise.all([early, later]);
    expect(stored).toEqual(['later']);
  });

  it('the earlier is stored when the later could not be: what was said to be kept is', async () => {
    end.badly(new Error('storage is away'));
    await expect(later).rejects.toThrow('storage is away');
    await early;
    expect(stored).toEqual(['early']);
  });
});
