import type { DatabaseSync } from 'node:sqlite';
import type { ImportChange, ImportStage, ImportState, PseudonymStore } from '../../ports/pseudonym-store.ts';
import { inTransaction } from './database.ts';

/** {@link PseudonymStore} on SQLite. */
export function sqlitePseudonymStore(database: DatabaseSync): PseudonymStore {
  const readImports = database.prepare(
    'SELECT register, generation, clients, imported_at FROM imports ORDER BY register',
  );
  const readPseudonyms = database.prepare(
    'SELECT element, masked_hash FROM pseudonyms WHERE register = ? AND token_type = ? ORDER BY element',
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
        }[]
      ).map(({ imported_at: importedAt, ...rest }): ImportState => ({ ...rest, importedAt })),
    pseudonyms: (register, tokenType) =>
      (
        readPseudonyms.all(register, tokenType) as unknown as { element: Uint8Array; masked_hash: number }[]
      ).map(({ element, masked_hash: maskedHash }) => ({ element, maskedHash })),
  };
}

/** Collects in a temporary table, in memory and of this connection alone, so a crash leaves nothing behind. */
function beginImport(database: DatabaseSync, register: string): ImportStage {
  database.exec(`
    DROP TABLE IF EXISTS temp.incoming;
    CREATE TEMP TABLE incoming (
      token_type TEXT NOT NULL, element BLOB NOT NULL, masked_hash INTEGER NOT NULL, PRIMARY KEY (token_type, element)
    ) WITHOUT ROWID`);
  const insert = database.prepare(
    'INSERT OR IGNORE INTO temp.incoming (token_type, element, masked_hash) VALUES (?, ?, ?)',
  );
  const count = (sql: string): number => (database.prepare(sql).get(register) as { n: number }).n;
  return {
    add(tokenType, pseudonyms) {
      inTransaction(database, () => {
        for (const { element, maskedHash } of pseudonyms) insert.run(tokenType, element, maskedHash);
      });
    },
    commit: (clients, now) =>
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
        const added = Number(
          database
            .prepare(
              `INSERT OR IGNORE INTO pseudonyms (register, token_type, element, masked_hash)
               SELECT ?, token_type, element, masked_hash FROM temp.incoming`,
            )
            .run(register).changes,
        );
        database
          .prepare(
            `INSERT INTO imports (register, generation, clients, imported_at) VALUES (?1, 1, ?2, ?3)
             ON CONFLICT (register) DO UPDATE SET generation = generation + ?4, clients = ?2, imported_at = ?3`,
          )
          .run(register, clients, now, added + removed > 0 ? 1 : 0);
        database.exec('DROP TABLE temp.incoming');
        return { added, removed, unchanged: before - removed };
      }),
    abandon: () => database.exec('DROP TABLE IF EXISTS temp.incoming'),
  };
}
