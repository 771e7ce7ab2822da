import { randomUUID } from 'node:crypto';
import { HitError } from '@hitmachine/protocol';
import type {
  ImportChange,
  ImportStage,
  PseudonymStore,
  StoredPseudonym,
} from '../../ports/pseudonym-store.ts';
import type { AgentDatabase, Run, Value } from '../database.ts';
import { places } from '../database.ts';
import { IMPORTED_AT, refuseOtherContent } from '../expected-content.ts';
import {
  EVALUATION_MOVED,
  NODE_KEY_IN_USE,
  refuseFormerEvaluationKey,
  refuseOtherNodeKey,
} from '../node-key-in-use.ts';
import { isoDay, pseudonymReader } from '../pseudonym-reader.ts';

/** The rows of a register ($1) that are its content: others stand beside them while they are made anew with other keys. */
const VERSION = 'coalesce((SELECT version FROM imports WHERE register = $1), 0)';
const IN_USE = `version = ${VERSION}`;
/** Rows of one statement: a statement takes 65,535 values. */
const AT_ONCE = 4_000;
/** What an import that was killed has gathered is thrown away by the next one after this long. */
const FORGOTTEN_MS = 86_400_000;

/** {@link PseudonymStore} on PostgreSQL. */
export function postgresPseudonymStore(database: AgentDatabase): PseudonymStore {
  return {
    ...pseudonymReader(database),
    async beginImport(register) {
      const begun = Date.now();
      await database.run('DELETE FROM incoming WHERE begun < $1', [begun - FORGOTTEN_MS]);
      return stageOf(database, register, begun);
    },
  };
}

/** Collects in a table beside the others, under a name of its own. */
function stageOf(database: AgentDatabase, register: string, begun: number): ImportStage {
  const stage = randomUUID();
  let gathered = 0;
  /** Another process may have taken this import for one that was killed: what is left of it is not the source. */
  const checkWhole = async (run: Run): Promise<void> => {
    const { rows } = await run('SELECT count(*) AS n FROM incoming WHERE stage = $1', [stage]);
    if (rows[0]?.['n'] !== gathered)
      throw new HitError(
        'storage-failed',
        'what this import had gathered in the database is not whole any more, so nothing was changed: it took more than a day, or the clocks of the machines that share the database differ by as much. Set the clocks, and import again',
      );
  };
  const abandon = async (): Promise<void> => {
    await database.run('DELETE FROM incoming WHERE stage = $1', [stage]);
  };
  return {
    async add(tokenType, pseudonyms) {
      const rows = laterEnds(pseudonyms);
      for (let at = 0; at < rows.length; at += AT_ONCE) {
        // Others add meanwhile.
        const fresh = await addRows(database.run, stage, tokenType, rows.slice(at, at + AT_ONCE), begun);
        gathered += fresh;
      }
    },
    async addHeld() {
      const { rows } = await database.run(
        `WITH put AS (
           INSERT INTO incoming (stage, token_type, element, masked_hash, kept_until, begun)
           SELECT $2, token_type, element, masked_hash, kept_until, $3 FROM pseudonyms
           WHERE register = $1 AND ${IN_USE} RETURNING 1) SELECT count(*) AS n FROM put`,
        [register, stage, begun],
      );
      gathered += rows[0]?.['n'] as number;
    },
    async remove(tokenType, elements) {
      for (let at = 0; at < elements.length; at += AT_ONCE) {
        const some = elements.slice(at, at + AT_ONCE);
        const places = some.map((_, i) => `$${i + 3}`).join(', ');
        const { rows } = await database.run(
          `WITH gone AS (DELETE FROM incoming WHERE stage = $1 AND token_type = $2 AND element IN (${places}) RETURNING 1)
           SELECT count(*) AS n FROM gone`,
          [stage, tokenType, ...some],
        );
        gathered -= rows[0]?.['n'] as number;
      }
    },
    async commit(clients, { evaluationKey, nodeKey }, now, over) {
      try {
        return await database.transaction('import', async (run): Promise<ImportChange> => {
          refuseOtherNodeKey(nodeKey, (await run(NODE_KEY_IN_USE)).rows[0]?.['value']);
          refuseFormerEvaluationKey(evaluationKey, (await run(EVALUATION_MOVED)).rows[0]?.['value']);
          refuseOtherContent(over, (await run(IMPORTED_AT, [register])).rows[0]?.['imported_at']);
          const { added, removed, unchanged, moved } = await take(run, register, stage);
          await run(
            `INSERT INTO imports (register, generation, clients, imported_at, evaluation_key, node_key)
             VALUES ($1, 1, $2, $3, $4, $6)
             ON CONFLICT (register) DO UPDATE SET generation = imports.generation + $5, clients = excluded.clients,
               imported_at = excluded.imported_at, evaluation_key = excluded.evaluation_key, node_key = excluded.node_key`,
            [register, clients, now, evaluationKey, added + removed + moved > 0 ? 1 : 0, nodeKey],
          );
          // Last of all: what is whole now was whole in every step.
          await checkWhole(run);
          return { added, removed, unchanged };
        });
      } finally {
        await abandon();
      }
    },
    async preview() {
      const { rows } = await database.run(
        `SELECT (SELECT count(*) FROM pseudonyms WHERE register = $1 AND ${IN_USE}) AS before,
           (SELECT count(*) FROM incoming WHERE stage = $2) AS incoming,
           (SELECT count(*) FROM pseudonyms p JOIN incoming i USING (token_type, element)
            WHERE p.register = $1 AND p.${IN_USE} AND i.stage = $2) AS unchanged`,
        [register, stage],
      );
      await checkWhole(database.run);
      const { before, incoming, unchanged } = rows[0] as Record<'before' | 'incoming' | 'unchanged', number>;
      return { added: incoming - unchanged, removed: before - unchanged, unchanged };
    },
    abandon,
  };
}

