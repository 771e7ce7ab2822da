import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
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
import { asStorageFailure, inTransaction } from './database.ts';
import { LaidBeside } from './laid-beside.ts';

/** {@link PseudonymStore} on SQLite. */
export function sqlitePseudonymStore(sqlite: SqliteAgentDatabase): PseudonymStore {
  return {
    ...pseudonymReader(sqlite),
    async beginImport(register) {
      const stage = await sqlite.exclusively((database) => beginStage(database, register));
      const abandon = (): Promise<void> => sqlite.exclusively(() => stage.close());
      return {
        add: (tokenType, pseudonyms) => sqlite.exclusively(() => stage.add(tokenType, pseudonyms)),
        addHeld: () => sqlite.exclusively(() => stage.addHeld()),
        remove: (tokenType, elements) => sqlite.exclusively(() => stage.remove(tokenType, elements)),
        commit: async (...given) => {
          try {
            return await commitStage(
              (name, ...values) => sqlite.exclusively(() => call(stage, name, values)),
              given,
            );
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

/** Runs one step of a stage, wherever that is. */
export type RunStep = <Name extends keyof SqliteStage>(
  name: Name,
  ...values: Parameters<SqliteStage[Name]>
) => Promise<ReturnType<SqliteStage[Name]>>;

/** A step by its name. */
export const call = <Name extends keyof SqliteStage>(
  stage: SqliteStage,
  name: Name,
  values: Parameters<SqliteStage[Name]>,
): ReturnType<SqliteStage[Name]> =>
  (stage[name] as (...given: typeof values) => ReturnType<SqliteStage[Name]>)(...values);

/**
 * Makes what a stage has collected the content of its register. The long part is done beside those who write, and the
 * switch writes the difference alone; where nothing stays as it is, and there is much of it, only the register's version.
 */
export async function commitStage(
  step: RunStep,
  given: Parameters<SqliteStage['commit']>,
): Promise<ImportChange> {
  const inPieces = async (name: 'takeOver' | 'lay' | 'clear'): Promise<void> => {
    for (let pause = await step(name); pause !== undefined; pause = await step(name)) await delay(pause);
  };
  try {
    await inPieces('takeOver');
    await step('compare');
    await inPieces('lay');
    return await step('commit', ...given);
  } finally {
    // What cannot be removed now, the next import removes; that this one has ended, well or badly, stays so.
    await inPieces('clear').catch(() => undefined);
  }
}

/** The rows of a register (?1) that are its content: others stand beside them while they are made anew with other keys. */
const VERSION = 'coalesce((SELECT version FROM imports WHERE register = ?1), 0)';
const IN_USE = `version = ${VERSION}`;
const HELD = `SELECT count(*) AS n FROM pseudonyms WHERE register = ?1 AND ${IN_USE}`;

/** New pseudonyms that are written in a moment. */
const FEW = 2_000;

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
    ) WITHOUT ROWID;
    CREATE TABLE ${name}.leaving (token_type TEXT NOT NULL, element BLOB NOT NULL, PRIMARY KEY (token_type, element))
      WITHOUT ROWID;
    CREATE TABLE ${name}.gone (token_type TEXT NOT NULL, element BLOB NOT NULL, PRIMARY KEY (token_type, element))
      WITHOUT ROWID;
    CREATE TABLE ${name}.moved (
      token_type TEXT NOT NULL, element BLOB NOT NULL, kept_until TEXT, PRIMARY KEY (token_type, element)
    ) WITHOUT ROWID;
    CREATE TABLE ${name}.fresh (
      token_type TEXT NOT NULL, element BLOB NOT NULL, masked_hash INTEGER NOT NULL, kept_until TEXT,
      PRIMARY KEY (token_type, element)
    ) WITHOUT ROWID`);
  return name;
}

/**
 * Work on what was attached, in one transaction that reads the agent's own database and does not write to it: who writes
 * there, as lookups do with each entry of the log, does not wait for it.
 */
function besideWriters(database: DatabaseSync, work: () => void): void {
  try {
    database.exec('BEGIN');
    work();
    database.exec('COMMIT');
  } catch (error) {
    if (database.isOpen && database.isTransaction) database.exec('ROLLBACK');
    throw asStorageFailure(error);
  }
}

/** What an import collects, over a connection that nobody else has work on. */
export type SqliteStage = ReturnType<typeof beginStage>;

/** Begins an import on SQLite; each step of it is done when it returns. */
export function beginStage(database: DatabaseSync, register: string) {
  const stage = attachStage(database);
  const close = (): void => database.exec(`DETACH DATABASE ${stage}`);
  const insert = database.prepare(
    // Of two ends the later; none, which is empty, is later than all.
    `INSERT INTO ${stage}.incoming (token_type, element, masked_hash, kept_until) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET kept_until = max(kept_until, excluded.kept_until)`,
  );
  const count = (sql: string): number => (database.prepare(sql).get(register) as { n: number }).n;
  const stateOf = (): string =>
    JSON.stringify(database.prepare('SELECT * FROM imports WHERE register = ?').get(register) ?? null);
  /** The state of the register that the difference was found from. */
  let comparedWith: string | undefined;
  let change = { added: 0, removed: 0, moved: 0, unchanged: 0 };
  /** Whether what is held stays but for what leaves: it is not copied, so that a small difference is little work. */
  let isDifference = false;
  const differ = (): void => {
    // Not with NOT IN, which reads all of a table for each row.
    const standsIn = (table: string): string =>
      `EXISTS (SELECT 1 FROM ${stage}.${table} n WHERE n.token_type = i.token_type AND n.element = i.element)`;
    const same = `p.register = ?1 AND p.${IN_USE} AND p.token_type = i.token_type AND p.element = i.element`;
    for (const table of ['gone', 'moved', 'fresh']) database.exec(`DELETE FROM ${stage}.${table}`);
    database
      .prepare(
        isDifference
          ? `INSERT INTO ${stage}.gone SELECT i.token_type, i.element FROM ${stage}.leaving i CROSS JOIN pseudonyms p ON ${same}
             WHERE NOT ${standsIn('incoming')}`
          : `INSERT INTO ${stage}.gone SELECT token_type, element FROM pseudonyms p WHERE register = ?1 AND ${IN_USE}
             AND NOT EXISTS (SELECT 1 FROM ${stage}.incoming i WHERE ${same})`,
      )
      .run(register);
    const end = isDifference
      ? `CASE WHEN ${standsIn('leaving')}
           THEN i.kept_until ELSE max(i.kept_until, p.kept_until) END`
      : 'i.kept_until';
    const pairs = isDifference
      ? `${stage}.incoming i CROSS JOIN pseudonyms p`
      : `pseudonyms p JOIN ${stage}.incoming i`;
    database
      .prepare(
        `INSERT INTO ${stage}.moved SELECT i.token_type, i.element, ${end}
         FROM ${pairs} ON ${same} WHERE ${end} IS NOT p.kept_until`,
      )
      .run(register);
    database
      .prepare(
        `INSERT INTO ${stage}.fresh SELECT token_type, element, masked_hash, kept_until FROM ${stage}.incoming i
         WHERE NOT EXISTS (SELECT 1 FROM pseudonyms p WHERE ${same})`,
      )
      .run(register);
    const sizeOf = (table: string): number =>
      (database.prepare(`SELECT count(*) AS n FROM ${stage}.${table}`).get() as { n: number }).n;
    const [added, removed, moved] = [sizeOf('fresh'), sizeOf('gone'), sizeOf('moved')];
    change = { added, removed, moved, unchanged: count(HELD) - removed };
    comparedWith = stateOf();
  };
  const beside = new LaidBeside(database, register);
  const stillHolds = (): boolean => stateOf() === comparedWith;
  const writeDifference = (): void => {
    database
      .prepare(
        `DELETE FROM pseudonyms WHERE register = ?1 AND (token_type, element) IN
           (SELECT token_type, element FROM ${stage}.gone)`,
      )
      .run(register);
    // Row by row of those that move: joined, it would read the whole register while everybody waits.
    database
      .prepare(
        `UPDATE pseudonyms SET kept_until = (SELECT kept_until FROM ${stage}.moved m
           WHERE m.token_type = pseudonyms.token_type AND m.element = pseudonyms.element)
         WHERE register = ?1 AND (token_type, element) IN (SELECT token_type, element FROM ${stage}.moved)`,
      )
      .run(register);
    database
      .prepare(
        `INSERT INTO pseudonyms (register, token_type, element, masked_hash, kept_until, version)
         SELECT ?1, token_type, element, masked_hash, kept_until, ${VERSION} FROM ${stage}.fresh WHERE true
         -- One of former keys, which waits to be removed, would hide it.
         ON CONFLICT DO UPDATE SET masked_hash = excluded.masked_hash, kept_until = excluded.kept_until,
           version = excluded.version, origin = NULL`,
      )
      .run(register);
  };
  const compare = (): void => besideWriters(database, differ);
  return {
    add(tokenType: string, pseudonyms: readonly StoredPseudonym[]): void {
      besideWriters(database, () => {
        for (const { element, maskedHash, until } of pseudonyms)
          insert.run(tokenType, element, maskedHash, until === undefined ? null : isoDay(until));
      });
    },
    addHeld(): void {
      isDifference = true;
    },
    remove(tokenType: string, elements: readonly Uint8Array[]): void {
      const remove = database.prepare(`DELETE FROM ${stage}.incoming WHERE token_type = ? AND element = ?`);
      const leave = database.prepare(`INSERT OR IGNORE INTO ${stage}.leaving VALUES (?, ?)`);
      besideWriters(database, () => {
        for (const element of elements) {
          remove.run(tokenType, element);
          leave.run(tokenType, element);
        }
      });
    },
    compare,
    takeOver: () => beside.takeOver(),
    lay: () =>
      change.unchanged === 0 && change.added > FEW ? beside.lay(`${stage}.fresh`, stillHolds) : undefined,
    clear: () => beside.clear(),
    commit: (clients: number, { evaluationKey, nodeKey }: MadeWith, now: number, over?: ExpectedContent) =>
      inTransaction(database, (): ImportChange => {
        refuseOtherNodeKey(nodeKey, database.prepare(NODE_KEY_IN_USE).get()?.['value']);
        refuseFormerEvaluationKey(evaluationKey, database.prepare(EVALUATION_MOVED).get()?.['value']);
        refuseOtherContent(
          over,
          database.prepare(IMPORTED_AT.replace('$1', '?')).get(register)?.['imported_at'],
        );
        // Another import came in between, or other keys: what was found then does not hold any more.
        const holds = stillHolds();
        if (!holds) differ();
        const version = holds ? beside.complete() : undefined;
        if (version === undefined) writeDifference();
        const { added, removed, moved, unchanged } = change;
        database
          .prepare(
            `INSERT INTO imports (register, generation, clients, imported_at, evaluation_key, node_key, version)
             VALUES (?1, 1, ?2, ?3, ?5, ?6, coalesce(?7, 0))
             ON CONFLICT (register) DO UPDATE SET generation = generation + ?4, clients = ?2, imported_at = ?3,
               evaluation_key = ?5, node_key = ?6, version = coalesce(?7, version)`,
          )
          .run(
            ...[register, clients, now, added + removed + moved > 0 ? 1 : 0, evaluationKey, nodeKey],
            version ?? null,
          );
        return { added, removed, unchanged };
      }),
    close,
    preview(): ImportChange {
      compare();
      const { added, removed, unchanged } = change;
      return { added, removed, unchanged };
    },
  };
}
