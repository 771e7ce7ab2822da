import type { DatabaseSync } from 'node:sqlite';
import { AGENCY_LOG_START, agencyLogChain, agencyLogContentHash } from '@hitmachine/protocol';

/** The log as it was kept before it was chained. */
interface UnchainedRow {
  readonly sequence: number;
  readonly at: number;
  readonly event: string;
  readonly lookup_key: string;
  readonly nonce: Uint8Array;
  readonly sealed: Uint8Array;
}

const SCHEMA = `
  ALTER TABLE log RENAME TO unchained_log;
  DROP INDEX log_answered;
  -- Content that had to go leaves event, lookup_key, nonce and sealed empty, and of the time the day.
  CREATE TABLE log (
    sequence INTEGER PRIMARY KEY, at INTEGER NOT NULL, event TEXT, lookup_key TEXT, nonce BLOB, sealed BLOB,
    content_hash BLOB NOT NULL, chain BLOB NOT NULL
  ) STRICT;
  -- A lookup is answered once: the replay guard is the log itself.
  CREATE UNIQUE INDEX log_answered ON log (lookup_key) WHERE event = 'answered';
  -- The day (UTC) until which a pseudonym is kept; empty for those that stay until the next import.
  ALTER TABLE pseudonyms ADD COLUMN kept_until TEXT;
`;

/** Against mistakes, not against attacks: who can write the file can drop them. Those the chain shows. */
const APPEND_ONLY = `
  CREATE TRIGGER log_only_grows BEFORE INSERT ON log
  WHEN NEW.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM log)
    OR NEW.at < (SELECT at FROM log ORDER BY sequence DESC LIMIT 1)
  BEGIN SELECT RAISE(ABORT, 'an entry of the log comes behind all others'); END;
  CREATE TRIGGER log_keeps_entries BEFORE DELETE ON log
  BEGIN SELECT RAISE(ABORT, 'entries of the log are never removed'); END;
  CREATE TRIGGER log_keeps_content BEFORE UPDATE ON log
  WHEN NOT (
    NEW.sequence = OLD.sequence AND NEW.content_hash = OLD.content_hash AND NEW.chain = OLD.chain
    AND NEW.at = OLD.at - OLD.at % 86400000
    AND coalesce(NEW.event, NEW.lookup_key, NEW.nonce, NEW.sealed) IS NULL
  )
  BEGIN SELECT RAISE(ABORT, 'entries of the log are never changed'); END;
`;

/**
 * The step that chains the log: every entry that is there gets its hash, in order. Times that went back with a clock
 * are moved up to the entry before, because from now on they never do.
 */
export function chainLog(database: DatabaseSync): void {
  database.exec(SCHEMA);
  const insert = database.prepare(
    `INSERT INTO log (sequence, at, event, lookup_key, nonce, sealed, content_hash, chain)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  let { sequence, chain } = AGENCY_LOG_START;
  let at = 0;
  const rows = database.prepare('SELECT * FROM unchained_log ORDER BY sequence').iterate();
  for (const row of rows as Iterable<unknown> as Iterable<UnchainedRow>) {
    const { event, lookup_key: lookupKey, nonce, sealed } = row;
    sequence++;
    at = Math.max(at, row.at);
    const contentHash = agencyLogContentHash({ sequence, at, event, lookupKey, nonce, sealed });
    chain = agencyLogChain(chain, at, contentHash);
    insert.run(sequence, at, event, lookupKey, nonce, sealed, contentHash, chain);
  }
  database.exec(`DROP TABLE unchained_log; ${APPEND_ONLY}`);
}
