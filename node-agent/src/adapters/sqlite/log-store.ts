import type { DatabaseSync } from 'node:sqlite';
import type { TreeHead } from '@hitmachine/protocol';
import type { Alarm, AlarmKind, LogStore, SeenHead, SignedHead } from '../../ports/log-store.ts';
import { inTransaction } from './database.ts';
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

/** {@link LogStore} on SQLite. Heads are nobody's secret; the evidence of an alarm may hold entries, and is sealed. */
export function sqliteLogStore(database: DatabaseSync, sealer: Sealer): LogStore {
  const readHead = database.prepare('SELECT size, root, note FROM log_heads WHERE name = ?');
  const writeHead = database.prepare(
    `INSERT INTO log_heads (name, size, root, note) VALUES (?, ?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note`,
  );
  const head = (name: HeadName): SignedHead | undefined => {
    const row = readHead.get(name) as HeadRow | undefined;
    return row && { size: row.size, root: row.root, note: row.note };
  };
  const put = (name: HeadName, { size, root, note }: SignedHead): void =>
    void writeHead.run(name, size, root, note);
  const writeState = database.prepare(
    'INSERT INTO state (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  );

  const heads = () => ({ newest: head('newest'), cosigned: head('cosigned'), offered: head('offered') });
  const blocked = (): boolean =>
    database
      .prepare("SELECT 1 FROM log_alarms WHERE resolved_at IS NULL AND kind IN ('fork', 'rollback')")
      .get() !== undefined;
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
    heads,
    advance: (expected, { newest, cosigned }) =>
      inTransaction(database, () => {
        if (blocked() || !sameHead(head('newest'), expected)) return false;
        if (newest !== undefined) put('newest', newest);
        if (cosigned !== undefined) put('cosigned', cosigned);
        return true;
      }),
    offer: (offered) => inTransaction(database, () => put('offered', offered)),
    pending: () =>
      (
        database.prepare('SELECT * FROM log_pending ORDER BY at, size').all() as unknown as (HeadRow & {
          readonly source: string;
          readonly at: number;
        })[]
      ).map(({ size, root, note, source, at }): SeenHead => ({ size, root, note, from: source, at })),
    keepPending: ({ size, root, note, from, at }) =>
      inTransaction(database, () => {
        database
          .prepare('INSERT OR IGNORE INTO log_pending (size, root, note, source, at) VALUES (?, ?, ?, ?, ?)')
          .run(size, root, note, from, at);
      }),
    dropPending: ({ size, root }) =>
      inTransaction(database, () => {
        database.prepare('DELETE FROM log_pending WHERE size = ? AND root = ?').run(size, root);
      }),
    raise: (alarm) =>
      inTransaction(database, () => {
        const { next } = database
          .prepare('SELECT coalesce(max(number), 0) + 1 AS next FROM log_alarms')
          .get() as { next: number };
        database
          .prepare('INSERT INTO log_alarms (number, at, kind, detail, sealed) VALUES (?, ?, ?, ?, ?)')
          .run(next, alarm.at, alarm.kind, alarm.detail, sealer.seal(placeOf(next), alarm.evidence));
        return { ...alarm, number: next, resolvedAt: undefined };
      }),
    alarms: (openOnly) =>
      (
        database
          .prepare(
            `SELECT * FROM log_alarms ${openOnly ? 'WHERE resolved_at IS NULL' : ''} ORDER BY number DESC`,
          )
          .all() as unknown as AlarmRow[]
      ).map(fromRow),
    trust: (trusted, now) =>
      inTransaction(database, () => {
        database.prepare('UPDATE log_alarms SET resolved_at = ? WHERE resolved_at IS NULL').run(now);
        database.exec("DELETE FROM log_heads WHERE name = 'offered'");
        if (trusted === undefined) return;
        // What the other log owed, this one cannot prove: each would be found missing.
        database.exec("DELETE FROM log_pending; UPDATE receipts SET state = 'given-up' WHERE state = 'kept'");
        // Whoever asks would find that the proof of this agency's tables is of the other log.
        database.exec('UPDATE epochs SET commitment = NULL');
        writeState.run(COMPARED, String(lastOf(database)));
        put('newest', trusted);
        put('cosigned', trusted);
      }),
    comparedUpTo: () =>
      inTransaction(database, () => {
        const row = database.prepare('SELECT value FROM state WHERE name = ?').get(COMPARED) as
          { value: string } | undefined;
        if (row !== undefined) return Number(row.value);
        // What was answered before there was anything to compare with cannot be found there.
        const last = lastOf(database);
        writeState.run(COMPARED, String(last));
        return last;
      }),
    setComparedUpTo: (sequence) =>
      inTransaction(database, () => void writeState.run(COMPARED, String(sequence))),
  };
}

/** Number of the last entry of the agency's own log. */
const lastOf = (database: DatabaseSync): number =>
  (database.prepare('SELECT coalesce(max(sequence), 0) AS last FROM log').get() as { last: number }).last;

function sameHead(a: TreeHead | undefined, b: TreeHead | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.size === b.size && Buffer.from(a.root).equals(b.root);
}
