import { decodeBase64, encodeBase64 } from '@hitmachine/protocol';
import type { KeptReceipt, ReceiptState, ReceiptStore } from '../../ports/receipt-store.ts';
import type { AgentDatabase, Run } from '../database.ts';
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

/** {@link ReceiptStore} in a database. Entry and proof are sealed: it shows when was asked, not by whom or why. */
export function sqlReceiptStore(database: AgentDatabase, sealer: Sealer): ReceiptStore {
  const fromRow = ({ lookup_id: lookupId, at, state, sealed }: Row): KeptReceipt => {
    const { leaf, receipt } = sealer.open(placeOf(lookupId), sealed) as Content;
    return { lookupId, at, state, leaf: decodeBase64(leaf), receipt };
  };
  const find = async (run: Run, lookupId: string): Promise<KeptReceipt | undefined> => {
    const { rows } = await run('SELECT * FROM receipts WHERE lookup_id = $1', [lookupId]);
    return rows[0] === undefined ? undefined : fromRow(rows[0] as unknown as Row);
  };
  const seal = (lookupId: string, leaf: Uint8Array, receipt: string): Uint8Array =>
    sealer.seal(placeOf(lookupId), { leaf: encodeBase64(leaf), receipt } satisfies Content);
  return {
    find: (lookupId) => find(database.run, lookupId),
    async keep({ lookupId, at, leaf, receipt }) {
      await database.run("INSERT INTO receipts (lookup_id, at, state, sealed) VALUES ($1, $2, 'kept', $3)", [
        lookupId,
        at,
        seal(lookupId, leaf, receipt),
      ]);
    },
    async unsettled(limit, after = { at: -1, lookupId: '' }) {
      const { rows } = await database.run(
        `SELECT * FROM receipts WHERE state = 'kept' AND (at, lookup_id) > ($1, $2)
         ORDER BY at, lookup_id LIMIT $3`,
        [after.at, after.lookupId, limit],
      );
      return (rows as unknown as Row[]).map(fromRow);
    },
    async waiting() {
      const { rows } = await database.run(
        "SELECT count(*) AS count, min(at) AS since FROM receipts WHERE state = 'kept'",
      );
      const { count, since } = rows[0] as { count: number; since: number | null };
      return { count, since: since ?? undefined };
    },
    async settle(lookupId, receipt) {
      const kept = await find(database.run, lookupId);
      if (kept?.state !== 'kept') return;
      await database.run(
        "UPDATE receipts SET state = 'settled', sealed = $1 WHERE lookup_id = $2 AND state = 'kept'",
        [seal(lookupId, kept.leaf, receipt), lookupId],
      );
    },
    async giveUp(lookupId) {
      await database.run("UPDATE receipts SET state = 'given-up' WHERE lookup_id = $1 AND state = 'kept'", [
        lookupId,
      ]);
    },
    async removeBefore(at) {
      await database.run('DELETE FROM receipts WHERE at < $1', [at]);
    },
  };
}
