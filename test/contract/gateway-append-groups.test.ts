import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresDatabase } from '@hitmachine/service/postgres';
import { PostgresAuditLog } from '../../gateway/src/adapters/postgres/audit-log.ts';
import { packLeaves, unpackLeaves } from '../../gateway/src/adapters/bundle.ts';
import type { GatewayStore } from '../../gateway/src/cli/gateway-store.ts';
import { openPostgresStore, openStore } from '../../gateway/src/cli/gateway-store.ts';
import type { AppendResult, AuditLog } from '../../gateway/src/ports/audit-log.ts';
import type { Charge } from '../../gateway/src/ports/quota.ts';
import { POSTGRES_MISSING, TestPostgres } from '../support/postgres.ts';
import { expectWhole } from '../support/whole-log.ts';
import { charge, invited } from './support/log-entries.ts';

const why = POSTGRES_MISSING === undefined ? '' : ` (left out: ${POSTGRES_MISSING})`;
/** Appends that share a transaction in PostgreSQL, at most. */
const GROUP = 128;

const limited = (limit: number): Charge => ({ ...charge('x', 1), limit });

/** So many appends in one turn, each charged. */
const appendAll = (
  log: AuditLog,
  count: number,
  one: Charge,
): Promise<PromiseSettledResult<AppendResult>[]> =>
  Promise.allSettled(Array.from({ length: count }, () => log.append(1, invited('a'), [one])));

/** What became of them: the index, or in one word what else. */
const fates = (results: readonly PromiseSettledResult<AppendResult>[]): (number | string)[] =>
  results.map((one) => {
    if (one.status === 'rejected') return 'rejected';
    return one.value.type === 'appended' ? one.value.index : one.value.type;
  });
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** How much of the account is used. */
async function usedOf(log: AuditLog): Promise<number> {
  for (let used = 0; ; used++)
    if (
      (await log.exceeded([limited(used)])) !== undefined &&
      (await log.exceeded([limited(used + 1)])) === undefined
    )
      return used;
}

describe.skipIf(POSTGRES_MISSING !== undefined)(`groups of appends in PostgreSQL${why}`, () => {
  let server: TestPostgres;
  let url: string;
  const opened: GatewayStore[] = [];
  const databases: PostgresDatabase[] = [];
  beforeAll(async () => {
    server = await TestPostgres.start();
  });
  afterAll(async () => {
    await Promise.all([...opened, ...databases].map((one) => one.close()));
    await server.remove();
  });
  const open = async (): Promise<AuditLog> => {
    const store = await openPostgresStore(url);
    opened.push(store);
    return store.auditLog;
  };
  /** A log that has one entry, and knows where it stands. */
  const openNew = async (): Promise<AuditLog> => {
    url = await server.emptySchema();
    const log = await open();
    await log.append(1, invited('a'));
    return log;
  };
  /** Makes the write of the bundle that begins at an index fail, once. */
  const failOnce = (first: number): Promise<unknown> =>
    server.sql(
      `CREATE SEQUENCE attempts;
       CREATE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         IF nextval('attempts') = 1 THEN RAISE 'the disk is gone'; END IF;
         RETURN new;
       END $$;
       CREATE TRIGGER broken BEFORE INSERT ON bundle FOR EACH ROW WHEN (new.first = ${first})
         EXECUTE FUNCTION fail_once()`,
      url,
    );

  it('that follow one that failed are planned anew: only that one is rejected, and not charged', async () => {
    const log = await openNew();
    await failOnce(1 + GROUP);
    // A plan that counts the failed ones along has no room for any after them; there is room for all.
    const results = await appendAll(log, 3 * GROUP, limited(2 * GROUP));
    expect(fates(results)).toEqual([
      ...range(1, 1 + GROUP),
      ...range(0, GROUP).map(() => 'rejected'),
      ...range(1 + GROUP, 1 + 2 * GROUP),
    ]);
    for (const one of results)
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'storage-failed' });
    expect(await usedOf(log)).toBe(2 * GROUP);
    await expectWhole(log, 1 + 2 * GROUP);
  });

  it('that follow each other count what those before them charged', async () => {
    const log = await openNew();
    const results = fates(await appendAll(log, 5 * GROUP, limited(4 * GROUP - 10)));
    expect(results.slice(0, 4 * GROUP - 10)).toEqual(range(1, 4 * GROUP - 9));
    expect(new Set(results.slice(4 * GROUP - 10))).toEqual(new Set(['exceeded']));
    expect(await usedOf(log)).toBe(4 * GROUP - 10);
  });

  it('that another gateway comes before are planned anew, with their charges', async () => {
    const log = await openNew();
    const other = await open();
    for (const [first, charges] of [
      [1, [limited(100)]],
      [52 + GROUP, []],
    ] as const) {
      await Promise.all(range(0, 50).map(() => other.append(1, invited('b'), charges)));
      const results = await appendAll(log, GROUP, limited(100));
      const free = first === 1 ? 50 : 0;
      expect(fates(results).slice(0, free)).toEqual(range(first + 50, first + 50 + free));
      expect(fates(results).slice(free)).toEqual(range(free, GROUP).map(() => 'exceeded'));
      if (first === 1) await Promise.all(range(0, GROUP + 1 - 50).map(() => log.append(1, invited('a'))));
    }
    expect(await usedOf(log)).toBe(100);
    await expectWhole(other, 52 + GROUP + 50);
  });

  /** A log whose statements are told to `before` first; those of a transaction as one. */
  const openWatched = (before: (text: string) => Promise<unknown>): PostgresAuditLog => {
    const database = new PostgresDatabase(url, { program: 'test', connections: 2 });
    databases.push(database);
    const { query } = database;
    const transaction = database.transaction.bind(database);
    database.query = async (text, values) => before(text).then(() => query(text, values));
    database.transaction = async (first, work) => before('BEGIN').then(() => transaction(first, work));
    return new PostgresAuditLog(database);
  };

  it('that another gateway comes before are written in one round trip more', async () => {
    const other = await openNew();
    const said: string[] = [];
    const log = openWatched(async (text) => void said.push(text.replace(/\(.*/, '')));
    const [LOOK, WRITE] = ['SELECT * FROM log_standing', 'SELECT * FROM append_or_look'];
    const append = (): Promise<AppendResult> => log.append(1, invited('a'));
    await append();
    await append();
    await other.append(1, invited('b'));
    await append();
    await append();
    // Looked once, in the beginning; the third was overtaken.
    expect(said).toEqual([LOOK, WRITE, WRITE, WRITE, WRITE, WRITE]);
    await expectWhole(other, 6);
  });

  it('that another gateway comes before again and again let nobody come before in the end', async () => {
    const other = await openNew();
    let overtaken = 0;
    const log = openWatched(async (text) => {
      if (!text.includes('append_or_look') || overtaken === 10) return;
      overtaken++;
      await other.append(1, invited('b'), [limited(20)]);
    });
    const results = await appendAll(log, 3, limited(5));
    expect(overtaken).toBe(3);
    // The others have used up three.
    expect(fates(results)).toEqual([4, 5, 'exceeded']);
    expect(await usedOf(log)).toBe(5);
    await expectWhole(other, 6);
  });

  it('leave every gateway with the head and the proofs of the log that stands, whoever wrote last', async () => {
    const logs = [await openNew(), await open()];
    const turns = [...logs, ...logs.toReversed(), ...logs];
    for (const [i, log] of turns.entries()) {
      const appended = await log.append(1, invited('a'));
      expect(appended).toMatchObject({ index: i + 1 });
      for (const one of [log, ...logs]) await expectWhole(one, i + 2);
    }
  });

  it('of two gateways at once make one log and one account', async () => {
    const logs = [await openNew(), await open()];
    const limit = 7 * GROUP;
    const rounds = await Promise.all(
      logs.map(async (log) => {
        const results: PromiseSettledResult<AppendResult>[] = [];
        for (let round = 0; round < 4; round++) {
          const one = await appendAll(log, GROUP + 30 * round, limited(limit));
          const own = fates(one).filter((fate) => typeof fate === 'number');
          expect(own).toEqual([...own].sort((a, b) => a - b));
          results.push(...one);
        }
        return results;
      }),
    );
    const all = fates(rounds.flat());
    expect(all.filter((fate) => fate === 'rejected')).toEqual([]);
    const indices = all.filter((fate) => typeof fate === 'number').sort((a, b) => a - b);
    expect(indices).toEqual(range(1, 1 + limit));
    for (const log of logs) {
      expect(await usedOf(log)).toBe(limit);
      await expectWhole(log, 1 + limit);
    }
  });
});

