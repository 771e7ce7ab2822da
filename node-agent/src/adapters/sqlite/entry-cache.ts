import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { HitError } from '@hitmachine/protocol';
import { fileProblem } from '@hitmachine/service';
import type { EntryCache } from '../../ports/entry-cache.ts';

const FORMAT = 'hitmachine-entry-cache-1';
const SCHEMA = `
  CREATE TABLE about (format TEXT NOT NULL, fit BLOB NOT NULL) STRICT;
  CREATE TABLE entries (fingerprint BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
`;
/** Entries in one transaction of the new file. */
const GROUP = 10_000;
const LEFT_MS = 86_400_000;

/**
 * {@link EntryCache} in a folder: the entries of a register in one SQLite file. Each import writes a new one beside it,
 * which takes its place by a rename. Throws `storage-failed` when the folder cannot be written to.
 */
export function sqliteEntryCache(folder: string, register: string): EntryCache {
  const place = join(folder, `${register}.cache`);
  const next = `${place}.${process.pid}.new`;
  let old: Reader | undefined;
  let writer: Writer | undefined;
  const writing = <T>(work: () => T): T => {
    try {
      return work();
    } catch (cause) {
      const reason = fileProblem(cause) ?? (cause as Error).message;
      throw new HitError(
        'storage-failed',
        `${place}: the cache cannot be written: ${reason}; nothing was changed`,
        {
          cause,
        },
      );
    }
  };
  return {
    place,
    begin(fit) {
      writing(() => {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        removeLeft(folder, `${register}.cache.`);
        rmSync(next, { force: true });
        writer = openWriter(next, fit);
      });
      old = openReader(place, fit);
    },
    find(fingerprint) {
      const sealed = old?.(fingerprint);
      if (sealed !== undefined) writing(() => writer?.put(fingerprint, sealed));
      return sealed;
    },
    keep: (fingerprint, sealed) => writing(() => writer?.put(fingerprint, sealed)),
    finish() {
      writing(() => {
        writer?.close();
        writer = undefined;
        renameSync(next, place);
      });
    },
    close() {
      writer?.close();
      if (writer !== undefined) rmSync(next, { force: true });
      writer = undefined;
      old?.(undefined);
      old = undefined;
    },
  };
}

/** Removes what an import left that was killed; another one that runs is not so old. */
export function removeLeft(folder: string, start: string): void {
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(start) || !name.endsWith('.new')) continue;
    const file = join(folder, name);
    const { mtimeMs } = statSync(file, { throwIfNoEntry: false }) ?? { mtimeMs: Infinity };
    if (Date.now() - mtimeMs > LEFT_MS) rmSync(file, { force: true });
  }
}

/** Looks an entry up; without a fingerprint it closes. */
type Reader = (fingerprint: Uint8Array | undefined) => Uint8Array | undefined;

/** Undefined for a file that is not there, is no cache, is damaged, or was made with other keys. */
function openReader(file: string, fit: Uint8Array): Reader | undefined {
  if (!existsSync(file)) return undefined;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { readOnly: true });
    const about = database.prepare('SELECT format, fit FROM about').get() as
      { format: string; fit: Uint8Array } | undefined;
    const sound =
      (database.prepare('PRAGMA quick_check(1)').get() as { quick_check: string }).quick_check === 'ok';
    if (about?.format !== FORMAT || Buffer.compare(about.fit, fit) !== 0 || !sound)
      throw new Error('another cache');
    const opened = database;
    const find = opened.prepare('SELECT sealed FROM entries WHERE fingerprint = ?');
    return (fingerprint) => {
      if (fingerprint === undefined) {
        opened.close();
        return undefined;
      }
      return (find.get(fingerprint) as { sealed: Uint8Array } | undefined)?.sealed;
    };
  } catch {
    database?.close();
    return undefined;
  }
}

interface Writer {
  put(fingerprint: Uint8Array, sealed: Uint8Array): void;
  close(): void;
}

function openWriter(file: string, fit: Uint8Array): Writer {
  const database = new DatabaseSync(file);
  chmodSync(file, 0o600);
  // A file that is not finished is never read, so it need not survive anything before its last commit.
  database.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = NORMAL; ${SCHEMA}`);
  database.prepare('INSERT INTO about (format, fit) VALUES (?, ?)').run(FORMAT, fit);
  const insert = database.prepare('INSERT OR REPLACE INTO entries (fingerprint, sealed) VALUES (?, ?)');
  let pending = 0;
  database.exec('BEGIN');
  return {
    put(fingerprint, sealed) {
      insert.run(fingerprint, sealed);
      if (++pending % GROUP === 0) database.exec('COMMIT; BEGIN');
    },
    close() {
      database.exec('COMMIT');
      database.close();
    },
  };
}
