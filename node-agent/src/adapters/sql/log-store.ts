import type { TreeHead } from '@hitmachine/protocol';
import type { Alarm, AlarmKind, LogStore, SeenHead, SignedHead } from '../../ports/log-store.ts';
import type { AgentDatabase, Run } from '../database.ts';
import type { Sealer } from './sealed.ts';

interface HeadRow {
  readonly size: number;
  readonly root: Uint8Array;
  readonly note: string;
}

interface AlarmRow {
  readonly number: number;
  readonly at: number;
  readonly kind: AlarmKind;
  readonly detail: string;
  readonly sealed: Uint8Array;
  readonly resolved_at: number | null;
}

type HeadName = 'newest' | 'cosigned' | 'offered';

/** How far answered lookups were compared with the gateway's log. */
const COMPARED = 'log-compared';

/** {@link LogStore} in a database. Heads are nobody's secret; the evidence of an alarm may hold entries, and is sealed. */
export function sqlLogStore(database: AgentDatabase, sealer: Sealer): LogStore {
  const placeOf = (number: number): string => `alarm ${number}`;
  const fromRow = (row: AlarmRow): Alarm => ({
    number: row.number,
    at: row.at,
    kind: row.kind,
    detail: row.detail,
    evidence: sealer.open(placeOf(row.number), row.sealed) as string[],
    resolvedAt: row.resolved_at ?? undefined,
  });

  return {
    heads: async () => {
      const { rows } = await database.run('SELECT name, size, root, note FROM log_heads');
      const head = (name: HeadName): SignedHead | undefined =>
        headOf(rows.find((row) => row['name'] === name));
      return { newest: head('newest'), cosigned: head('cosigned'), offered: head('offered') };
    },
    advance: (expected, { newest, cosigned }) =>
      database.transaction('heads', async (run) => {
        if ((await isBlocked(run)) || !sameHead(await readHead(run, 'newest'), expected)) return false;
        // Another replica may have signed for more meanwhile, or for another log of this size.
        const signed = await readHead(run, 'cosigned');
        if (cosigned !== undefined && signed !== undefined && !isNotBefore(cosigned, signed)) return false;
        if (newest !== undefined) await putHead(run, 'newest', newest);
        if (cosigned !== undefined) await putHead(run, 'cosigned', cosigned);
        return true;
      }),
    offer: (offered) => putHead(database.run, 'offered', offered),
    async pending() {
      const { rows } = await database.run(
        'SELECT size, root, note, source, at FROM log_pending ORDER BY at, size',
      );
      return (rows as unknown as (HeadRow & { readonly source: string; readonly at: number })[]).map(
        ({ size, root, note, source, at }): SeenHead => ({ size, root, note, from: source, at }),
      );
    },
    async keepPending({ size, root, note, from, at }) {
      await database.run(
        `INSERT INTO log_pending (size, root, note, source, at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING`,
        [size, root, note, from, at],
      );
    },
    async dropPending({ size, root }) {
      await database.run('DELETE FROM log_pending WHERE size = $1 AND root = $2', [size, root]);
    },
    raise: (alarm) =>
      database.transaction('heads', async (run) => {
        const { rows } = await run('SELECT coalesce(max(number), 0) + 1 AS next FROM log_alarms');
        const next = rows[0]?.['next'] as number;
        await run('INSERT INTO log_alarms (number, at, kind, detail, sealed) VALUES ($1, $2, $3, $4, $5)', [
          next,
          alarm.at,
          alarm.kind,
          alarm.detail,
          sealer.seal(placeOf(next), alarm.evidence),
        ]);
        return { ...alarm, number: next, resolvedAt: undefined };
      }),
    async alarms(openOnly) {
      const { rows } = await database.run(
        `SELECT * FROM log_alarms ${openOnly ? 'WHERE resolved_at IS NULL' : ''} ORDER BY number DESC`,
      );
      return (rows as unknown as AlarmRow[]).map(fromRow);
    },
    trust: (trusted, now) =>
      database.transaction('heads', async (run) => {
        await run('UPDATE log_alarms SET resolved_at = $1 WHERE resolved_at IS NULL', [now]);
        await run("DELETE FROM log_heads WHERE name = 'offered'");
        if (trusted === undefined) return;
        // What the other log owed, this one cannot prove: each would be found missing.
        await run('DELETE FROM log_pending');
        await run("UPDATE receipts SET state = 'given-up' WHERE state = 'kept'");
        // Whoever asks would find that the proof of this agency's tables is of the other log.
        await run('UPDATE epochs SET commitment = NULL');
        await putCompared(run, await lastOf(run));
        await putHead(run, 'newest', trusted);
        await putHead(run, 'cosigned', trusted);
      }),
    comparedUpTo: () =>
      database.transaction('heads', async (run) => {
        const { rows } = await run('SELECT value FROM state WHERE name = $1', [COMPARED]);
        if (rows[0] !== undefined) return Number(rows[0]['value']);
        // What was answered before there was anything to compare with cannot be found there.
        const last = await lastOf(run);
        await putCompared(run, last);
        return last;
      }),
    setComparedUpTo: (sequence) => putCompared(database.run, sequence),
  };
}

const headOf = (row: Readonly<Record<string, unknown>> | undefined): SignedHead | undefined => {
  if (row === undefined) return undefined;
  const { size, root, note } = row as unknown as HeadRow;
  return { size, root, note };
};

const readHead = async (run: Run, name: HeadName): Promise<SignedHead | undefined> =>
  headOf((await run('SELECT size, root, note FROM log_heads WHERE name = $1', [name])).rows[0]);

async function putHead(run: Run, name: HeadName, { size, root, note }: SignedHead): Promise<void> {
  await run(
    `INSERT INTO log_heads (name, size, root, note) VALUES ($1, $2, $3, $4)
     ON CONFLICT (name) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note`,
    [name, size, root, note],
  );
}

async function putCompared(run: Run, sequence: number): Promise<void> {
  await run(
    'INSERT INTO state (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
    [COMPARED, String(sequence)],
  );
}

const isBlocked = async (run: Run): Promise<boolean> =>
  (await run("SELECT 1 AS one FROM log_alarms WHERE resolved_at IS NULL AND kind IN ('fork', 'rollback')"))
    .rows.length > 0;

/** Number of the last entry of the agency's own log. */
const lastOf = async (run: Run): Promise<number> =>
  (await run('SELECT coalesce(max(sequence), 0) AS last FROM log')).rows[0]?.['last'] as number;

const isNotBefore = (head: TreeHead, signed: TreeHead): boolean =>
  head.size > signed.size || sameHead(head, signed);

function sameHead(a: TreeHead | undefined, b: TreeHead | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.size === b.size && Buffer.from(a.root).equals(b.root);
}
