import type { DatabaseSync } from 'node:sqlite';
import { ASKED_ABOUT_REGISTER } from '@hitmachine/protocol';
import type { AskedAboutStore } from '../../ports/asked-about-store.ts';
import type { AskedAbout } from '../../ports/agency-log.ts';
import { inTransaction } from './database.ts';

const evaluationKeyOf = (database: DatabaseSync): string | undefined =>
  (
    database.prepare('SELECT evaluation_key FROM imports WHERE register = ?').get(ASKED_ABOUT_REGISTER) as
      { evaluation_key: string } | undefined
  )?.evaluation_key;

/** {@link AskedAboutStore} on SQLite. */
export function sqliteAskedAboutStore(database: DatabaseSync): AskedAboutStore {
  return {
    canaryTypes: (evaluationKey) =>
      evaluationKeyOf(database) !== evaluationKey
        ? []
        : (
            database
              .prepare('SELECT token_type FROM pseudonyms WHERE register = ? AND kept_until IS NULL')
              .all(ASKED_ABOUT_REGISTER) as { token_type: string }[]
          ).map(({ token_type: type }) => type),
    addCanaries: (canaries, evaluationKey, now) =>
      inTransaction(database, () => {
        startUnder(database, evaluationKey, now);
        const insert = database.prepare(
          'INSERT OR IGNORE INTO pseudonyms (register, token_type, element, masked_hash) VALUES (?, ?, ?, ?)',
        );
        for (const [tokenType, { element, maskedHash }] of canaries)
          insert.run(ASKED_ABOUT_REGISTER, tokenType, element, maskedHash);
        countUp(database, 0);
      }),
  };
}

/** What was gathered under another evaluation key goes: it matches nobody any more. */
function startUnder(database: DatabaseSync, evaluationKey: string, now: number): void {
  if (evaluationKeyOf(database) === evaluationKey) return;
  database.prepare('DELETE FROM pseudonyms WHERE register = ?').run(ASKED_ABOUT_REGISTER);
  database
    .prepare(
      `INSERT INTO imports (register, generation, clients, imported_at, evaluation_key) VALUES (?1, 0, 0, ?2, ?3)
       ON CONFLICT (register) DO UPDATE SET clients = 0, imported_at = ?2, evaluation_key = ?3`,
    )
    .run(ASKED_ABOUT_REGISTER, now, evaluationKey);
}

function countUp(database: DatabaseSync, added: number): void {
  database
    .prepare('UPDATE imports SET generation = generation + 1, clients = clients + ? WHERE register = ?')
    .run(added, ASKED_ABOUT_REGISTER);
}

/**
 * Adds persons, inside a transaction of the caller. The register counts as changed whether or not they were there: new
 * tables can be seen, and must not tell whether somebody had been asked about before.
 */
export function addAskedAbout(database: DatabaseSync, askedAbout: AskedAbout, now: number): void {
  const { persons, keptUntil, evaluationKey } = askedAbout;
  startUnder(database, evaluationKey, now);
  const find = database.prepare(
    'SELECT 1 FROM pseudonyms WHERE register = ? AND token_type = ? AND element = ?',
  );
  const insert = database.prepare(
    `INSERT INTO pseudonyms (register, token_type, element, masked_hash, kept_until) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (register, token_type, element) DO UPDATE SET kept_until = max(kept_until, excluded.kept_until)`,
  );
  let added = 0;
  for (const person of persons) {
    let isNew = false;
    for (const [tokenType, { element, maskedHash }] of person) {
      isNew ||= find.get(ASKED_ABOUT_REGISTER, tokenType, element) === undefined;
      insert.run(ASKED_ABOUT_REGISTER, tokenType, element, maskedHash, keptUntil);
    }
    if (isNew) added++;
  }
  countUp(database, added);
}

/**
 * Takes out who is kept until a day before `today`, inside a transaction of the caller. Gives how many pseudonyms. They
 * leave the tables with those of the next day: new ones at once would tell that nobody asked again.
 */
export function removeAskedAbout(database: DatabaseSync, today: string): number {
  const { changes } = database
    .prepare('DELETE FROM pseudonyms WHERE register = ? AND kept_until < ?')
    .run(ASKED_ABOUT_REGISTER, today);
  if (changes === 0) return 0;
  // Which pseudonyms belong to one person is not kept; each person has one of some type at least.
  const left = database
    .prepare(
      `SELECT max(n) AS n FROM (SELECT count(*) AS n FROM pseudonyms
       WHERE register = ? AND kept_until IS NOT NULL GROUP BY token_type)`,
    )
    .get(ASKED_ABOUT_REGISTER) as { n: number | null };
  database
    .prepare('UPDATE imports SET clients = ? WHERE register = ?')
    .run(left.n ?? 0, ASKED_ABOUT_REGISTER);
  return Number(changes);
}
