import type { LogRow, LogRows } from '../../ports/agency-log.ts';
import type { AgentDatabase } from '../database.ts';

export interface StoredRow {
  readonly sequence: number;
  readonly at: number;
  readonly event: string | null;
  readonly lookup_key: string | null;
  readonly nonce: Uint8Array | null;
  readonly sealed: Uint8Array | null;
  readonly content_hash: Uint8Array;
  readonly chain: Uint8Array;
}

/** {@link LogRows} in a database. */
export function sqlLogRows(database: Pick<AgentDatabase, 'run'>): LogRows {
  return {
    async rows(after, limit) {
      const { rows } = await database.run(
        'SELECT * FROM log WHERE sequence > $1 ORDER BY sequence LIMIT $2',
        [after, limit],
      );
      return (rows as unknown as StoredRow[]).map(rowOf);
    },
  };
}

/** An entry that lost only a part of its content was meddled with; what is gone reads as empty. */
export function rowOf(row: StoredRow): LogRow {
  const { sequence, at, event, lookup_key: lookupKey, nonce, sealed, content_hash: contentHash, chain } = row;
  const removed = event === null && lookupKey === null && nonce === null && sealed === null;
  const nothing = new Uint8Array(0);
  return {
    sequence,
    at,
    content: removed
      ? undefined
      : {
          sequence,
          at,
          event: event ?? '',
          lookupKey: lookupKey ?? '',
          nonce: nonce ?? nothing,
          sealed: sealed ?? nothing,
        },
    contentHash,
    chain,
  };
}
