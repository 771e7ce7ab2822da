import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkLog } from '../../node-agent/src/domain/own-log/log-check.ts';
import { dailyRetention } from '../../node-agent/src/domain/asking/retention.ts';
import type { AgencyLog, AskedAbout } from '../../node-agent/src/ports/agency-log.ts';
import { secureRandom } from '../../node-agent/src/random.ts';
import { DAY, EMPTY, NOON, asked, makeLog, tamper } from './support/agency-log.ts';

const opened = (name: string) => ({
  lookupId: name,
  requestDigest: 'digest',
  purpose: 'doel',
  persons: 1,
  nodes: ['politie'],
});

describe("what the agency's own log may not keep any longer", () => {
  let folder: string;
  let database: DatabaseSync;
  let log: AgencyLog;
  let remove: () => void;

  beforeEach(async () => ({ folder, database, log, remove } = await makeLog()));
  afterEach(() => {
    database.close();
    remove();
  });

  const faultOf = async () => (await checkLog(log, { opener: log })).fault;
  const person = (fill: number): AskedAbout['persons'][number] =>
    new Map([['bsn', { element: new Uint8Array(32).fill(fill), maskedHash: fill }]]);
  const askedAbout = (fill: number, keptUntil: string): AskedAbout => ({
    persons: [person(fill)],
    keptUntil,
    evaluationKey: 'sleutel',
    nodeKey: '',
  });
  const people = (): { element: Uint8Array; kept_until: string }[] =>
    database.prepare('SELECT element, kept_until FROM pseudonyms ORDER BY element').all() as never;
  const everything = (): Buffer =>
    Buffer.concat(readdirSync(folder).map((file) => readFileSync(join(folder, file))));

  it('loses its content, from the disk too, and the chain holds', async () => {
    const row = (await log.rows(2, 1))[0]!.content!;
    const [kept, head] = [(await log.rows(5, 1))[0]!.content!, await log.head()];
    expect(everything().includes(Buffer.from(row.sealed))).toBe(true);
    const now = NOON + 3_600_000 * 5.5 + 30 * DAY;
    expect(await log.removeContent(now - 30 * DAY, 100, now)).toBe(5);
    expect(everything().includes(Buffer.from(row.sealed))).toBe(false);
    expect(everything().includes(Buffer.from(kept.sealed))).toBe(true);
    expect(await checkLog(log, { opener: log, anchors: [head] })).toMatchObject({
      entries: 9,
      removed: 5,
      opened: 4,
      fault: undefined,
    });
    expect(await log.read(4, 2)).toMatchObject([
      { sequence: 5, at: Date.UTC(2026, 2, 2), event: 'removed', lookupKey: '', detail: undefined },
      { sequence: 6, event: 'asked', detail: asked('lookup-6').detail },
    ]);
    expect((await log.read(8, 1))[0]).toMatchObject({
      event: 'content-removed',
      detail: { upTo: 5, entries: 5, askedAbout: 0, olderThan: new Date(now - 30 * DAY).toISOString() },
    });
  });

  it('goes in parts where it is much, and the next time from there on', async () => {
    const told: unknown[] = [];
    const clock = (): number => now;
    let now = NOON + 40 * DAY;
    const lines = { debug() {}, info: (fields: object) => void told.push(fields), warn() {}, error() {} };
    expect(await log.removeContent(now - 30 * DAY, 3, now)).toBe(3);
    const work = dailyRetention({ agencyLog: log, retentionDays: 30, clock, log: lines });
    await work();
    await work();
    expect(told).toEqual([{ event: 'content-removed', entries: 5 }]);
    now += 31 * DAY;
    await log.append(asked('nieuw'), now);
    await work();
    // Of the entries that told of the removals before too.
    expect(told.slice(1)).toEqual([{ event: 'content-removed', entries: 2 }]);
    expect(await checkLog(log, { opener: log })).toMatchObject({
      entries: 12,
      removed: 10,
      fault: undefined,
    });
  });

  it('shows when it went before its time', async () => {
    await log.removeContent(NOON + 3.5 * 3_600_000, 100, NOON + 30 * DAY);
    // Later somebody empties two more, who cannot write an entry about it.
    tamper(database, `UPDATE log SET ${EMPTY} WHERE sequence IN (4, 5)`);
    expect(await faultOf()).toMatchObject({ kind: 'content-missing', sequence: 4 });
  });

  it('leaves lookups that were answered guarded against being answered again', async () => {
    const quota = { limit: 10, total: 10 };
    const detail = {
      asker: 'gemeente',
      purpose: 'doel',
      persons: 1,
      registers: ['zaken'],
      epoch: 1,
      evidence: 'bewijs',
      evidenceSignature: 'handtekening',
    };
    const now = NOON + 10 * DAY;
    const [old, fresh] = [secureRandom(16), secureRandom(16)];
    expect(await log.appendAnswered(old, detail, quota, now)).toBe('logged');
    expect(await log.appendAnswered(fresh, detail, quota, now + DAY)).toBe('logged');
    await log.removeContent(now + DAY, 100, now + DAY + 1);
    // A ticket is good for minutes, and a log keeps its content for a day at least.
    expect(await log.appendAnswered(fresh, detail, quota, now + DAY)).toBe('replayed');
    const counters = database.prepare('SELECT day FROM answered_persons ORDER BY day').all();
    expect(new Set(counters.map((row) => row['day']))).toEqual(new Set(['2026-03-12', '2026-03-13']));
  });

  it('takes the persons asked about along, and who was asked about again later', async () => {
    await log.appendOpened('a', opened('a'), askedAbout(0xa1, '2026-04-01'), NOON + DAY);
    await log.appendOpened('b', opened('b'), askedAbout(0xb2, '2026-04-01'), NOON + DAY);
    await log.appendOpened('c', opened('c'), askedAbout(0xa1, '2026-05-01'), NOON + 2 * DAY);
    await log.appendOpened('d', opened('d'), askedAbout(0xa1, '2026-04-15'), NOON + 2 * DAY);
    await log.appendOpened('e', opened('e'), undefined, NOON + 2 * DAY);
    expect(people().map((row) => [row.element[0], row.kept_until])).toEqual([
      [0xa1, '2026-05-01'],
      [0xb2, '2026-04-01'],
    ]);
    expect(everything().includes(Buffer.alloc(32, 0xb2))).toBe(true);
    expect(await log.removeContent(0, 100, Date.UTC(2026, 3, 1, 12))).toBe(0);
    expect(people()).toHaveLength(2);
    await log.removeContent(0, 100, Date.UTC(2026, 3, 2));
    expect(people().map((row) => row.element[0])).toEqual([0xa1]);
    expect(everything().includes(Buffer.alloc(32, 0xb2))).toBe(false);
    expect((await log.read((await log.head()).sequence - 1, 1))[0]).toMatchObject({
      event: 'content-removed',
      detail: { entries: 0, upTo: 0, askedAbout: 1 },
    });
    expect(await faultOf()).toBeUndefined();
  });
});
