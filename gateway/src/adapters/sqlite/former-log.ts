import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { storing } from './database.ts';

/**
 * SHA-256 over the log that earlier versions kept in the table `audit`, for the first entry of the log that follows
 * it; undefined where there was none. Hashed is, for each row in order of `sequence`, the compact JSON array
 * `[sequence, at, event, agency, body]` in UTF-8, with `body` as the text that is stored, and a line feed.
 */
export function formerLogDigest(database: DatabaseSync): Uint8Array | undefined {
  return storing(() => {
    const rows = database.prepare('SELECT sequence, at, event, agency, body FROM audit ORDER BY sequence');
    const hash = createHash('sha256');
    let any = false;
    for (const { sequence, at, event, agency, body } of rows.iterate()) {
      hash.update(`${JSON.stringify([sequence, at, event, agency, body])}\n`);
      any = true;
    }
    return any ? new Uint8Array(hash.digest()) : undefined;
  });
}
