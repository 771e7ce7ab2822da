import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** What an agency holds, to be compared before and after a fault. */
export interface Holdings {
  readonly clients: string;
  readonly log: readonly string[];
  readonly receipts: readonly string[];
  /** Lookups that the log has an answer of. */
  readonly answered: number;
}

/** Runs a query beside the agent. */
export type Query = (text: string) => readonly Record<string, unknown>[] | Promise<Record<string, unknown>[]>;

/** Queries of the file in an agent's folder, opened anew each time: a fault may put another in its place. */
export const queryFile =
  (folder: () => string): Query =>
  (text) => {
    const database = new DatabaseSync(join(folder(), 'agent.sqlite'), { readOnly: true });
    try {
      return database.prepare(text).all();
    } finally {
      database.close();
    }
  };

export async function holdingsOf(query: Query, register: string): Promise<Holdings> {
  const rows = async (text: string): Promise<string[]> =>
    (await query(text)).map((row) =>
      JSON.stringify(row, (_, value: unknown) =>
        value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
      ),
    );
  const pseudonyms = await rows(
    `SELECT register, token_type, element FROM pseudonyms WHERE register = '${register}'`,
  );
  const digest = createHash('sha256').update(pseudonyms.sort().join('\n')).digest('hex');
  const [answered] = await query(
    "SELECT count(DISTINCT lookup_key) AS count FROM log WHERE event = 'answered'",
  );
  return {
    clients: `${pseudonyms.length} ${digest}`,
    log: await rows('SELECT sequence, event, lookup_key FROM log ORDER BY sequence'),
    receipts: await rows('SELECT lookup_id FROM receipts ORDER BY lookup_id'),
    answered: Number(answered?.['count']),
  };
}

/** What of the holdings from before is not there any more. */
export function goneSince(before: Holdings, after: Holdings): string[] {
  const gone = (name: 'log' | 'receipts'): string[] => {
    const held = new Set(after[name]);
    return before[name].filter((row) => !held.has(row)).map((row) => `${name}: ${row}`);
  };
  return [
    ...(after.clients === before.clients ? [] : [`clients: ${before.clients} became ${after.clients}`]),
    ...gone('log'),
    ...gone('receipts'),
  ];
}
