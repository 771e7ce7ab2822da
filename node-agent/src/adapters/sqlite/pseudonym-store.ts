import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type {
  ExpectedContent,
  ImportChange,
  MadeWith,
  PseudonymStore,
  StoredPseudonym,
} from '../../ports/pseudonym-store.ts';
import { IMPORTED_AT, refuseOtherContent } from '../expected-content.ts';
import {
  EVALUATION_MOVED,
  NODE_KEY_IN_USE,
  refuseFormerEvaluationKey,
  refuseOtherNodeKey,
} from '../node-key-in-use.ts';
import { isoDay, pseudonymReader } from '../pseudonym-reader.ts';
import type { SqliteAgentDatabase } from './agent-database.ts';
import { inTransaction } from './database.ts';

/** {@link PseudonymStore} on SQLite. */
export function sqlitePseudonymStore(sqlite: SqliteAgentDatabase): PseudonymStore {
  return {
    ...pseudonymReader(sqlite),
    async beginImport(register) {
      const stage = await sqlite.exclusively((database) => beginImport(database, register));
      const abandon = (): Promise<void> => sqlite.exclusively(() => stage.close());
      return {
        add: (tokenType, pseudonyms) => sqlite.exclusively(() => stage.add(tokenType, pseudonyms)),
        async commit(clients, madeWith, now, over) {
          try {
            return await sqlite.exclusively(() => stage.commit(clients, madeWith, now, over));
          } finally {
            await abandon();
          }
        },
        preview: () => sqlite.exclusively(() => stage.preview()),
        abandon,
      };
    },
  };
}

/** The rows of a register (?1) that are its content: others stand beside them while they are made anew with other keys. */
const VERSION = 'coalesce((SELECT version FROM imports WHERE register = ?1), 0)';
const IN_USE = `version = ${VERSION}`;
const HELD = `SELECT count(*) AS n FROM pseudonyms WHERE register = ?1 AND ${IN_USE}`;

let stages = 0;

/**
 * Collects in a database of its own that SQLite keeps in a file without a name, so that a crash leaves nothing behind:
 * in memory a large register would take too much. The file lies with the agent's own, since the place that the system
 * has for such files may be memory as well.
 */
function attachStage(database: DatabaseSync): string {
  const name = `incoming_${++stages}`;
  const beside = database.location();
  if (beside !== null)
    database.exec(
      `PRAGMA temp_store = FILE; PRAGMA temp_store_directory = '${dirname(beside).replaceAll("'", "''")}'`,
    );
  database.exec(`
    ATTACH DATABASE '' AS ${name};
    PRAGMA ${name}.cache_size = -16384;
    CREATE TABLE ${name}.incoming (
      token_type TEXT NOT NULL, element BLOB NOT NULL, masked_hash INTEGER NOT NULL, kept_until TEXT,
      PRIMARY KEY (token_type, element)
    ) WITHOUT ROWID`);
  return name;
}

function beginImport(database: DatabaseSync, register: string) {
  const stage = attachStage(database);
  const close = (): void => database.exec(`DETACH DATABASE ${stage}`);
  const insert = database.prepare(
    // Of two ends the later; none, which is empty, is later than all.
    `INSERT INTO ${stage}.incoming (token_type, element, masked_hash, kept_until) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET kept_until = max(kept_until, excluded.kept_until)`,
  );
  const count = (sql: string): number => (database.prepare(sql).get(register) as { n: number }).n;
  return {
    add(tokenType: string, pseudonyms: readonly StoredPseudonym[]): void {
      inTransaction(database, () => {
        for (const { element, maskedHash, until } of pseudonyms)
          insert.run(tokenType, element, maskedHash, until === undefined ? null : isoDay(until));
      });
    },
    commit: (clients: number, { evaluationKey, nodeKey }: MadeWith, now: number, over?: ExpectedContent) =>
      inTransaction(database, (): ImportChange => {
        refuseOtherNodeKey(nodeKey, database.prepare(NODE_KEY_IN_USE).get()?.['value']);
        refuseFormerEvaluationKey(evaluationKey, database.prepare(EVALUATION_MOVED).get()?.['value']);
        refuseOtherContent(
          over,
          database.prepare(IMPORTED_AT.replace('$1', '?')).get(register)?.['imported_at'],
        );
        const before = count(HELD);
        const removed = Number(
          database
            .prepare(
              `DELETE FROM pseudonyms WHERE register = ?1 AND ${IN_USE} AND NOT EXISTS (
                 SELECT 1 FROM ${stage}.incoming i WHERE i.token_type = pseudonyms.token_type AND i.element = pseudonyms.element)`,
            )
            .run(register).changes,
        );
        const moved = Number(
          database
            .prepare(
              `UPDATE pseudonyms SET kept_until = i.kept_until FROM ${stage}.incoming i
               WHERE register = ?1 AND ${IN_USE} AND i.token_type = pseudonyms.token_type AND i.element = pseudonyms.element
                 AND i.kept_until IS NOT pseudonyms.kept_until`,
            )
            .run(register).changes,
        );
        const added = Number(
          database
            .prepare(
              `INSERT OR IGNORE INTO pseudonyms (register, token_type, element, masked_hash, kept_until, version)
               SELECT ?1, token_type, element, masked_hash, kept_until, ${VERSION} FROM ${stage}.incoming`,
            )
            .run(register).changes,
        );
        database
          .prepare(
            `INSERT INTO imports (register, generation, clients, imported_at, evaluation_key, node_key)
             VALUES (?1, 1, ?2, ?3, ?5, ?6)
             ON CONFLICT (register) DO UPDATE SET generation = generation + ?4, clients = ?2, imported_at = ?3,
               evaluation_key = ?5, node_key = ?6`,
          )
          .run(register, clients, now, added + removed + moved > 0 ? 1 : 0, evaluationKey, nodeKey);
        return { added, removed, unchanged: before - removed };
      }),
    close,
    preview() {
      const before = count(HELD);
      const unchanged = count(
        `SELECT count(*) AS n FROM pseudonyms p JOIN ${stage}.incoming i USING (token_type, element)
         WHERE p.register = ?1 AND p.${IN_USE}`,
      );
      const { n } = database.prepare(`SELECT count(*) AS n FROM ${stage}.incoming`).get() as { n: number };
      return { added: n - unchanged, removed: before - unchanged, unchanged };
    },
  };
}
