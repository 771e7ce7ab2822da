import { describe, expect, it } from 'vitest';
import { MemoryDirectory } from '../../gateway/src/adapters/memory/directory.ts';
import { QuotientLog } from '../../gateway/src/domain/quotient-log.ts';
import { logTo, random } from './support/fixtures.ts';

describe('what the gateway notes of quotients', () => {
  const opened = (directory = new MemoryDirectory()) => {
    const lines: Record<string, unknown>[] = [];
    const clock = { time: 1_000_000 };
    const runtime = { now: () => clock.time, random };
    return { directory, lines, clock, given: new QuotientLog({ directory, runtime, log: logTo(lines) }) };
  };

  it('is each one in the directory, and one line a minute and agency', async () => {
    const { directory, lines, clock, given } = opened();
    for (let i = 0; i < 50; i++) {
      await given.note('politie', 'second');
      clock.time += 1_000;
    }
    await given.note('ggz', 'second');
    clock.time += 60_000;
    await given.note('politie', 'second');
    expect(lines.map(({ event, agency, times }) => [event, agency, times])).toEqual([
      ['quotient-given', 'politie', 1],
      ['quotient-given', 'ggz', 1],
      ['quotient-given', 'politie', 51],
    ]);
    expect(await directory.quotientsGiven('second')).toMatchObject([
      { agency: 'ggz', times: 1 },
      { agency: 'politie', times: 51, firstAt: 1_000_000, lastAt: clock.time },
    ]);
  });

  it('has to be stored before it goes out', async () => {
    class Full extends MemoryDirectory {
      override noteQuotient(): Promise<number> {
        return Promise.reject(new Error('disk full'));
      }
    }
    const { lines, given } = opened(new Full());
    await expect(given.note('politie', 'second')).rejects.toThrow('disk full');
    expect(lines).toEqual([]);
  });
});
