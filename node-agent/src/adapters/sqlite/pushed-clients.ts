import type { DatabaseSync } from 'node:sqlite';
import { DatabaseSync as Database } from 'node:sqlite';
import { closeSync, openSync } from 'node:fs';
import { HitError } from '@hitmachine/protocol';
import { fileProblem } from '@hitmachine/service';
import type { PushedClient, PushedClients } from '../../ports/pushed-clients.ts';

const CLIENT = 'fingerprint, sealed, evaluation_key AS evaluationKey, node_key AS nodeKey';
const SCHEMA = `
  PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
  CREATE TABLE IF NOT EXISTS pushed (
    register TEXT NOT NULL, fingerprint BLOB NOT NULL, sealed BLOB NOT NULL, evaluation_key TEXT NOT NULL,
    node_key TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (register, fingerprint)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS versions (register TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS replaceable (
    register TEXT PRIMARY KEY, before INTEGER, made INTEGER, agreed INTEGER
  ) STRICT, WITHOUT ROWID;
`;

/** Files of earlier versions do not say which node key was used. */
const OLDER = "SELECT count(*) AS n FROM pragma_table_info('pushed') WHERE name = 'node_key'";
const SINCE_THEN = "ALTER TABLE pushed ADD COLUMN node_key TEXT NOT NULL DEFAULT ''";

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
    if (opened.prepare(OLDER).get()?.['n'] === 0) opened.exec(SINCE_THEN);
    return opened;
  });
  const count = database.prepare('SELECT count(*) AS n FROM pushed WHERE register = ?');
  const version = database.prepare('SELECT version AS n FROM versions WHERE register = ?');
  const all = database.prepare(`SELECT ${CLIENT} FROM pushed WHERE register = ? ORDER BY fingerprint`);
  const put = database.prepare(
    `INSERT INTO pushed (register, fingerprint, sealed, evaluation_key, node_key) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET sealed = excluded.sealed, evaluation_key = excluded.evaluation_key,
       node_key = excluded.node_key`,
  );
  const remove = database.prepare('DELETE FROM pushed WHERE register = ? AND fingerprint = ?');
  const adopt = database.prepare("UPDATE pushed SET node_key = ? WHERE node_key = ''");
  const others = database.prepare(
    `SELECT ${CLIENT} FROM pushed WHERE register = ? AND (node_key <> ? OR evaluation_key <> coalesce(?, evaluation_key)) ORDER BY fingerprint LIMIT ?`,
  );
  const makeAnew = database.prepare(
    'UPDATE pushed SET sealed = ?, evaluation_key = ?, node_key = ? WHERE register = ? AND fingerprint = ? AND sealed = ?',
  );
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
  // What is done here is done before a promise of it is given: whoever calls twice is heard in that order.
  return {
    adopt: async (nodeKey) => storing(() => void adopt.run(nodeKey)),
    begin: async () => 0,
    put: async (register, { fingerprint, sealed, evaluationKey, nodeKey }) =>
      changing(register, () => put.run(register, fingerprint, sealed, evaluationKey, nodeKey)),
    ofOtherKeys: async (register, { nodeKey, evaluationKey = null }, limit) =>
      storing(() => others.all(register, nodeKey, evaluationKey, limit) as unknown as PushedClient[]),
    makeAnew: async (register, before, { sealed, evaluationKey, nodeKey }) =>
      storing(
        () => void makeAnew.run(sealed, evaluationKey, nodeKey, register, before.fingerprint, before.sealed),
      ),
    remove: async (register, fingerprint) => changing(register, () => remove.run(register, fingerprint)),
    count: async (register) => storing(() => number(count.get(register))),
    version: async (register) => storing(() => number(version.get(register))),
    async replaceable(register) {
      const found = storing(() => replaceable.get(register)) as Record<string, number | null> | undefined;
      const { before, made, agreed } = found ?? {};
      return { before: before ?? undefined, made: made ?? undefined, agreed: agreed ?? undefined };
    },
    replacing: async (register, before, made) =>
      storing(() => void replacing.run(register, before ?? null, made)),
    agree: async (register, before) => storing(() => void agree.run(register, before)),
    async *all(register) {
      yield* all.iterate(register) as Iterable<unknown> as Iterable<PushedClient>;
    },
    close: () => database.close(),
  };
}
