/**
 * The schema, one step a version (`PRAGMA user_version`). A step that was released is never changed: a new version
 * adds a step.
 */
export const SCHEMA_STEPS: readonly string[] = [
  `
  CREATE TABLE agency (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    kind          TEXT NOT NULL,
    clients       INTEGER NOT NULL,
    token_hash    BLOB NOT NULL,
    token_expires INTEGER NOT NULL,
    token_used_by BLOB,
    identity_key  BLOB,
    session_key   TEXT,
    registers     TEXT,
    CHECK ((identity_key IS NULL) = (session_key IS NULL) AND (identity_key IS NULL) = (registers IS NULL))
  ) STRICT;

  CREATE TABLE roster (
    version  INTEGER PRIMARY KEY,
    document TEXT NOT NULL
  ) STRICT;

  CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    event    TEXT NOT NULL,
    agency   TEXT NOT NULL,
    body     TEXT NOT NULL
  ) STRICT;
  CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
  CREATE TRIGGER audit_is_never_shortened BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;

  CREATE TABLE quota (
    counter    TEXT PRIMARY KEY,
    window_end INTEGER NOT NULL,
    used       INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE nonce (
    agency  TEXT NOT NULL,
    nonce   TEXT NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (agency, nonce)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX nonce_by_expiry ON nonce (expires);

  CREATE TABLE probe (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at INTEGER NOT NULL
  ) STRICT;
  `,
];
