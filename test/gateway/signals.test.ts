import type { LogEvent } from '@hitmachine/protocol';
import { encodeBase64 } from '@hitmachine/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { DAY_MS, daysBetween } from '@hitmachine/web';
import { figuresOf } from '../../gateway/console/figures.ts';
import type { Signal } from '../../gateway/console/signals.ts';
import { USUAL_DAYS, findSignals } from '../../gateway/console/signals.ts';
import { MemoryAuditLog } from '../../gateway/src/adapters/memory/audit-log.ts';
import { MemoryLogSearch } from '../../gateway/src/adapters/memory/log-search.ts';
import { lookup, refused } from '../contract/support/log-entries.ts';

const FROM = Date.UTC(2026, 6, 10);
const TO = FROM + 5 * DAY_MS;
const HOUR = 3_600_000;
const NOON = 10 * HOUR;

describe('figures and signals', () => {
  let auditLog: MemoryAuditLog;
  let search: MemoryLogSearch;
  let count: number;

  beforeEach(() => {
    auditLog = new MemoryAuditLog();
    search = new MemoryLogSearch(auditLog);
    count = 0;
  });

  const add = async (at: number, event: LogEvent): Promise<void> => {
    await auditLog.append(at, event);
  };
  const lookups = async (at: number, times: number, everyMs: number, agency = 'wijkteam'): Promise<void> => {
    for (let n = 0; n < times; n++) await add(at + n * everyMs, lookup(count++ % 250, { agency }));
  };
  const answered = (node: string, outcome: string, milliseconds: number): LogEvent =>
    ({
      event: 'answer',
      id: encodeBase64(new Uint8Array(16)),
      agency: 'wijkteam',
      lookupId: encodeBase64(new Uint8Array(16)),
      node,
      request: encodeBase64(new Uint8Array(32)),
      outcome,
      milliseconds,
    }) as LogEvent;

  const signals = async (): Promise<readonly Signal[]> => {
    const rows = await search.figures({ from: FROM - USUAL_DAYS * DAY_MS, to: TO });
    return (await findSignals(search, rows, FROM, TO)).signals;
  };
  const kinds = async (): Promise<string[]> => (await signals()).map(({ kind }) => kind);

  it('sees nothing in a quiet week', async () => {
    for (let day = 0; day < 5; day++) await lookups(FROM + day * DAY_MS + NOON, 8, 20 * 60_000);
    expect(await signals()).toEqual([]);
  });

  it('sees twenty lookups within ten minutes, and not nineteen', async () => {
    await lookups(FROM + NOON, 19, 30_000);
    await lookups(FROM + NOON + HOUR, 1, 0);
    expect(await kinds()).toEqual([]);
    await lookups(FROM + DAY_MS + NOON, 20, 30_000);
    const [burst] = await signals();
    expect(burst).toMatchObject({ kind: 'burst', agency: 'wijkteam', at: FROM + DAY_MS + NOON, count: 20 });
    expect(burst?.search).toMatchObject({ from: '2026-07-11T12:00', event: 'lookup', agency: 'wijkteam' });
  });

  it('sees the night by the clock on the wall', async () => {
    // 22:00 in Amsterdam in summer is 20:00 UTC, and 06:00 is 04:00 UTC.
    await lookups(FROM + 4 * HOUR, 1, 0);
    await lookups(FROM + 20 * HOUR - 1, 1, 0);
    expect(await kinds()).toEqual([]);
    await lookups(FROM + 20 * HOUR, 2, HOUR);
    await lookups(FROM + DAY_MS + 4 * HOUR - 1, 1, 0);
    expect(await signals()).toMatchObject([{ kind: 'night', count: 3, at: FROM + 20 * HOUR }]);
  });

  it('does not call a first day unusual', async () => {
    await lookups(FROM + NOON, 16, 15 * 60_000, 'nieuw');
    expect(await kinds()).toEqual([]);
  });

  it('sees a day far above what is usual, by the days before it, also those before the period', async () => {
    for (let day = 3; day >= 1; day--) await lookups(FROM - day * DAY_MS + NOON, 4, HOUR / 2);
    await lookups(FROM + NOON, 12, 20 * 60_000);
    expect(await kinds()).toEqual([]);
    await lookups(FROM + DAY_MS + NOON, 19, 15 * 60_000);
    expect(await signals()).toMatchObject([{ kind: 'above-usual', count: 19, against: 6 }]);
  });

  it('sees an agency that is refused a lot', async () => {
    await lookups(FROM + NOON, 8, 20 * 60_000);
    for (let n = 0; n < 4; n++) await add(FROM + NOON + 3 * HOUR, refused('wijkteam'));
    expect(await kinds()).toEqual([]);
    await add(FROM + NOON + 3 * HOUR, refused('wijkteam'));
    const [signal] = await signals();
    expect(signal).toMatchObject({ kind: 'refusals', count: 5 });
    expect(signal?.against).toBeCloseTo(5 / 13);
  });

  it('sees a node that mostly does not answer', async () => {
    for (let n = 0; n < 9; n++) await add(FROM + NOON, answered('politie', 'timeout', 5_000));
    expect(await kinds()).toEqual([]);
    await add(FROM + NOON, answered('politie', 'not-connected', 0));
    for (let n = 0; n < 40; n++) await add(FROM + NOON, answered('ggz', 'answered', 10));
    expect(await signals()).toMatchObject([{ kind: 'silent', agency: 'politie', count: 10, against: 1 }]);
  });

  it('adds up by day, agency, purpose, reason and node', async () => {
    await add(FROM + NOON, lookup(1, { persons: 3 }));
    await add(FROM + NOON, lookup(2, { agency: 'ggz', purpose: 'jeugd' }));
    await add(FROM + NOON, lookup(3, { agency: 'ggz', purpose: 'jeugd', persons: 2 }));
    await add(FROM + DAY_MS + NOON, refused('ggz'));
    await add(FROM + DAY_MS + NOON, answered('politie', 'answered', 10));
    await add(FROM + DAY_MS + NOON, answered('politie', 'answered', 30));
    await add(FROM + DAY_MS + NOON, answered('politie', 'refused', 999));
    await add(FROM + DAY_MS + NOON, answered('politie', 'abandoned', 999));
    const figures = figuresOf(await search.figures({ from: FROM, to: TO }), daysBetween(FROM, TO));
    expect(figures).toMatchObject({ lookups: 3, persons: 6, refusals: 1, asked: 4, answered: 2 });
    expect(figures.days).toEqual(['2026-07-10', '2026-07-11', '2026-07-12', '2026-07-13', '2026-07-14']);
    expect(figures.perDay).toMatchObject([
      { agency: 'ggz', lookups: [2, 0, 0, 0, 0] },
      { agency: 'wijkteam', lookups: [1, 0, 0, 0, 0] },
    ]);
    expect(figures.perPurpose).toMatchObject([
      { agency: 'ggz', purpose: 'jeugd', lookups: 2, persons: 3 },
      { agency: 'wijkteam', purpose: 'casusoverleg-zvh', lookups: 1, persons: 3 },
    ]);
    expect(figures.refused).toMatchObject([{ code: 'quota-exceeded', agency: 'ggz', times: 1 }]);
    expect(figures.nodes).toMatchObject([
      { node: 'politie', answered: 2, refused: 1, none: 1, milliseconds: 20 },
    ]);
  });
});
