import type { DatabaseSync } from 'node:sqlite';
import { DatabaseSync as Database } from 'node:sqlite';
import { closeSync, openSync } from 'node:fs';
import { HitError } from '@hitmachine/protocol';
import { fileProblem } from '@hitmachine/service';
import type { PushedClient, PushedClients } from '../../ports/pushed-clients.ts';

const SCHEMA = `
  PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
  CREATE TABLE IF NOT EXISTS pushed (
    register TEXT NOT NULL, fingerprint BLOB NOT NULL, sealed BLOB NOT NULL, evaluation_key TEXT NOT NULL,
    PRIMARY KEY (register, fingerprint)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS versions (register TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS replaceable (
    register TEXT PRIMARY KEY, before INTEGER, made INTEGER, agreed INTEGER
  ) STRICT, WITHOUT ROWID;
`;

/** {@link PushedClients} in an SQLite file of its own. Throws `storage-failed`. */
export function sqlitePushedClients(file: string): PushedClients {
  const storing = <T>(work: () => T): T => {
    try {
      return work();
    } catch (cause) {
      const reason = fileProblem(cause) ?? (cause as Error).message;
      throw new HitError('storage-failed', `${file}: ${reason}`, { cause });
    }
  };
  const database = storing((): DatabaseSync => {
    if (file !== ':memory:') closeSync(openSync(file, 'a', 0o600));
    const opened = new Database(file, { timeout: 10_000 });
    opened.exec(SCHEMA);
    return opened;
  });
  const count = database.prepare('SELECT count(*) AS n FROM pushed WHERE register = ?');
  const version = database.prepare('SELECT version AS n FROM versions WHERE register = ?');
  const all = database.prepare(
    'SELECT fingerprint, sealed, evaluation_key AS evaluationKey FROM pushed WHERE register = ? ORDER BY fingerprint',
  );
  const put = database.prepare(
    `INSERT INTO pushed (register, fingerprint, sealed, evaluation_key) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET sealed = excluded.sealed, evaluation_key = excluded.evaluation_key`,
  );
  const remove = database.prepare('DELETE FROM pushed WHERE register = ? AND fingerprint = ?');
  const rise = database.prepare(
    'INSERT INTO versions (register, version) VALUES (?, 1) ON CONFLICT DO UPDATE SET version = version + 1',
  );
  const replaceable = database.prepare('SELECT before, made, agreed FROM replaceable WHERE register = ?');
  const replacing = database.prepare(
    `INSERT INTO replaceable (register, before, made) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET before = excluded.before, made = excluded.made`,
  );
  const agree = database.prepare(
    'INSERT INTO replaceable (register, agreed) VALUES (?, ?) ON CONFLICT DO UPDATE SET agreed = excluded.agreed',
  );
  const changing = (register: string, work: () => unknown): void =>
    storing(() => {
      database.exec('BEGIN IMMEDIATE');
      try {
        work();
        rise.run(register);
        database.exec('COMMIT');
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK');
        throw error;
      }
    });
  const number = (found: unknown): number => (found as { n: number } | undefined)?.n ?? 0;
  return {
    put: (register, { fingerprint, sealed, evaluationKey }) =>
      changing(register, () => put.run(register, fingerprint, sealed, evaluationKey)),
    remove: (register, fingerprint) => changing(register, () => remove.run(register, fingerprint)),
    count: (register) => storing(() => number(count.get(register))),
    version: (register) => storing(() => number(version.get(register))),
    replaceable(register) {
      const found = storing(() => replaceable.get(register)) as Record<string, number | null> | undefined;
      const { before, made, agreed } = found ?? {};
      return { before: before ?? undefined, made: made ?? undefined, agreed: agreed ?? undefined };
    },
    replacing: (register, before, made) => storing(() => void replacing.run(register, before ?? null, made)),
    agree: (register, before) => storing(() => void agree.run(register, before)),
    all: (register) => all.iterate(register) as Iterable<unknown> as Iterable<PushedClient>,
    close: () => database.close(),
  };
}
