import { randomUUID } from 'node:crypto';
import type { Lease } from '../../ports/lease.ts';
import type { AgentDatabase } from '../database.ts';

/** Milliseconds since 1970 by the server, so that the clocks of replicas do not matter. */
const NOW = 'CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)';

/** {@link Lease} on PostgreSQL, of this process under a name that nobody else has. */
export function postgresLease(database: AgentDatabase, name: string): Lease {
  const holder = randomUUID();
  return {
    async hold(ms) {
      const { rows } = await database.run(
        `INSERT INTO leases (name, holder, until) VALUES ($1, $2, ${NOW} + $3)
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
         WHERE leases.holder = excluded.holder OR leases.until < ${NOW} RETURNING 1 AS one`,
        [name, holder, ms],
      );
      return rows.length > 0;
    },
    async release() {
      await database.run('DELETE FROM leases WHERE name = $1 AND holder = $2', [name, holder]);
    },
  };
}
