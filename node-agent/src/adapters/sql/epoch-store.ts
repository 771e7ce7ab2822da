import { LIMITS } from '@hitmachine/protocol';
import type { EpochStore } from '../../ports/epoch-store.ts';
import type { AgentDatabase } from '../database.ts';

interface EpochRow {
  readonly epoch: number;
  readonly day: string;
  readonly generations: string;
  readonly node_key: string;
  readonly evaluation_key: string;
  readonly commitment: Uint8Array | null;
}

interface TableRow {
  readonly register: string;
  readonly token_type: string;
  readonly bits: number;
  readonly capacity: number;
  readonly bytes: Uint8Array;
}

/** {@link EpochStore} in a database. */
export function sqlEpochStore(database: AgentDatabase): EpochStore {
  return {
    nextEpoch: (now, standing = 0) =>
      database.transaction('epoch', async (run) => {
        const { rows } = await run(
          `SELECT coalesce((SELECT CAST(value AS bigint) FROM state WHERE name = 'epoch'), 0) AS reserved,
                  coalesce((SELECT max(epoch) FROM epochs), 0) AS answered`,
        );
        const { reserved, answered } = rows[0] as { reserved: number; answered: number };
        const last = reserved < now + LIMITS.epochAheadMs ? Math.max(reserved, answered) : answered;
        const next = Math.max(last + 1, standing + 1, now);
        await run(
          `INSERT INTO state (name, value) VALUES ('epoch', $1)
           ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
          [String(next)],
        );
        return next;
      }),
    switchTo: ({ epoch, day, generations, nodeKey, evaluationKey, commitment, tables }) =>
      database.transaction('epoch', async (run) => {
        const { rows } = await run('SELECT 1 AS one FROM epochs WHERE epoch > $1', [epoch]);
        if (rows.length > 0) return false;
        await run('DELETE FROM epochs');
        await run(
          `INSERT INTO epochs (epoch, day, generations, node_key, evaluation_key, commitment)
           VALUES ($1, $2, $3, $4, $5, $6)`,
          [epoch, day, JSON.stringify(generations), nodeKey, evaluationKey, commitment ?? null],
        );
        for (const { register, tokenType, table } of tables)
          await run(
            `INSERT INTO tables (epoch, register, token_type, bits, capacity, bytes)
             VALUES ($1, $2, $3, $4, $5, $6)`,
            [epoch, register, tokenType, table.bits, table.capacity, table.bytes],
          );
        return true;
      }),
    async newest() {
      const { rows } = await database.run('SELECT max(epoch) AS epoch FROM epochs');
      return (rows[0]?.['epoch'] as number | null | undefined) ?? undefined;
    },
    current: () =>
      database.transaction('epoch', async (run) => {
        const row = (
          await run('SELECT epoch, day, generations, node_key, evaluation_key, commitment FROM epochs')
        ).rows[0] as EpochRow | undefined;
        if (row === undefined) return undefined;
        const { rows } = await run(
          `SELECT register, token_type, bits, capacity, bytes FROM tables WHERE epoch = $1
           ORDER BY register, token_type`,
          [row.epoch],
        );
        return {
          epoch: row.epoch,
          day: row.day,
          generations: JSON.parse(row.generations) as Record<string, number>,
          nodeKey: row.node_key,
          evaluationKey: row.evaluation_key,
          commitment: row.commitment ?? undefined,
          tables: (rows as unknown as TableRow[]).map(
            ({ register, token_type: tokenType, bits, capacity, bytes }) => ({
              register,
              tokenType,
              table: { bits, capacity, bytes },
            }),
          ),
        };
      }),
  };
}
