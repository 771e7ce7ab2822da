import { ASKED_ABOUT_REGISTER } from '@hitmachine/protocol';
import type { AskedAboutStore } from '../../ports/asked-about-store.ts';
import type { AskedAbout } from '../../ports/agency-log.ts';
import type { MadeWith } from '../../ports/pseudonym-store.ts';
import type { AgentDatabase, Run } from '../database.ts';
import {
  EVALUATION_MOVED,
  NODE_KEY_IN_USE,
  refuseFormerEvaluationKey,
  refuseOtherNodeKey,
} from '../node-key-in-use.ts';

/** The rows that are the register's content ($1: the register): others stand beside them while keys change. */
const VERSION = '(SELECT version FROM imports WHERE register = $1)';

const evaluationKeyOf = async (run: Run): Promise<unknown> =>
  (await run('SELECT evaluation_key FROM imports WHERE register = $1', [ASKED_ABOUT_REGISTER])).rows[0]?.[
    'evaluation_key'
  ];

/** {@link AskedAboutStore} in a database. */
export function sqlAskedAboutStore(database: AgentDatabase): AskedAboutStore {
  return {
    async canaryTypes(evaluationKey) {
      if ((await evaluationKeyOf(database.run)) !== evaluationKey) return [];
      const { rows } = await database.run(
        `SELECT token_type FROM pseudonyms WHERE register = $1 AND kept_until IS NULL AND version = ${VERSION}`,
        [ASKED_ABOUT_REGISTER],
      );
      return rows.map((row) => String(row['token_type']));
    },
    addCanaries: (canaries, madeWith, now) =>
      database.transaction('log', async (run) => {
        await startUnder(run, madeWith, now);
        for (const [tokenType, { element, maskedHash }] of canaries)
          await run(
            `INSERT INTO pseudonyms (register, token_type, element, masked_hash, version)
             VALUES ($1, $2, $3, $4, ${VERSION}) ON CONFLICT DO NOTHING`,
            [ASKED_ABOUT_REGISTER, tokenType, element, maskedHash],
          );
        await countUp(run, 0);
      }),
  };
}

/** What was gathered under another evaluation key goes: it matches nobody any more. */
async function startUnder(run: Run, { evaluationKey, nodeKey }: MadeWith, now: number): Promise<void> {
  refuseOtherNodeKey(nodeKey, (await run(NODE_KEY_IN_USE)).rows[0]?.['value']);
  refuseFormerEvaluationKey(evaluationKey, (await run(EVALUATION_MOVED)).rows[0]?.['value']);
  if ((await evaluationKeyOf(run)) === evaluationKey) return;
  await run('DELETE FROM pseudonyms WHERE register = $1', [ASKED_ABOUT_REGISTER]);
  await run(
    `INSERT INTO imports (register, generation, clients, imported_at, evaluation_key, node_key)
     VALUES ($1, 0, 0, $2, $3, $4) ON CONFLICT (register) DO UPDATE
     SET clients = 0, imported_at = excluded.imported_at, evaluation_key = excluded.evaluation_key,
       node_key = excluded.node_key`,
    [ASKED_ABOUT_REGISTER, now, evaluationKey, nodeKey],
  );
}

async function countUp(run: Run, added: number): Promise<void> {
  await run('UPDATE imports SET generation = generation + 1, clients = clients + $1 WHERE register = $2', [
    added,
    ASKED_ABOUT_REGISTER,
  ]);
}

/**
 * Adds persons, inside a transaction of the caller. The register counts as changed whether or not they were there: new
 * tables can be seen, and must not tell whether somebody had been asked about before.
 */
export async function addAskedAbout(run: Run, askedAbout: AskedAbout, now: number): Promise<void> {
  const { persons, keptUntil } = askedAbout;
  await startUnder(run, askedAbout, now);
  let added = 0;
  for (const person of persons) {
    let isNew = false;
    for (const [tokenType, { element, maskedHash }] of person) {
      const place = [ASKED_ABOUT_REGISTER, tokenType, element] as const;
      const { rows } = await run(
        'SELECT 1 AS one FROM pseudonyms WHERE register = $1 AND token_type = $2 AND element = $3',
        place,
      );
      isNew ||= rows.length === 0;
      await run(
        `INSERT INTO pseudonyms (register, token_type, element, masked_hash, kept_until, version)
         VALUES ($1, $2, $3, $4, $5, ${VERSION}) ON CONFLICT (register, token_type, element) DO UPDATE SET kept_until = excluded.kept_until
         WHERE pseudonyms.kept_until < excluded.kept_until`,
        [...place, maskedHash, keptUntil],
      );
    }
    if (isNew) added++;
  }
  await countUp(run, added);
}

/**
 * Takes out who is kept until a day before `today`, inside a transaction of the caller. Gives how many pseudonyms. They
 * leave the tables with those of the next day: new ones at once would tell that nobody asked again.
 */
export async function removeAskedAbout(run: Run, today: string): Promise<number> {
  const gone = await run(
    'DELETE FROM pseudonyms WHERE register = $1 AND kept_until < $2 RETURNING 1 AS one',
    [ASKED_ABOUT_REGISTER, today],
  );
  if (gone.rows.length === 0) return 0;
  // Which pseudonyms belong to one person is not kept; each person has one of some type at least.
  const { rows } = await run(
    `SELECT max(n) AS n FROM (SELECT count(*) AS n FROM pseudonyms
     WHERE register = $1 AND kept_until IS NOT NULL AND version = ${VERSION} GROUP BY token_type) AS counts`,
    [ASKED_ABOUT_REGISTER],
  );
  await run('UPDATE imports SET clients = $1 WHERE register = $2', [
    (rows[0]?.['n'] as number | null | undefined) ?? 0,
    ASKED_ABOUT_REGISTER,
  ]);
  return gone.rows.length;
}
