import { startOfDay } from '@hitmachine/protocol';
import type { ContentRemovedDetail } from '../../ports/agency-log.ts';
import type { AgentDatabase, Run } from '../database.ts';
import { removeAskedAbout } from './asked-about.ts';
import type { LogSealing } from './log-entries.ts';
import { LogEntries, tipOf } from './log-entries.ts';

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

interface Removal {
  /** Milliseconds since 1970. */
  readonly olderThan: number;
  readonly limit: number;
  readonly now: number;
}

/** Removes content that was kept as long as it may be, and logs that. Gives how many entries lost theirs. */
export function removeContent(
  database: AgentDatabase,
  sealing: LogSealing,
  { olderThan, limit, now }: Removal,
): Promise<number> {
  return database.erase('log', async (run) => {
    const { from, rows } = await oldest(run, { olderThan, limit });
    for (const { sequence, at } of rows)
      await run(
        'UPDATE log SET event = NULL, lookup_key = NULL, nonce = NULL, sealed = NULL, at = $1 WHERE sequence = $2',
        [startOfDay(at), sequence],
      );
    const askedAbout = await removeAskedAbout(run, dayOf(now));
    await run('DELETE FROM outcome_keys WHERE until < $1', [dayOf(now)]);
    // The counters of a day are of no use once it is over.
    await run('DELETE FROM answered_persons WHERE day < $1', [dayOf(now - 86_400_000)]);
    if (rows.length > 0 || askedAbout > 0) {
      const detail: ContentRemovedDetail = {
        upTo: rows.at(-1)?.sequence ?? Math.max(0, from - 1),
        entries: rows.length,
        askedAbout,
        olderThan: new Date(olderThan).toISOString(),
      };
      const entries = new LogEntries(sealing, await tipOf(run));
      entries.add('content-removed', '', detail, now);
      await entries.write(run);
    }
    return rows.length;
  });
}

/** Times never go back: what has gone, what goes and what stays follow each other. */
async function oldest(
  run: Run,
  { olderThan, limit }: Pick<Removal, 'olderThan' | 'limit'>,
): Promise<{ readonly from: number; readonly rows: readonly { sequence: number; at: number }[] }> {
  const first = await run('SELECT min(sequence) AS n FROM log WHERE sealed IS NOT NULL');
  const from = (first.rows[0]?.['n'] as number | null | undefined) ?? 0;
  const page = await run('SELECT sequence, at FROM log WHERE sequence >= $1 ORDER BY sequence LIMIT $2', [
    from,
    limit,
  ]);
  const rows = (page.rows as unknown as { sequence: number; at: number }[]).filter(
    ({ at }) => at < olderThan,
  );
  return { from, rows };
}
