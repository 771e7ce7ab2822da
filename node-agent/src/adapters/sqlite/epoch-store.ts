import type { DatabaseSync } from 'node:sqlite';
import { LIMITS } from '@hitmachine/protocol';
import type { EpochStore } from '../../ports/epoch-store.ts';
import { inTransaction } from './database.ts';

interface TableRow {
  readonly register: string;
  readonly token_type: string;
  readonly bits: number;
  readonly capacity: number;
  readonly bytes: Uint8Array;
}

/** {@link EpochStore} on SQLite. */
export function sqliteEpochStore(database: DatabaseSync): EpochStore {
  return {
    nextEpoch: (now, standing = 0) =>
      inTransaction(database, () => {
        const { reserved, answered } = database
          .prepare(
            `SELECT coalesce((SELECT CAST(value AS INTEGER) FROM state WHERE name = 'epoch'), 0) AS reserved,
                    coalesce((SELECT max(epoch) FROM epochs), 0) AS answered`,
          )
          .get() as { reserved: number; answered: number };
        const last = reserved < now + LIMITS.epochAheadMs ? Math.max(reserved, answered) : answered;
        const next = Math.max(last + 1, standing + 1, now);
        database
          .prepare(
            `INSERT INTO state (name, value) VALUES ('epoch', ?)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
          )
          .run(String(next));
        return next;
      }),
    switchTo({ epoch, day, generations, commitment, tables }) {
      inTransaction(database, () => {
        database.exec('DELETE FROM epochs');
        database
          .prepare('INSERT INTO epochs (epoch, day, generations, commitment) VALUES (?, ?, ?, ?)')
          .run(epoch, day, JSON.stringify(generations), commitment ?? null);
        const insert = database.prepare(
          'INSERT INTO tables (epoch, register, token_type, bits, capacity, bytes) VALUES (?, ?, ?, ?, ?, ?)',
        );
        for (const { register, tokenType, table } of tables)
          insert.run(epoch, register, tokenType, table.bits, table.capacity, table.bytes);
      });
    },
    current() {
      const row = database.prepare('SELECT epoch, day, generations, commitment FROM epochs').get() as
        { epoch: number; day: string; generations: string; commitment: Uint8Array | null } | undefined;
      if (row === undefined) return undefined;
      const tables = database
        .prepare('SELECT register, token_type, bits, capacity, bytes FROM tables WHERE epoch = ?')
        .all(row.epoch) as unknown as TableRow[];
      return {
        epoch: row.epoch,
        day: row.day,
        generations: JSON.parse(row.generations) as Record<string, number>,
        commitment: row.commitment ?? undefined,
        tables: tables.map(({ register, token_type: tokenType, bits, capacity, bytes }) => ({
          register,
          tokenType,
          table: { bits, capacity, bytes },
        })),
      };
    },
  };
}
