import { setImmediate } from 'node:timers/promises';
import { ELEMENT_BYTES } from '@hitmachine/protocol';
import type { ImportState, PseudonymPage, PseudonymStore } from '../ports/pseudonym-store.ts';
import type { AgentDatabase } from './database.ts';

/** Rows in a page: two or three milliseconds of reading, in which nothing is answered. */
const PAGE_ROWS = 512;

/** Others stand beside them while they are made anew with other keys. */
const IN_USE = 'version = (SELECT version FROM imports WHERE register = $1)';
const NOT_ENDED = '(kept_until IS NULL OR kept_until >= $3)';

/** A day (since 1970) as the column `kept_until` has it: text in the order of days. */
export const isoDay = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);

interface PseudonymRow {
  readonly element: Uint8Array;
  readonly masked_hash: number;
}

/** What is read of the pseudonyms in a database. */
export function pseudonymReader(
  database: Pick<AgentDatabase, 'run'>,
): Pick<PseudonymStore, 'imports' | 'count' | 'pages'> {
  const page = async (
    register: string,
    tokenType: string,
    day: number,
    last: Uint8Array,
  ): Promise<PseudonymRow[]> => {
    const { rows } = await database.run(
      `SELECT element, masked_hash FROM pseudonyms
       WHERE register = $1 AND token_type = $2 AND ${IN_USE} AND ${NOT_ENDED} AND element > $4
       ORDER BY element LIMIT ${PAGE_ROWS}`,
      [register, tokenType, isoDay(day), last],
    );
    return rows as unknown as PseudonymRow[];
  };
  return {
    async imports() {
      const { rows } = await database.run(
        `SELECT register, generation, clients, imported_at, evaluation_key, node_key FROM imports
         ORDER BY register`,
      );
      return rows.map(
        ({ imported_at: importedAt, evaluation_key: evaluationKey, node_key: nodeKey, ...rest }) => ({
          ...rest,
          importedAt,
          evaluationKey,
          nodeKey,
        }),
      ) as unknown as ImportState[];
    },
    async count(register, tokenType, day) {
      const { rows } = await database.run(
        `SELECT count(*) AS n FROM pseudonyms WHERE register = $1 AND token_type = $2 AND ${IN_USE} AND ${NOT_ENDED}`,
        [register, tokenType, day === undefined ? '' : isoDay(day)],
      );
      return rows[0]?.['n'] as number;
    },
    async *pages(register, tokenType, day) {
      let last = new Uint8Array(0);
      for (;;) {
        const rows = await page(register, tokenType, day, last);
        if (rows.length > 0) yield pack(rows);
        if (rows.length < PAGE_ROWS) return;
        last = Uint8Array.from((rows.at(-1) as PseudonymRow).element);
        await setImmediate();
      }
    },
  };
}

function pack(rows: readonly PseudonymRow[]): PseudonymPage {
  const elements = new Uint8Array(rows.length * ELEMENT_BYTES);
  rows.forEach(({ element }, i) => elements.set(element, i * ELEMENT_BYTES));
  return { elements, maskedHashes: Uint16Array.from(rows, ({ masked_hash: hash }) => hash) };
}
