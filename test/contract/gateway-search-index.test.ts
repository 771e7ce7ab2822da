import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { CatchUp, STEP } from '../../gateway/src/adapters/catch-up.ts';
import { findQuery } from '../../gateway/src/adapters/log-query.ts';
import { searchIndexPath } from '../../gateway/src/adapters/sqlite/search-index.ts';
import type { GatewayStore } from '../../gateway/src/cli/gateway-store.ts';
import { openPostgresStore, openStore } from '../../gateway/src/cli/gateway-store.ts';
import { POSTGRES_MISSING, TestPostgres } from '../support/postgres.ts';
import { lookup, lookupId } from './support/log-entries.ts';

const why = POSTGRES_MISSING === undefined ? '' : ` (left out: ${POSTGRES_MISSING})`;

async function append({ auditLog }: GatewayStore, from: number, to: number): Promise<void> {
  await Promise.all(Array.from({ length: to - from }, (_, i) => auditLog.append(from + i, lookup(from + i))));
}

/** A search finds every entry once, and the last one by what stands in it. */
async function expectIndexed({ search }: GatewayStore, size: number): Promise<void> {
  expect(await search.count({})).toBe(size);
  expect((await search.figures({})).reduce((sum, { entries }) => sum + entries, 0)).toBe(size);
  const found = await search.find({ lookupId: lookupId(size - 1), from: size - 1 }, undefined, 5);
  expect(found.map(({ index, entry }) => [index, entry.at])).toEqual([[size - 1, size - 1]]);
}

describe('the search index in SQLite', () => {
  let folder: string;
  let log: string;
  let opened: GatewayStore[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hit-gateway-test-'));
    log = join(folder, 'gateway.sqlite');
    opened = [];
  });
  afterEach(async () => {
    await closeAll();
    rmSync(folder, { recursive: true });
  });
  const open = (): GatewayStore => {
    const store = openStore(log);
    opened.push(store);
    return store;
  };
  const closeAll = (): Promise<unknown> => Promise.all(opened.splice(0).map((store) => store.close()));
  /** What a process would find that starts now, on files as they are. */
  const expectAfterRestart = async (size: number): Promise<void> => {
    await closeAll();
    await expectIndexed(open(), size);
  };
  const removeIndex = (): void => {
    for (const name of readdirSync(folder))
      if (join(folder, name).startsWith(searchIndexPath(log))) rmSync(join(folder, name));
  };

  it('is made anew when it was removed', async () => {
    await append(open(), 0, 700);
    await expectAfterRestart(700);
    await closeAll();
    removeIndex();
    await expectAfterRestart(700);
  });

  it.each([
    ['one lookup', { lookupId: lookupId(3) }],
    ['lookups', { lookupIds: [3, 5, 8, 13, 21].map(lookupId) }],
  ])(
    'goes by the names of %s, and not by events, of which nearly all of the log has the same',
    async (_, named) => {
      await append(open(), 0, 30);
      await expectAfterRestart(30);
      const index = new DatabaseSync(searchIndexPath(log), { readOnly: true });
      const filter = { ...named, shownTo: 'politie', events: ['lookup', 'canary', 'answer'] } as const;
      const { text, values } = findQuery((n) => `?${n}`, filter, undefined, 300);
      const plan = index.prepare(`EXPLAIN QUERY PLAN ${text}`).all(...values);
      index.close();
      expect(String(plan[0]?.['detail'])).toMatch(/INDEX search_by_lookup/);
    },
  );

  it('takes in what it lost in a crash, and nothing twice', async () => {
    await append(open(), 0, 30);
    await expectAfterRestart(30);
    await closeAll();
    copyFileSync(searchIndexPath(log), join(folder, 'earlier'));
    await append(open(), 30, 1_300);
    await expectAfterRestart(1_300);
    await closeAll();
    removeIndex();
    copyFileSync(join(folder, 'earlier'), searchIndexPath(log));
    await expectAfterRestart(1_300);
  });

  it('is made anew when the log was put back from a backup', async () => {
    await append(open(), 0, 20);
    await closeAll();
    copyFileSync(log, join(folder, 'backup'));
    await append(open(), 20, 60);
    await expectAfterRestart(60);
    await closeAll();
    // Goes on from there to the same length, as another log.
    copyFileSync(join(folder, 'backup'), log);
    const store = open();
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => store.auditLog.append(20 + i, lookup(20 + i, { agency: 'ggz' }))),
    );
    await expectAfterRestart(60);
    expect(await open().search.count({ agency: 'ggz' })).toBe(40);
    await closeAll();
    copyFileSync(join(folder, 'backup'), log);
    await expectAfterRestart(20);
  });

  it('is made anew when it is damaged, or of another version', async () => {
    await append(open(), 0, 20);
    await expectAfterRestart(20);
    await closeAll();
    removeIndex();
    writeFileSync(searchIndexPath(log), 'no database, and longer than the first bytes of one'.repeat(100));
    await expectAfterRestart(20);
    await closeAll();
    const index = new DatabaseSync(searchIndexPath(log));
    index.exec('DROP TABLE search_entry; CREATE TABLE search_entry (idx INTEGER); PRAGMA user_version = 7');
    index.close();
    await expectAfterRestart(20);
  });

  it('is brought up to date by several processes at once', async () => {
    const [one, other] = [open(), open()];
    await append(one, 0, 3_000);
    await Promise.all([one, other, one, other].map((store) => expectIndexed(store, 3_000)));
  });

  it('is brought up to date behind the back of whoever appends', async () => {
    const store = open();
    await append(store, 0, 5);
    await vi.waitFor(
      () => {
        const index = new DatabaseSync(searchIndexPath(log), { readOnly: true });
        try {
          expect(index.prepare('SELECT size FROM indexed').get()).toEqual({ size: 5 });
        } finally {
          index.close();
        }
      },
      { timeout: 8_000, interval: 100 },
    );
  });

  it('keeps no appending back where it cannot be written, and searches say so', async () => {
    const store = open();
    await append(store, 0, 5);
    await store.search.count({});
    const index = new DatabaseSync(searchIndexPath(log));
    index.exec("CREATE TRIGGER broken BEFORE INSERT ON search_entry BEGIN SELECT RAISE(ABORT, 'full'); END");
    await append(store, 5, 9);
    await expect(store.search.count({})).rejects.toMatchObject({ code: 'storage-failed' });
    index.exec('DROP TRIGGER broken');
    index.close();
    await expectIndexed(store, 9);
  });
});

