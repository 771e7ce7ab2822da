import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HitError } from '@hitmachine/protocol';
import { batchDocument } from '../../node-agent/desk/batch-document.ts';
import { batchCsv } from '../../node-agent/desk/batch-report.ts';
import type { BatchReport } from '../../node-agent/desk/batch-summary.ts';
import { readHouseholdFile } from '../../node-agent/src/adapters/sources/household-file.ts';
import type { BatchHousehold, BatchProgress } from '../../node-agent/src/domain/desk/batch.ts';
import { runBatch } from '../../node-agent/src/domain/desk/batch.ts';
import type { BatchPerson, BatchStatus } from '../../node-agent/src/domain/desk/batch-figures.ts';
import {
  NO_COUNTS,
  byNumber,
  combinations,
  withHousehold,
  withoutSmall,
} from '../../node-agent/src/domain/desk/batch-figures.ts';
import { householdsOf } from '../../node-agent/src/domain/desk/batch-input.ts';

const person = (statuses: Readonly<Record<string, BatchStatus>>): BatchPerson =>
  new Map(Object.entries(statuses));
const nowhere = [person({ 'a/x': 'not-known', 'b/y': 'not-known' })];

describe('figures over many households', () => {
  it('counts households and persons by the registers that know them', () => {
    const couple = [
      person({ 'a/x': 'known', 'b/y': 'not-known' }),
      person({ 'a/x': 'not-asked', 'b/y': 'known' }),
    ];
    const counts = [nowhere, couple].reduce(withHousehold, NO_COUNTS);
    expect(byNumber(counts.householdsBySet)).toEqual({
      nowhere: 1,
      unanswered: 0,
      known: [{ registers: 2, times: 1 }],
    });
    expect(byNumber(counts.personsBySet)).toEqual({
      nowhere: 1,
      unanswered: 0,
      known: [{ registers: 1, times: 2 }],
    });
    expect(combinations(counts.householdsBySet).map(({ registers }) => registers)).toEqual([['a/x', 'b/y']]);
    expect(counts.registers['a/x']).toEqual({
      asked: 2,
      known: 1,
      silent: 0,
      householdsAsked: 2,
      householdsKnown: 1,
    });
  });

  it.each(['no-answer', 'refused', 'invalid'] as const)(
    'takes %s for no answer, never for nowhere',
    (status) => {
      const counts = withHousehold(NO_COUNTS, [person({ 'a/x': 'not-known', 'b/y': status })]);
      expect(byNumber(counts.householdsBySet)).toEqual({ nowhere: 0, unanswered: 1, known: [] });
      expect(counts.registers['b/y']?.silent).toBe(1);
    },
  );

  it('takes a register that is not asked for no lack of an answer', () => {
    const counts = withHousehold(NO_COUNTS, [person({ 'a/x': 'not-known', 'b/y': 'not-asked' })]);
    expect(byNumber(counts.householdsBySet).nowhere).toBe(1);
    expect(counts.registers['b/y']?.asked).toBe(0);
  });

  it('leaves out what is too small, and never one number alone', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(30), { maxLength: 8 }),
        fc.integer({ min: 1, max: 10 }),
        (parts, smallest) => {
          const shown = withoutSmall(parts, smallest);
          parts.forEach((value, i) => {
            if (value > 0 && value < smallest) expect(shown[i]).toBeUndefined();
            else if (shown[i] !== undefined) expect(shown[i]).toBe(value);
          });
          const hidden = shown.filter((value) => value === undefined).length;
          const others = parts.filter((value) => value > 0).length;
          if (hidden === 1) expect(others).toBe(1);
        },
      ),
    );
  });

  it('shows no small number in the report, in neither form', async () => {
    const few = person({ 'a/x': 'known', 'b/y': 'not-known' });
    const counts = [...Array.from({ length: 40 }, () => nowhere), [few], [few], [few]].reduce(
      withHousehold,
      NO_COUNTS,
    );
    const report: BatchReport = {
      counts,
      households: 43,
      purpose: { name: 'Proef', legalBasis: 'Geen' },
      askedOn: '2026-11-28',
      nameOf: (register) => ({ name: register, agency: 'Agency' }),
      smallest: 5,
    };
    const page = await batchDocument(report, 'nl');
    const text = page.replace(/<svg[\s\S]*?<\/svg>/g, ' ').replace(/<style>[\s\S]*?<\/style>/, '');
    expect(text).not.toMatch(/>\s*3\s*</);
    expect(text).not.toMatch(/>\s*40\s*</);
    expect(batchCsv(report, 'en')).not.toMatch(/,3(,|\r)/);
    expect(await batchDocument({ ...report, smallest: 1 }, 'nl')).toMatch(/>\s*40\s*</);
    expect(page).not.toContain('<script');
    expect(page).not.toMatch(/(?:src|href)="http/);
  });
});

