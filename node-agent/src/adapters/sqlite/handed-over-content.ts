import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { StatementSync } from 'node:sqlite';
import { DatabaseSync } from 'node:sqlite';
import { HitError } from '@hitmachine/protocol';
import { fileProblem } from '@hitmachine/service';
import type { HandedOverContent, SealedElement } from '../../ports/handed-over-content.ts';
import { removeLeft } from './entry-cache.ts';

const FORMAT = 'hitmachine-handed-over-1';
const SCHEMA = `
  CREATE TABLE about (format TEXT NOT NULL, fit BLOB NOT NULL, base INTEGER) STRICT;
  CREATE TABLE elements (fingerprint BLOB PRIMARY KEY, kept_until INTEGER, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
`;
/** Stands for no end: later than all days. */
const NEVER = 1_000_000_000;

/**
 * {@link HandedOverContent} in a folder, one SQLite file a register; what is gathered lies in a new one, which takes its
 * place by a rename. Throws `storage-failed` when the folder cannot be written to.
 */
export function sqliteHandedOverContent(folder: string, register: string): HandedOverContent {
  const place = join(folder, `${register}.handed-over`);
  const next = `${place}.${process.pid}.new`;
  let database: DatabaseSync | undefined;
  let insert: StatementSync | undefined;
  let base: number | undefined;
  const writing = <T>(work: () => T): T => {
    try {
      return work();
    } catch (cause) {
      const reason = fileProblem(cause) ?? (cause as Error).message;
      throw new HitError('storage-failed', `${place}: it cannot be written: ${reason}`, { cause });
    }
  };
  const opened = (): DatabaseSync => {
    if (database === undefined) throw new HitError('internal');
    return database;
  };
  const rows = function* (sql: string): Generator<SealedElement> {
    for (const row of opened().prepare(sql).iterate()) {
      const { sealed, kept_until: until } = row as { sealed: Uint8Array; kept_until: number };
      yield { sealed: Uint8Array.from(sealed), until: until === NEVER ? undefined : until };
    }
  };
  const only = (one: string, other: string): string =>
    `SELECT sealed, kept_until FROM ${one}.elements a WHERE NOT EXISTS (SELECT 1 FROM ${other}.elements b
     WHERE b.fingerprint = a.fingerprint AND b.kept_until = a.kept_until)`;
  return {
    begin(fit) {
      writing(() => {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        removeLeft(folder, `${register}.handed-over.`);
        rmSync(next, { force: true });
        database = new DatabaseSync(next);
        chmodSync(next, 0o600);
        // A file that is not finished is never read, so it need not survive anything before its last commit.
        database.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = NORMAL; ${SCHEMA}`);
        database.prepare('INSERT INTO about (format, fit) VALUES (?, ?)').run(FORMAT, fit);
        base = attachFormer(database, place, fit);
        database.exec('BEGIN');
      });
    },
    base: () => base,
    put: (fingerprint, { sealed, until }) =>
      writing(() => {
        insert ??= opened().prepare(
          `INSERT INTO main.elements (fingerprint, kept_until, sealed) VALUES (?, ?, ?)
           ON CONFLICT DO UPDATE SET kept_until = max(kept_until, excluded.kept_until)`,
        );
        insert.run(fingerprint, until ?? NEVER, sealed);
      }),
    added: (all) => rows(all ? 'SELECT sealed, kept_until FROM main.elements' : only('main', 'former')),
    removed: () => rows(only('former', 'main')),
    change() {
      const count = (where: string): number =>
        (opened().prepare(`SELECT count(*) AS n FROM ${where}`).get() as { n: number }).n;
      const stays = 'fingerprint IN (SELECT fingerprint FROM former.elements)';
      const [all, unchanged] = [count('main.elements'), count(`main.elements WHERE ${stays}`)];
      return { added: all - unchanged, removed: count('former.elements') - unchanged, unchanged };
    },
    finish(became) {
      writing(() => {
        opened().prepare('UPDATE main.about SET base = ?').run(became);
        opened().exec('COMMIT');
        database?.close();
        database = undefined;
        renameSync(next, place);
      });
    },
    close() {
      if (database === undefined) return;
      database.close();
      database = undefined;
      rmSync(next, { force: true });
    },
  };
}

/** The content that a register became when it was handed over last from a folder; undefined where nothing tells that. */
export function handedOverLast(folder: string, register: string): number | undefined {
  const place = join(folder, `${register}.handed-over`);
  if (!existsSync(place)) return undefined;
  try {
    const database = new DatabaseSync(place, { readOnly: true });
    try {
      const about = database.prepare('SELECT base FROM about').get() as { base: number | null } | undefined;
      return about?.base ?? undefined;
    } finally {
      database.close();
    }
  } catch {
    // Damaged: the next hand-over begins anew by itself.
    return undefined;
  }
}

/** What was handed over last, as `former`. Gives what it became, unless it is not there, damaged, or does not fit. */
function attachFormer(database: DatabaseSync, place: string, fit: Uint8Array): number | undefined {
  if (!existsSync(place)) return undefined;
  try {
    database.prepare('ATTACH DATABASE ? AS former').run(place);
    const about = database.prepare('SELECT format, fit, base FROM former.about').get() as
      { format: string; fit: Uint8Array; base: number | null } | undefined;
    const { quick_check: check } = database.prepare('PRAGMA former.quick_check(1)').get() as {
      quick_check: string;
    };
    if (about?.format !== FORMAT || Buffer.compare(about.fit, fit) !== 0 || check !== 'ok') return undefined;
    return about.base ?? undefined;
  } catch {
    return undefined;
  }
}
