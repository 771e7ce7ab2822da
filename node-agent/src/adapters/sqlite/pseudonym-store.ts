import type { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { ELEMENT_BYTES } from '@hitmachine/protocol';
import type {
  ImportChange,
  ImportStage,
  ImportState,
  PseudonymPage,
  PseudonymStore,
} from '../../ports/pseudonym-store.ts';
import { inTransaction } from './database.ts';

/** Rows in a page: some ten milliseconds of reading, in which nothing is answered. */
const PAGE_ROWS = 2_048;

const NOT_ENDED = '(kept_until IS NULL OR kept_until >= ?)';

/** As the column `kept_until` has it: text in the order of days. */
const isoDay = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);

/** {@link PseudonymStore} on SQLite. */
export function sqlitePseudonymStore(database: DatabaseSync): PseudonymStore {
  const readImports = database.prepare(
    'SELECT register, generation, clients, imported_at, evaluation_key FROM imports ORDER BY register',
  );
  const readPseudonyms = database.prepare(
    `SELECT element, masked_hash FROM pseudonyms
     WHERE register = ? AND token_type = ? AND element > ? AND ${NOT_ENDED} ORDER BY element LIMIT ${PAGE_ROWS}`,
  );
  const countPseudonyms = database.prepare(
    `SELECT count(*) AS n FROM pseudonyms WHERE register = ? AND token_type = ? AND ${NOT_ENDED}`,
  );
  return {
    beginImport: (register) => beginImport(database, register),
    imports: () =>
      (
        readImports.all() as unknown as {
          register: string;
          generation: number;
          clients: number;
          imported_at: number;
          evaluation_key: string;
        }[]
      ).map(({ imported_at: importedAt, evaluation_key: evaluationKey, ...rest }): ImportState => ({
        ...rest,
        importedAt,
        evaluationKey,
      })),
    count: (register, tokenType, day) =>
      (countPseudonyms.get(register, tokenType, day === undefined ? '' : isoDay(day)) as { n: number }).n,
    async *pages(register, tokenType, day) {
      let last = new Uint8Array(0);
      for (;;) {
        const rows = readPseudonyms.all(register, tokenType, last, isoDay(day)) as unknown as PseudonymRow[];
        if (rows.length > 0) yield pack(rows);
        if (rows.length < PAGE_ROWS) return;
        last = Uint8Array.from((rows.at(-1) as PseudonymRow).element);
        await setImmediate();
      }
    },
  };
}

interface PseudonymRow {
  readonly element: Uint8Array;
  readonly masked_hash: number;
}

function pack(rows: readonly PseudonymRow[]): PseudonymPage {
  const elements = new Uint8Array(rows.length * ELEMENT_BYTES);
  rows.forEach(({ element }, i) => elements.set(element, i * ELEMENT_BYTES));
  return { elements, maskedHashes: Uint16Array.from(rows, ({ masked_hash: hash }) => hash) };
}

/** Collects in a temporary table, in memory and of this connection alone, so a crash leaves nothing behind. */
function beginImport(database: DatabaseSync, register: string): ImportStage {
  database.exec(`
    DROP TABLE IF EXISTS temp.incoming;
    CREATE TEMP TABLE incoming (
      token_type TEXT NOT NULL, element BLOB NOT NULL, masked_hash INTEGER NOT NULL, kept_until TEXT,
      PRIMARY KEY (token_type, element)
    ) WITHOUT ROWID`);
  const insert = database.prepare(
    // Of two ends the later; none, which is empty, is later than all.
    `INSERT INTO temp.incoming (token_type, element, masked_hash, kept_until) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET kept_until = max(kept_until, excluded.kept_until)`,
  );
  const count = (sql: string): number => (database.prepare(sql).get(register) as { n: number }).n;
  return {
    add(tokenType, pseudonyms) {
      inTransaction(database, () => {
        for (const { element, maskedHash, until } of pseudonyms)
          insert.run(tokenType, element, maskedHash, until === undefined ? null : isoDay(until));
      });
    },
    commit: (clients, evaluationKey, now) =>
      inTransaction(database, (): ImportChange => {
        const before = count('SELECT count(*) AS n FROM pseudonyms WHERE register = ?');
        const removed = Number(
          database
            .prepare(
              `DELETE FROM pseudonyms WHERE register = ?1 AND NOT EXISTS (
                 SELECT 1 FROM temp.incoming i WHERE i.token_type = pseudonyms.token_type AND i.element = pseudonyms.element)`,
            )
            .run(register).changes,
        );
        const moved = Number(
          database
            .prepare(
              `UPDATE pseudonyms SET kept_until = i.kept_until FROM temp.incoming i
               WHERE register = ? AND i.token_type = pseudonyms.token_type AND i.element = pseudonyms.element
                 AND i.kept_until IS NOT pseudonyms.kept_until`,
            )
            .run(register).changes,
        );
        const added = Number(
          database
            .prepare(
              `INSERT OR IGNORE INTO pseudonyms (register, token_type, element, masked_hash, kept_until)
               SELECT ?, token_type, element, masked_hash, kept_until FROM temp.incoming`,
            )
            .run(register).changes,
        );
        database
          .prepare(
            `INSERT INTO imports (register, generation, clients, imported_at, evaluation_key) VALUES (?1, 1, ?2, ?3, ?5)
             ON CONFLICT (register) DO UPDATE SET generation = generation + ?4, clients = ?2, imported_at = ?3, evaluation_key = ?5`,
          )
          .run(register, clients, now, added + removed + moved > 0 ? 1 : 0, evaluationKey);
        database.exec('DROP TABLE temp.incoming');
        return { added, removed, unchanged: before - removed };
      }),
    preview() {
      const before = count('SELECT count(*) AS n FROM pseudonyms WHERE register = ?');
      const unchanged = count(
        `SELECT count(*) AS n FROM pseudonyms p JOIN temp.incoming i USING (token_type, element) WHERE p.register = ?`,
      );
      const { n } = database.prepare('SELECT count(*) AS n FROM temp.incoming').get() as { n: number };
      return { added: n - unchanged, removed: before - unchanged, unchanged };
    },
    abandon: () => database.exec('DROP TABLE IF EXISTS temp.incoming'),
  };
}
