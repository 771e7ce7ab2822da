import { HitError } from '@hitmachine/protocol';
import type { PushedClient, PushedClients } from '../../ports/pushed-clients.ts';
import type { AgentDatabase, Run } from '../database.ts';

const CLIENT = 'fingerprint, sealed, evaluation_key AS "evaluationKey", node_key AS "nodeKey"';
/** Clients of one look at the table. */
const AT_ONCE = 500;
/** No push is under way for so long; until then it is known which change of a client began last. */
const ORDERED_MS = 3_600_000;
const NOW = 'CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)';

/** {@link PushedClients} on PostgreSQL, which several replicas change at the same time. */
export function postgresPushedClients(database: AgentDatabase): PushedClients {
  const numberOf = async (text: string, register: string): Promise<number> =>
    ((await database.run(text, [register])).rows[0]?.['n'] as number | undefined) ?? 0;
  /** Changes one client, unless a later change of it is stored. */
  const change = (
    register: string,
    fingerprint: Uint8Array,
    turn: number,
    work: (run: Run) => Promise<unknown>,
  ): Promise<void> =>
    database.transaction('push', async (run) => {
      const { rows } = await run(
        `INSERT INTO pushed_changes (register, fingerprint, turn, at) VALUES ($1, $2, $3, ${NOW})
         ON CONFLICT (register, fingerprint) DO UPDATE SET turn = excluded.turn, at = excluded.at
         WHERE pushed_changes.turn < excluded.turn RETURNING 1 AS one`,
        [register, fingerprint, turn],
      );
      if (rows.length === 0) return;
      await work(run);
      await run(
        `INSERT INTO versions (register, version) VALUES ($1, 1)
         ON CONFLICT (register) DO UPDATE SET version = versions.version + 1`,
        [register],
      );
    });
  return {
    async adopt(nodeKey) {
      await database.run("UPDATE pushed SET node_key = $1 WHERE node_key = ''", [nodeKey]);
    },
    async begin() {
      return (await database.run("SELECT nextval('push_turns') AS n")).rows[0]?.['n'] as number;
    },
    put: (register, { fingerprint, sealed, evaluationKey, nodeKey }, turn) =>
      change(register, fingerprint, turn, (run) =>
        run(
          `INSERT INTO pushed (register, fingerprint, sealed, evaluation_key, node_key) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (register, fingerprint) DO UPDATE SET sealed = excluded.sealed,
             evaluation_key = excluded.evaluation_key, node_key = excluded.node_key`,
          [register, fingerprint, sealed, evaluationKey, nodeKey],
        ),
      ),
    remove: (register, fingerprint, turn) =>
      change(register, fingerprint, turn, (run) =>
        run('DELETE FROM pushed WHERE register = $1 AND fingerprint = $2', [register, fingerprint]),
      ),
    async ofOtherKeys(register, { nodeKey, evaluationKey = null }, limit) {
      const { rows } = await database.run(
        `SELECT ${CLIENT} FROM pushed
         WHERE register = $1 AND (node_key <> $2 OR evaluation_key <> coalesce($3, evaluation_key))
         ORDER BY fingerprint LIMIT $4`,
        [register, nodeKey, evaluationKey, limit],
      );
      return rows as unknown as PushedClient[];
    },
    async makeAnew(register, before, { sealed, evaluationKey, nodeKey }) {
      await database.run(
        `UPDATE pushed SET sealed = $1, evaluation_key = $2, node_key = $3
         WHERE register = $4 AND fingerprint = $5 AND sealed = $6`,
        [sealed, evaluationKey, nodeKey, register, before.fingerprint, before.sealed],
      );
    },
    count: (register) => numberOf('SELECT count(*) AS n FROM pushed WHERE register = $1', register),
    version: (register) => numberOf('SELECT version AS n FROM versions WHERE register = $1', register),
    async replaceable(register) {
      const { rows } = await database.run(
        'SELECT before, made, agreed FROM replaceable WHERE register = $1',
        [register],
      );
      const { before, made, agreed } = (rows[0] ?? {}) as Record<string, number | null>;
      return { before: before ?? undefined, made: made ?? undefined, agreed: agreed ?? undefined };
    },
    async replacing(register, before, made) {
      const { rows } = await database.run(
        `INSERT INTO replaceable (register, before, made)
         SELECT $1, CAST($2 AS bigint), CAST($3 AS bigint)
         WHERE (SELECT imported_at FROM imports WHERE register = $1) IS NOT DISTINCT FROM CAST($2 AS bigint)
         ON CONFLICT (register) DO UPDATE SET before = excluded.before, made = excluded.made RETURNING 1 AS one`,
        [register, before ?? null, made],
      );
      if (rows.length === 0)
        throw new HitError('not-ready', 'another replica has changed this register meanwhile');
      await database.run(`DELETE FROM pushed_changes WHERE at < ${NOW} - $1`, [ORDERED_MS]);
    },
    async agree(register, before) {
      await database.run(
        `INSERT INTO replaceable (register, agreed) VALUES ($1, $2)
         ON CONFLICT (register) DO UPDATE SET agreed = excluded.agreed`,
        [register, before],
      );
    },
    async *all(register) {
      for (let after = new Uint8Array(); ;) {
        const { rows } = await database.run(
          `SELECT ${CLIENT} FROM pushed WHERE register = $1 AND fingerprint > $2 ORDER BY fingerprint LIMIT $3`,
          [register, after, AT_ONCE],
        );
        const clients = rows as unknown as PushedClient[];
        yield* clients;
        const last = clients.at(-1);
        if (last === undefined) return;
        after = Uint8Array.from(last.fingerprint);
      }
    },
    // The database is the agent's, and closed with it.
    close: () => undefined,
  };
}
