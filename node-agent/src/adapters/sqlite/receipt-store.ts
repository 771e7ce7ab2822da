import type { DatabaseSync } from 'node:sqlite';
import { decodeBase64, encodeBase64 } from '@hitmachine/protocol';
import type { KeptReceipt, ReceiptState, ReceiptStore } from '../../ports/receipt-store.ts';
import { inTransaction } from './database.ts';
import type { Sealer } from './sealed.ts';

interface Row {
  readonly lookup_id: string;
  readonly at: number;
  readonly state: ReceiptState;
  readonly sealed: Uint8Array;
}

interface Content {
  readonly leaf: string;
  readonly receipt: string;
}

const placeOf = (lookupId: string): string => `receipt ${lookupId}`;

/** {@link ReceiptStore} on SQLite. Entry and proof are sealed: the file shows when was asked, not by whom or why. */
export function sqliteReceiptStore(database: DatabaseSync, sealer: Sealer): ReceiptStore {
  const fromRow = ({ lookup_id: lookupId, at, state, sealed }: Row): KeptReceipt => {
    const { leaf, receipt } = sealer.open(placeOf(lookupId), sealed) as Content;
    return { lookupId, at, state, leaf: decodeBase64(leaf), receipt };
  };
  const find = (lookupId: string): KeptReceipt | undefined => {
    const row = database.prepare('SELECT * FROM receipts WHERE lookup_id = ?').get(lookupId);
    return row === undefined ? undefined : fromRow(row as unknown as Row);
  };
  const seal = (lookupId: string, leaf: Uint8Array, receipt: string): Uint8Array =>
    sealer.seal(placeOf(lookupId), { leaf: encodeBase64(leaf), receipt } satisfies Content);
  return {
    find,
    keep: ({ lookupId, at, leaf, receipt }) =>
      inTransaction(database, () => {
        database
          .prepare("INSERT INTO receipts (lookup_id, at, state, sealed) VALUES (?, ?, 'kept', ?)")
          .run(lookupId, at, seal(lookupId, leaf, receipt));
      }),
    unsettled: (limit, after = { at: -1, lookupId: '' }) =>
      (
        database
          .prepare(
            `SELECT * FROM receipts WHERE state = 'kept' AND (at, lookup_id) > (?, ?)
             ORDER BY at, lookup_id LIMIT ?`,
          )
          .all(after.at, after.lookupId, limit) as unknown as Row[]
      ).map(fromRow),
    waiting() {
      const row = database
        .prepare("SELECT count(*) AS count, min(at) AS since FROM receipts WHERE state = 'kept'")
        .get() as { count: number; since: number | null };
      return { count: row.count, since: row.since ?? undefined };
    },
    settle: (lookupId, receipt) =>
      inTransaction(database, () => {
        const kept = find(lookupId);
        if (kept?.state !== 'kept') return;
        database
          .prepare("UPDATE receipts SET state = 'settled', sealed = ? WHERE lookup_id = ?")
          .run(seal(lookupId, kept.leaf, receipt), lookupId);
      }),
    giveUp: (lookupId) =>
      inTransaction(database, () => {
        database
          .prepare("UPDATE receipts SET state = 'given-up' WHERE lookup_id = ? AND state = 'kept'")
          .run(lookupId);
      }),
    removeBefore: (at) =>
      inTransaction(database, () => {
        database.prepare('DELETE FROM receipts WHERE at < ?').run(at);
      }),
  };
}