describe.skipIf(POSTGRES_MISSING !== undefined)(`the search index in PostgreSQL${why}`, () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await TestPostgres.start();
  });
  afterAll(() => server.remove());

  it('is made anew when it was emptied, and takes in what it lost', async () => {
    const url = await server.emptySchema();
    const store = await openPostgresStore(url);
    await append(store, 0, 700);
    await expectIndexed(store, 700);
    await server.sql('DELETE FROM search_entry WHERE idx >= 400', url);
    await expectIndexed(store, 700);
    await server.sql('TRUNCATE search_entry', url);
    await expectIndexed(store, 700);
    await store.close();
  });

  it('is brought up to date by several gateways at once', async () => {
    const url = await server.emptySchema();
    const stores = await Promise.all([1, 2, 3].map(() => openPostgresStore(url)));
    await append(stores[0] as GatewayStore, 0, 2_500);
    await Promise.all(stores.map((store) => expectIndexed(store, 2_500)));
    await Promise.all(stores.map((store) => store.close()));
  });
});

describe('catching up', () => {
  it('goes on while there is more, rests in between, and stops when there is nothing', async () => {
    let [left, steps] = [5, 0];
    const catchUp = new CatchUp(async () => {
      steps++;
      return --left > 0;
    });
    catchUp.soon();
    catchUp.soon();
    expect(steps).toBe(0);
    await vi.waitFor(() => expect(steps).toBe(2), { timeout: 3_000 });
    await vi.waitFor(() => expect(left).toBe(0), { timeout: 5_000 });
    await setTimeout(1_500);
    expect(steps).toBe(5);
    catchUp.stop();
    catchUp.soon();
    await setTimeout(1_200);
    expect(steps).toBe(5);
    expect(STEP).toBeLessThan(1_000);
  });
});