describe('a batch', () => {
  const households = Array.from({ length: 20 }, (_, i): BatchHousehold => ({
    line: i + 2,
    persons: [{ bsn: '1', birthDate: undefined }],
  }));
  const run = (
    ask: (household: BatchHousehold) => Promise<readonly BatchPerson[]>,
    from: BatchProgress = { next: 0, counts: NO_COUNTS },
    signal: AbortSignal = new AbortController().signal,
  ) => {
    const waits: number[] = [];
    return runBatch({
      households,
      from,
      ask,
      progress: () => undefined,
      wait: (seconds) => {
        waits.push(seconds);
        return Promise.resolve();
      },
      signal,
    }).then((result) => ({ ...result, waits }));
  };

  it('waits for a limit a minute, and goes on', async () => {
    let refused = 0;
    const { end, progress, waits } = await run(() => {
      if (refused++ < 3) throw new HitError('quota-exceeded', 'a minute', { retryAfter: 20 });
      return Promise.resolve(nowhere);
    });
    expect(end).toEqual({ type: 'complete' });
    expect(progress.counts.households).toBe(20);
    expect(waits).toEqual([20, 20, 20]);
  });

  it('ends at a limit a day, and goes on from there later with the same figures', async () => {
    let asked = 0;
    const first = await run(async ({ line }) => {
      await setImmediate();
      if (line >= 12) throw new HitError('quota-exceeded', 'a day', { retryAfter: 40_000 });
      asked++;
      return nowhere;
    });
    expect(first.end).toMatchObject({ type: 'failed', error: { code: 'quota-exceeded' } });
    expect(first.progress).toMatchObject({ next: 10, counts: { households: 10 } });
    const second = await run(() => {
      asked++;
      return Promise.resolve(nowhere);
    }, first.progress);
    expect(second.end).toEqual({ type: 'complete' });
    expect(second.progress.counts).toEqual(households.map(() => nowhere).reduce(withHousehold, NO_COUNTS));
    expect(asked).toBe(20);
  });

  it('ends at once at a rule that refuses', async () => {
    let asked = 0;
    const { end, progress, waits } = await run(() => {
      asked++;
      throw new HitError('not-allowed', 'not for you', { rule: 'role' });
    });
    expect(end).toMatchObject({ type: 'failed', line: 2, error: { rule: 'role' } });
    expect(progress.next).toBe(0);
    expect(asked).toBeLessThanOrEqual(4);
    expect(waits).toEqual([]);
  });

  it('counts what is under way when it is stopped', async () => {
    const stop = new AbortController();
    const { end, progress } = await run(
      async ({ line }) => {
        if (line === 6) stop.abort();
        await setImmediate();
        return nowhere;
      },
      undefined,
      stop.signal,
    );
    expect(end).toEqual({ type: 'stopped' });
    expect(progress.next).toBe(progress.counts.households);
    expect(progress.next).toBeGreaterThanOrEqual(5);
    expect(progress.next).toBeLessThan(20);
  });

  it('tries again where only the moment is wrong, and gives up in the end', async () => {
    const { end, waits } = await run(() => {
      throw new HitError('gateway-unreachable', 'away');
    });
    expect(end).toMatchObject({ type: 'failed', error: { code: 'gateway-unreachable' } });
    expect(waits.filter((seconds) => seconds === 5).length).toBeGreaterThan(0);
    expect(Math.max(...waits)).toBeLessThanOrEqual(15);
  });
});

describe('a file of households', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'households-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const file = (text: string): string => {
    const path = join(folder, 'households.csv');
    writeFileSync(path, text);
    return path;
  };
  const read = async (text: string) => {
    const path = file(text);
    return householdsOf(path, await readHouseholdFile(path, ['bsn', 'name+birthdate']), {
      tokenTypes: ['bsn', 'name+birthdate'],
      maxPersons: 2,
      now: Date.UTC(2026, 10, 28),
    });
  };

  it('puts rows together by household, wherever they stand', async () => {
    const households = await read('huishouden;bsn\nA;999990007\nB;999990019\nA;999990020\n');
    expect(households.map(({ line, persons }) => [line, persons.length])).toEqual([
      [2, 2],
      [3, 1],
    ]);
  });

  it('names every row that is no good before anybody is asked about, and repeats none of it', async () => {
    let error: unknown;
    try {
      await read('household,bsn\nA,999990007\nB,123456789\nC,999990020\nC,999990019\nC,999990032\nD,\n');
    } catch (caught) {
      error = caught;
    }
    expect(error).toMatchObject({ code: 'import-invalid' });
    const { detail } = error as HitError;
    expect(detail).toMatch(/households\.csv:3: /);
    expect(detail).toMatch(/households\.csv:4: .*3 persons/);
    expect(detail).toMatch(/households\.csv:7: /);
    expect(detail).not.toContain('123456789');
  });

  it.each([
    ['', /:1: the file is empty/],
    ['bsn\n999990007\n', /:1: there is no column household/],
    ['household,bsn,shoe size\nA,999990007,44\n', /:1: column 3 is not known/],
    ['household,bsn\n,999990007\n', /:2: household is empty/],
    ['household,bsn\nA\n', /:2: the row has 1 fields/],
  ])('refuses %j by its line', async (text, reason) => {
    await expect(read(text)).rejects.toThrow(reason);
  });
});
