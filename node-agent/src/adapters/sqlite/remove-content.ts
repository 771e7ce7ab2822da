import type { DatabaseSync } from 'node:sqlite';
import { startOfDay } from '@hitmachine/protocol';
import type { ContentRemovedDetail } from '../../ports/agency-log.ts';
import { removeAskedAbout } from './asked-about.ts';
import { inTransaction } from './database.ts';

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/**
 * Removes content that was kept as long as it may be. What is taken out of the file is overwritten there, and the file
 * of writes under way is emptied, so that nothing of it can be read back from either.
 */
export function removeContent(
  database: DatabaseSync,
  { olderThan, limit, now }: { readonly olderThan: number; readonly limit: number; readonly now: number },
  write: (detail: ContentRemovedDetail) => void,
): number {
  database.exec('PRAGMA secure_delete = ON');
  try {
    const removed = inTransaction(database, () => {
      // Times never go back: what has gone, what goes and what stays follow each other.
      const first = database.prepare('SELECT min(sequence) AS n FROM log WHERE sealed IS NOT NULL').get();
      const from = (first as { n: number | null }).n ?? 0;
      const page = database.prepare(
        'SELECT sequence, at FROM log WHERE sequence >= ? ORDER BY sequence LIMIT ?',
      );
      const rows = (page.all(from, limit) as { sequence: number; at: number }[]).filter(
        ({ at }) => at < olderThan,
      );
      const remove = database.prepare(
        'UPDATE log SET event = NULL, lookup_key = NULL, nonce = NULL, sealed = NULL, at = ? WHERE sequence = ?',
      );
      for (const { sequence, at } of rows) remove.run(startOfDay(at), sequence);
      const askedAbout = removeAskedAbout(database, dayOf(now));
      const outcomes = database.prepare('DELETE FROM outcome_keys WHERE until < ?').run(dayOf(now)).changes;
      // The counters of a day are of no use once it is over.
      database.prepare('DELETE FROM answered_persons WHERE day < ?').run(dayOf(now - 86_400_000));
      if (rows.length > 0 || askedAbout > 0)
        write({
          upTo: rows.at(-1)?.sequence ?? Math.max(0, from - 1),
          entries: rows.length,
          askedAbout,
          olderThan: new Date(olderThan).toISOString(),
        });
      return { entries: rows.length, anything: rows.length > 0 || askedAbout > 0 || Number(outcomes) > 0 };
    });
    // Another process that reads now keeps it from being emptied; then the next writes go over it.
    if (removed.anything) database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    return removed.entries;
  } finally {
    database.exec('PRAGMA secure_delete = OFF');
  }
}
