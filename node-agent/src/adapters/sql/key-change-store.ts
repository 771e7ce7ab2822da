import { ASKED_ABOUT_REGISTER, HitError } from '@hitmachine/protocol';
import { eachAtOnce } from '../../at-once.ts';
import type { EvaluationChange, KeyChangeStore, MakeAnew, WantedKeys } from '../../ports/key-change-store.ts';
import type { AgentDatabase, Run } from '../database.ts';
import { NODE_KEY_IN_USE } from '../node-key-in-use.ts';
import { addMissing, catchUp, missingRows } from './rows-made-anew.ts';

const PUT_STATE = `INSERT INTO state (name, value) VALUES ($1, $2)
  ON CONFLICT (name) DO UPDATE SET value = excluded.value`;
/** Rows that are removed in one transaction: others write meanwhile. */
const REMOVED_AT_ONCE = 1_000;

interface ImportRow {
  readonly register: string;
  readonly generation: number;
  readonly version: number;
}

/** {@link KeyChangeStore} in a database. */
export function sqlKeyChangeStore(database: AgentDatabase): KeyChangeStore {
  const stateOf = async (run: Run, name: string): Promise<string | undefined> =>
    (await run('SELECT value FROM state WHERE name = $1', [name])).rows[0]?.['value'] as string | undefined;
  const nodeKeyInUse = async (run = database.run): Promise<string | undefined> =>
    (await run(NODE_KEY_IN_USE)).rows[0]?.['value'] as string | undefined;
  const isWanted = async (run: Run, wanted: WantedKeys): Promise<boolean> =>
    (await stateOf(run, 'keys-wanted')) === JSON.stringify(wanted);
  /** The registers that were made with the keys in use. */
  const moving = async (run: Run, { evaluation }: WantedKeys): Promise<readonly ImportRow[]> => {
    const { rows } = await run(
      `SELECT register, generation, version FROM imports
       WHERE node_key = (${NODE_KEY_IN_USE}) AND evaluation_key = coalesce($1, evaluation_key) ORDER BY register`,
      [evaluation?.from ?? null],
    );
    return rows as unknown as ImportRow[];
  };
  /** In transactions of their own, so that nobody waits for long. */
  const inPieces = <T>(wanted: WantedKeys, work: (run: Run) => Promise<T>): Promise<T> =>
    database.transaction('import', async (run) => {
      if (!(await isWanted(run, wanted)))
        throw new HitError(
          'key-changed',
          'the keys were changed meanwhile, by another process of this agent',
        );
      return work(run);
    });

  return {
    nodeKeyInUse: () => nodeKeyInUse(),
    adopt: (nodeKey) =>
      database.transaction('keys', async (run) => {
        if ((await nodeKeyInUse(run)) !== undefined) return;
        await run(PUT_STATE, ['node-key', nodeKey]);
        for (const table of ['imports', 'epochs'])
          await run(`UPDATE ${table} SET node_key = $1 WHERE node_key = ''`, [nodeKey]);
      }),
    async wanted() {
      const text = await stateOf(database.run, 'keys-wanted');
      return text === undefined ? undefined : (JSON.parse(text) as WantedKeys);
    },
    want: (wanted) =>
      database.transaction('keys', async (run) => {
        if ((await stateOf(run, 'keys-wanted')) !== undefined)
          throw new HitError('already-exists', 'a change of keys is under way already');
        await run(PUT_STATE, ['keys-wanted', JSON.stringify(wanted)]);
      }),
    async evaluationKeyInUse() {
      const [wanted, moved] = [
        await stateOf(database.run, 'keys-wanted'),
        await stateOf(database.run, 'evaluation-moved'),
      ];
      const change = wanted === undefined ? undefined : (JSON.parse(wanted) as WantedKeys).evaluation;
      return change?.from ?? (moved === undefined ? undefined : (JSON.parse(moved) as EvaluationChange).to);
    },
    async progress() {
      const { rows } = await database.run(
        `SELECT count(CASE WHEN p.version > i.version THEN 1 END) AS done,
           count(CASE WHEN p.version = i.version THEN 1 END) AS total
         FROM pseudonyms p JOIN imports i USING (register) WHERE i.node_key = (${NODE_KEY_IN_USE})`,
      );
      const { done, total } = rows[0] as { done: number; total: number };
      return { done, total };
    },
    async bringUp(wanted, make, atOnce) {
      const registers = await moving(database.run, wanted);
      for (const at of registers) {
        await catchUp(database.run, (work) => inPieces(wanted, work), at);
        await eachAtOnce(missingRows(database.run, at), atOnce, async (rows) => {
          const made = await make(rows.page);
          await inPieces(wanted, (run) => addMissing(run, at, rows, made));
        });
      }
      return Object.fromEntries(registers.map(({ register, generation }) => [register, generation]));
    },
    switchTo: (wanted, from, make) =>
      database.transaction('keys', async (run) => {
        if (!(await isWanted(run, wanted))) return false;
        const registers = await moving(run, wanted);
        const isAsBefore = registers.every(
          ({ register, generation }) =>
            register in from && (register === ASKED_ABOUT_REGISTER || from[register] === generation),
        );
        if (!isAsBefore) return false;
        const asked = registers.find(({ register }) => register === ASKED_ABOUT_REGISTER);
        // It grows with every lookup, so it never stands still: what came last is made anew while nothing can come.
        if (asked !== undefined && from[ASKED_ABOUT_REGISTER] !== asked.generation) {
          await catchUp(run, (work) => work(run), asked);
          await finish(run, asked, make);
        }
        await run(
          `UPDATE imports SET version = version + 1, generation = generation + 1, node_key = $1,
             evaluation_key = coalesce($3, evaluation_key)
           WHERE node_key = (${NODE_KEY_IN_USE}) AND evaluation_key = coalesce($2, evaluation_key)`,
          [wanted.nodeKey, wanted.evaluation?.from ?? null, wanted.evaluation?.to ?? null],
        );
        if (wanted.evaluation !== undefined)
          await run(PUT_STATE, ['evaluation-moved', JSON.stringify(wanted.evaluation)]);
        await run(PUT_STATE, ['node-key', wanted.nodeKey]);
        await run("DELETE FROM state WHERE name = 'keys-wanted'");
        await run(PUT_STATE, ['keys-former', 'there']);
        return true;
      }),
    async isSettled() {
      const { rows } = await database.run(
        `SELECT (SELECT count(*) FROM state WHERE name IN ('keys-wanted', 'keys-former')) AS changes,
           (SELECT count(*) FROM epochs WHERE node_key <> (${NODE_KEY_IN_USE})) AS tables`,
      );
      const { changes, tables } = rows[0] as Record<'changes' | 'tables', number>;
      return changes + tables === 0;
    },
    removeFormer: () =>
      database.transaction('import', async (run) => {
        if ((await stateOf(run, 'keys-former')) === undefined) return false;
        const { rows } = await run(
          `SELECT n.register, n.token_type, n.element, n.origin FROM pseudonyms n JOIN imports i USING (register)
           WHERE n.origin IS NOT NULL AND n.version = i.version LIMIT ${REMOVED_AT_ONCE}`,
        );
        for (const { register, token_type: type, element, origin } of rows as unknown as OriginRow[]) {
          const place = [register, type] as const;
          await run('DELETE FROM pseudonyms WHERE register = $1 AND token_type = $2 AND element = $3', [
            ...place,
            origin,
          ]);
          await run(
            'UPDATE pseudonyms SET origin = NULL WHERE register = $1 AND token_type = $2 AND element = $3',
            [...place, element],
          );
        }
        if (rows.length > 0) return true;
        // Those whose new ones an import has removed meanwhile.
        const left = await run(
          `SELECT p.register, p.token_type, p.element FROM pseudonyms p JOIN imports i USING (register)
           WHERE p.version < i.version LIMIT ${REMOVED_AT_ONCE}`,
        );
        for (const row of left.rows as unknown as OriginRow[])
          await run('DELETE FROM pseudonyms WHERE register = $1 AND token_type = $2 AND element = $3', [
            ...[row.register, row.token_type, row.element],
          ]);
        if (left.rows.length === 0) await run("DELETE FROM state WHERE name = 'keys-former'");
        return left.rows.length > 0;
      }),
  };
}

interface OriginRow {
  readonly register: string;
  readonly token_type: string;
  readonly element: Uint8Array;
  readonly origin: Uint8Array;
}

async function finish(run: Run, at: ImportRow, make: MakeAnew): Promise<void> {
  for await (const rows of missingRows(run, at)) await addMissing(run, at, rows, await make(rows.page));
}
