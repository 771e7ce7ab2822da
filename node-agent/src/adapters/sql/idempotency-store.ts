import type { IdempotencyStore } from '../../ports/idempotency-store.ts';
import type { AgentDatabase } from '../database.ts';

/** {@link IdempotencyStore} in a database. */
export function sqlIdempotencyStore(database: AgentDatabase): IdempotencyStore {
  return {
    async claim(key, { request, at }) {
      for (;;) {
        // One statement, so that of two at the same time one is first, in whichever process.
        const claimed = await database.run(
          `INSERT INTO idempotency_keys (key, request, at) VALUES ($1, $2, $3)
           ON CONFLICT DO NOTHING RETURNING 1 AS one`,
          [key, request, at],
        );
        if (claimed.rows.length > 0) return undefined;
        const { rows } = await database.run('SELECT request, at FROM idempotency_keys WHERE key = $1', [key]);
        const [before] = rows;
        if (before !== undefined) return { request: String(before['request']), at: Number(before['at']) };
        // Released in between, since what it came with was refused: free again.
      }
    },
    async release(key) {
      await database.run('DELETE FROM idempotency_keys WHERE key = $1', [key]);
    },
    async forgetBefore(moment) {
      await database.run('DELETE FROM idempotency_keys WHERE at < $1', [moment]);
    },
  };
}
