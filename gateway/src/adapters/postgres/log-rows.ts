import type { NodeId } from '@hitmachine/protocol';
import { HASH_BYTES, HitError } from '@hitmachine/protocol';
import type { Counters, LogTip } from '../append-plan.ts';
import { tipOf } from '../append-plan.ts';
import { hashNumber, lastLeafOf, noSubtree, unpackLeaves } from '../bundle.ts';
import type { Row, Run } from '@hitmachine/service';

/** How many entries there are, and the time of the last one. */
export async function lastOf(run: Run): Promise<{ readonly size: number; readonly at: number }> {
  const [row] = await run('SELECT first + count AS size, at FROM bundle ORDER BY first DESC LIMIT 1');
  return { size: Number(row?.['size'] ?? 0), at: Number(row?.['at'] ?? 0) };
}

/** Where the log stands, with its right edge, in one round trip. */
export async function standingOf(run: Run): Promise<LogTip> {
  const [row] = await run('SELECT * FROM log_standing()');
  return tipIn(row as Row);
}

/** Of a row of `log_standing`. */
export function tipIn(row: Row): LogTip {
  const edge = (row['edge'] ?? Buffer.alloc(0)) as Buffer;
  const hashes = Array.from(
    { length: edge.length / HASH_BYTES },
    (_, i) => new Uint8Array(edge.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)),
  );
  return tipOf(Number(row['entries']), hashes, Number(row['last_at']));
}

/** In one round trip. Throws `not-found` for a subtree that is not complete. */
export async function hashesOf(run: Run, nodes: readonly NodeId[]): Promise<readonly Uint8Array[]> {
  if (nodes.length === 0) return [];
  const last = nodes.map(({ level, index }) => lastLeafOf(level, index));
  const beyond = nodes.find((_, i) => !Number.isSafeInteger(last[i]));
  if (beyond !== undefined) throw noSubtree(beyond);
  const rows = await run(HASHES, [last, nodes.map(hashNumber)]);
  return nodes.map((node, i) => {
    const hash = rows[i]?.['hash'] as Buffer | null | undefined;
    if (hash?.length !== HASH_BYTES) throw noSubtree(node);
    return new Uint8Array(hash);
  });
}

const HASHES = `SELECT CASE WHEN last < first + count
      THEN substring(hashes FROM ((number - hash_start) * ${HASH_BYTES} + 1)::integer FOR ${HASH_BYTES}) END AS hash
  FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS node (last, number, place)
  LEFT JOIN LATERAL
    (SELECT first, count, hash_start, hashes FROM bundle WHERE first <= last ORDER BY first DESC LIMIT 1) AS one
    ON true
  ORDER BY place`;

/** Entries from index `from` on, at most `count`. */
export async function leavesOf(run: Run, from: number, count: number): Promise<Uint8Array[]> {
  const rows = await run(
    `SELECT first, count, leaves FROM bundle
       WHERE first >= coalesce((SELECT max(first) FROM bundle WHERE first <= $1), 0) AND first < $2 ORDER BY first`,
    [from, from + count],
  );
  return rows.flatMap((row) => {
    const { first, leaves } = unpackRow(row);
    return leaves.slice(Math.max(from - first, 0), from + count - first);
  });
}

/** Rows that are read at once for entries that stand apart. */
const ROWS_AT_ONCE = 50;

/** The entries with these indices, in this order. */
export async function leavesAt(run: Run, indices: readonly number[]): Promise<Uint8Array[]> {
  const leaves: Uint8Array[] = [];
  for (let from = 0; from < indices.length; from += ROWS_AT_ONCE) {
    const some = indices.slice(from, from + ROWS_AT_ONCE);
    const rows = (await run(BUNDLES_OF, [some])).map(unpackRow);
    for (const index of some) {
      const row = rows.find(({ first, leaves: { length } }) => index >= first && index < first + length);
      const leaf = row?.leaves[index - row.first];
      if (leaf === undefined) throw new HitError('not-found', `the log has no entry ${index}`);
      leaves.push(leaf);
    }
  }
  return leaves;
}

const BUNDLES_OF = `SELECT first, count, leaves FROM bundle WHERE first IN
  (SELECT (SELECT max(first) FROM bundle WHERE first <= idx) FROM unnest($1::bigint[]) AS wanted (idx))`;

/** Of a row with `first`, `count` and `leaves`. */
function unpackRow(row: Row): { readonly first: number; readonly leaves: Uint8Array[] } {
  const first = Number(row['first']);
  const leaves = unpackLeaves({ first, count: Number(row['count']), leaves: row['leaves'] as Buffer });
  return { first, leaves };
}

/** The counters that are stored. */
export async function countersOf(run: Run, names: readonly string[]): Promise<Counters> {
  if (names.length === 0) return new Map();
  const rows = await run('SELECT counter, window_end, used FROM quota WHERE counter = ANY ($1)', [names]);
  return new Map(
    rows.map(({ counter, window_end, used }) => [
      String(counter),
      { windowEnd: Number(window_end), used: Number(used) },
    ]),
  );
}
