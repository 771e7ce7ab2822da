import { describe, expect, it } from 'vitest';
import { HitError } from '@hitmachine/protocol';
import {
  COPIED_TABLES,
  NOT_COPIED,
  PUSHED_TABLES,
  columnsOf,
  countOf,
  pagesOf,
  putRows,
} from '../../node-agent/src/adapters/sql/copied-tables.ts';
import { sqlStateStore } from '../../node-agent/src/adapters/sql/state-store.ts';
import type { StoredPseudonym } from '../../node-agent/src/ports/pseudonym-store.ts';
import type { OpenedDatabase } from './support/agent-databases.ts';
import { freshDatabase, overDatabases } from './support/agent-databases.ts';

const some = (count: number): StoredPseudonym[] =>
  Array.from({ length: count }, (_, i) => ({
    element: Uint8Array.from({ length: 32 }, (_unused, at) => (i >> (8 * (at % 4))) & 0xff),
    maskedHash: i & 0xffff,
    until: i % 3 === 0 ? 20_000 : undefined,
  }));

overDatabases('what goes into a backup of an agent', (databases) => {
  const opened = freshDatabase(databases);

  it('is every table, and every column of it, but those that are made anew', async () => {
    const { rows } = await opened.database.run(
      databases.sqlite
        ? "SELECT m.name AS name, c.name AS column FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'"
        : 'SELECT table_name AS name, column_name AS column FROM information_schema.columns WHERE table_schema = current_schema()',
    );
    const found = new Map<string, string[]>();
    for (const { name, column } of rows)
      found.set(String(name), [...(found.get(String(name)) ?? []), String(column)].sort());
    for (const name of NOT_COPIED) found.delete(name);
    // What was pushed has a file of its own beside SQLite.
    const copied = databases.sqlite ? COPIED_TABLES : [...COPIED_TABLES, ...PUSHED_TABLES];
    expect(found).toEqual(new Map(copied.map((table) => [table.name, [...columnsOf(table)].sort()])));
  });

  if (databases.durable)
    describe('on disk', () => {
      const import_ = async (count: number): Promise<void> => {
        const stage = await opened.pseudonyms.beginImport('zaken');
        await stage.add('bsn', some(count));
        await stage.commit(count, { evaluationKey: 'a'.repeat(43), nodeKey: '' }, 1);
      };

      it('is read of one moment, while another import is committed and other rows are written', async () => {
        await import_(2_500);
        const state = sqlStateStore(opened.database);
        const [pseudonyms] = COPIED_TABLES.filter(({ name }) => name === 'pseudonyms');
        const read = await opened.database.snapshot(async (run) => {
          const before = await countOf(run, pseudonyms!);
          await import_(10);
          await state.setPin({ name: 'ggz', fingerprint: 'x' });
          let rows = 0;
          for await (const page of pagesOf(run, pseudonyms!)) rows += page.length;
          return { before, rows, pins: (await run('SELECT * FROM pins')).rows.length };
        });
        expect(read).toEqual({ before: 2_500, rows: 2_500, pins: 0 });
        expect(await countOf(opened.database.run, pseudonyms!)).toBe(10);
      });

      it('takes no writes', async () => {
        const writing = opened.database.snapshot((run) =>
          run("INSERT INTO pins (name, fingerprint) VALUES ('ggz', 'x')"),
        );
        await expect(writing).rejects.toThrow(HitError);
      });

      it('comes back the same in another database, the order of a log included', async () => {
        await import_(1_001);
        const bytes = (n: number) => new Uint8Array(32).fill(n);
        for (let sequence = 1; sequence <= 3; sequence++)
          await opened.database.run(
            `INSERT INTO log (sequence, at, event, lookup_key, nonce, sealed, content_hash, chain)
           VALUES ($1, $2, 'answered', $3, $4, $5, $6, $7)`,
            [sequence, 5 * sequence, `k${sequence}`, bytes(1), bytes(2), bytes(3), bytes(sequence)],
          );
        const contents = async ({ database }: OpenedDatabase): Promise<Map<string, unknown[]>> => {
          const all = new Map<string, unknown[]>();
          await database.snapshot(async (run) => {
            for (const table of COPIED_TABLES) {
              const rows: unknown[] = [];
              for await (const page of pagesOf(run, table))
                rows.push(
                  ...page.map((row) => row.map((one) => (one instanceof Uint8Array ? [...one] : one))),
                );
              all.set(table.name, rows);
            }
          });
          return all;
        };
        const elsewhere = await databases.place();
        const other = await databases.open(elsewhere);
        try {
          await opened.database.snapshot((run) =>
            other.database.transaction('import', async (put) => {
              for (const table of COPIED_TABLES)
                for await (const page of pagesOf(run, table)) await putRows(put, table, page);
            }),
          );
          expect(await contents(other)).toEqual(await contents(opened));
        } finally {
          await other.database.close();
          databases.remove(elsewhere);
        }
      });
    });
});
