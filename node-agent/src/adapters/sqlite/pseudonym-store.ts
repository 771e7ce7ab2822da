import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { ELEMENT_BYTES } from '@hitmachine/protocol';
import type {
  ImportChange,
  ImportState,
  PseudonymPage,
  PseudonymStore,
  StoredPseudonym,
} from '../../ports/pseudonym-store.ts';
import type { SqliteAgentDatabase } from './agent-database.ts';
import { inTransaction } from './database.ts';

/** Rows in a page: two or three milliseconds of reading, in which nothing is answered. */
const PAGE_ROWS = 512;

const NOT_ENDED = '(kept_until IS NULL OR kept_until >= $3)';

/** As the column `kept_until` has it: text in the order of days. */
const isoDay = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);

/** {@link PseudonymStore} on SQLite. */
export function sqlitePseudonymStore(sqlite: SqliteAgentDatabase): PseudonymStore {
  const page = async (
    register: string,
    tokenType: string,
    day: number,
    last: Uint8Array,
  ): Promise<PseudonymRow[]> => {
    const { rows } = await sqlite.run(
      `SELECT element, masked_hash FROM pseudonyms
       WHERE register = $1 AND token_type = $2 AND ${NOT_ENDED} AND element > $4
       ORDER BY element LIMIT ${PAGE_ROWS}`,
      [register, tokenType, isoDay(day), last],
    );
    return rows as unknown as PseudonymRow[];
  };
  return {
    async beginImport(register) {
      const stage = await sqlite.exclusively((database) => beginImport(database, register));
      return {
        add: (tokenType, pseudonyms) => sqlite.exclusively(() => stage.add(tokenType, pseudonyms)),
        commit: (clients, evaluationKey, now) =>
          sqlite.exclusively(() => {
            try {
              return stage.commit(clients, evaluationKey, now);
            } finally {
              stage.close();
            }
          }),
        preview: () => sqlite.exclusively(() => stage.preview()),
        abandon: () => sqlite.exclusively(() => stage.close()),
      };
    },
    async imports() {
      const { rows } = await sqlite.run(
        'SELECT register, generation, clients, imported_at, evaluation_key FROM imports ORDER BY register',
      );
      return rows.map(({ imported_at: importedAt, evaluation_key: evaluationKey, ...rest }) => ({
        ...rest,
        importedAt,
        evaluationKey,
      })) as unknown as ImportState[];
    },
    async count(register, tokenType, day) {
      const { rows } = await sqlite.run(
        `SELECT count(*) AS n FROM pseudonyms WHERE register = $1 AND token_type = $2 AND ${NOT_ENDED}`,
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

interface PseudonymRow {
  readonly element: Uint8Array;
  readonly masked_hash: number;
}

function pack(rows: readonly PseudonymRow[]): PseudonymPage {
  const elements = new Uint8Array(rows.length * ELEMENT_BYTES);
  rows.forEach(({ element }, i) => elements.set(element, i * ELEMENT_BYTES));
  return { elements, maskedHashes: Uint16Array.from(rows, ({ masked_hash: hash }) => hash) };
}

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
    commit: (clients: number, evaluationKey: string, now: number) =>
      inTransaction(database, (): ImportChange => {
        const before = count('SELECT count(*) AS n FROM pseudonyms WHERE register = ?');
        const removed = Number(
          database
            .prepare(
              `DELETE FROM pseudonyms WHERE register = ?1 AND NOT EXISTS (
                 SELECT 1 FROM ${stage}.incoming i WHERE i.token_type = pseudonyms.token_type AND i.element = pseudonyms.element)`,
            )
            .run(register).changes,
        );
        const moved = Number(
          database
            .prepare(
              `UPDATE pseudonyms SET kept_until = i.kept_until FROM ${stage}.incoming i
               WHERE register = ? AND i.token_type = pseudonyms.token_type AND i.element = pseudonyms.element
                 AND i.kept_until IS NOT pseudonyms.kept_until`,
            )
            .run(register).changes,
        );
        const added = Number(
          database
            .prepare(
              `INSERT OR IGNORE INTO pseudonyms (register, token_type, element, masked_hash, kept_until)
               SELECT ?, token_type, element, masked_hash, kept_until FROM ${stage}.incoming`,
            )
            .run(register).changes,
        );
        database
          .prepare(
            `INSERT INTO imports (register, generation, clients, imported_at, evaluation_key) VALUES (?1, 1, ?2, ?3, ?5)
             ON CONFLICT (register) DO UPDATE SET generation = generation + ?4, clients = ?2, imported_at = ?3, evaluation_key = ?5`,
          )
          .run(register, clients, now, added + removed + moved > 0 ? 1 : 0, evaluationKey);
        return { added, removed, unchanged: before - removed };
      }),
    close,
    preview() {
      const before = count('SELECT count(*) AS n FROM pseudonyms WHERE register = ?');
      const unchanged = count(
        `SELECT count(*) AS n FROM pseudonyms p JOIN ${stage}.incoming i USING (token_type, element) WHERE p.register = ?`,
      );
      const { n } = database.prepare(`SELECT count(*) AS n FROM ${stage}.incoming`).get() as { n: number };
      return { added: n - unchanged, removed: before - unchanged, unchanged };
    },
  };
}