/** One statement may not meet the same row twice. */
function laterEnds(pseudonyms: readonly StoredPseudonym[]): StoredPseudonym[] {
  const rows = new Map<string, StoredPseudonym>();
  for (const one of pseudonyms) {
    const key = Buffer.from(one.element).toString('base64');
    const { until } = rows.get(key) ?? one;
    const later = until === undefined || one.until === undefined ? undefined : Math.max(until, one.until);
    rows.set(key, { ...one, until: later });
  }
  return [...rows.values()];
}

/** Gives how many of them were not there. */
async function addRows(
  run: Run,
  stage: string,
  tokenType: string,
  rows: readonly StoredPseudonym[],
  begun: number,
): Promise<number> {
  if (rows.length === 0) return 0;
  const { rows: counted } = await run(
    // Of two ends the later; none, which is empty, is later than all. A row that was there before has an xmax.
    `WITH put AS (
     INSERT INTO incoming (stage, token_type, element, masked_hash, kept_until, begun) VALUES ${places(rows.length, 6)}
     ON CONFLICT (stage, token_type, element) DO UPDATE SET kept_until =
       CASE WHEN incoming.kept_until IS NULL OR excluded.kept_until IS NULL THEN NULL
            ELSE greatest(incoming.kept_until, excluded.kept_until) END
     RETURNING (xmax = 0) AS fresh) SELECT count(*) FILTER (WHERE fresh) AS n FROM put`,
    rows.flatMap(({ element, maskedHash, until }): Value[] => [
      ...[stage, tokenType, element, maskedHash, until === undefined ? null : isoDay(until), begun],
    ]),
  );
  return counted[0]?.['n'] as number;
}

/** Makes what was gathered the content of the register, inside a transaction. */
async function take(
  run: Run,
  register: string,
  stage: string,
): Promise<ImportChange & { readonly moved: number }> {
  const numberOf = async (text: string): Promise<number> =>
    (await run(text, [register, stage])).rows[0]?.['n'] as number;
  const before = await numberOf(
    `SELECT count(*) AS n FROM pseudonyms WHERE register = $1 AND ${IN_USE} AND $2::text IS NOT NULL`,
  );
  const removed = await numberOf(
    `WITH gone AS (
       DELETE FROM pseudonyms p WHERE p.register = $1 AND p.${IN_USE} AND NOT EXISTS (
         SELECT FROM incoming i WHERE i.stage = $2 AND i.token_type = p.token_type AND i.element = p.element)
       RETURNING 1) SELECT count(*) AS n FROM gone`,
  );
  const moved = await numberOf(
    `WITH moved AS (
       UPDATE pseudonyms p SET kept_until = i.kept_until FROM incoming i
       WHERE p.register = $1 AND p.${IN_USE} AND i.stage = $2 AND i.token_type = p.token_type
         AND i.element = p.element AND i.kept_until IS DISTINCT FROM p.kept_until
       RETURNING 1) SELECT count(*) AS n FROM moved`,
  );
  const added = await numberOf(
    `WITH added AS (
       INSERT INTO pseudonyms (register, token_type, element, masked_hash, kept_until, version)
       SELECT $1, token_type, element, masked_hash, kept_until, ${VERSION} FROM incoming WHERE stage = $2
       ON CONFLICT DO NOTHING RETURNING 1) SELECT count(*) AS n FROM added`,
  );
  return { added, removed, unchanged: before - removed, moved };
}