describe('a bundle in SQLite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hit-gateway-test-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('leaves no gap, whoever writes it', async () => {
    const file = join(folder, 'gap.sqlite');
    const store = openStore(file);
    await Promise.all(range(0, 3).map(() => store.auditLog.append(1, invited('a'))));
    const database = new DatabaseSync(file);
    for (const first of [0, 2, 4])
      expect(() => database.exec(`INSERT INTO bundle VALUES (${first}, 1, 1, 0, x'', x'')`)).toThrow();
    database.close();
    await store.close();
  });

  it('holds all that waited for each other, and at most what a transaction may', async () => {
    const file = join(folder, 'patient.sqlite');
    const store = openStore(file);
    const waitAnHour = async (count: number): Promise<Promise<AppendResult>[]> => {
      const appends: Promise<AppendResult>[] = [];
      for (let i = 0; i < count; i++) {
        appends.push(store.auditLog.append(1, invited('a'), [], 3_600_000));
        await nextTurn();
      }
      return appends;
    };
    const few = await waitAnHour(3);
    await Promise.all([...few, store.auditLog.append(1, invited('a'))]);
    // As many as fill a transaction wait for nobody.
    await Promise.all(await waitAnHour(256));
    await store.close();
    const database = new DatabaseSync(file);
    expect(database.prepare('SELECT count FROM bundle').all()).toMatchObject([{ count: 4 }, { count: 256 }]);
    database.close();
  });

  it('that is damaged is named', () => {
    const leaves = packLeaves([Uint8Array.of(1, 2, 3), Uint8Array.of(4)]);
    const bundle = { first: 7, count: 2, leaves };
    expect(unpackLeaves(bundle).map((leaf) => [...leaf])).toEqual([[1, 2, 3], [4]]);
    // With no memory around them that would go along to another thread.
    expect(unpackLeaves(bundle).map(({ buffer }) => buffer.byteLength)).toEqual([3, 1]);
    for (const wrong of [
      { leaves: leaves.subarray(1) },
      { leaves: leaves.subarray(0, -1) },
      { count: 1 },
      { count: 3 },
    ])
      expect(() => unpackLeaves({ ...bundle, ...wrong })).toThrow(/entries 7 to \d of the log are damaged/);
  });
});
