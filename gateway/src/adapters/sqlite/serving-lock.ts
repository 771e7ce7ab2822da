import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { HitError } from '@hitmachine/protocol';
import { storing } from './database.ts';

/** A lock that this process holds. */
export interface ServingLock {
  release(): void;
}

/**
 * Takes the lock of a gateway's directory for as long as this process serves from it. It is a lock of the operating
 * system on a file of its own, so it ends with the process, however that ends, and nothing is ever left behind that
 * an administrator has to remove; the other commands, which may work beside the gateway, do not take it.
 * Throws `already-exists` when another process holds it, `storage-failed` when the file cannot be made.
 */
export function takeServingLock(path: string): ServingLock {
  return storing(() => {
    closeSync(openSync(path, 'a', 0o600));
    const database = new DatabaseSync(path, { timeout: 0 });
    try {
      database.exec('BEGIN EXCLUSIVE');
    } catch (cause) {
      database.close();
      if ((cause as { errcode?: unknown }).errcode !== SQLITE_BUSY) throw cause;
      throw new HitError(
        'already-exists',
        'another gateway serves from this directory already: stop it first, or give another --dir',
        { cause },
      );
    }
    return { release: () => database.close() };
  });
}

/** https://sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;
