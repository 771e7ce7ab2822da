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
  `
  CREATE TABLE policy (
    version  INTEGER PRIMARY KEY,
    document TEXT NOT NULL
  ) STRICT;
  CREATE TABLE members (
    version  INTEGER PRIMARY KEY,
    document TEXT NOT NULL
  ) STRICT;
  CREATE TABLE offline_key (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    public_key TEXT NOT NULL
  ) STRICT;

  -- The log: a row for each transaction that appended, with count entries from index first on. hashes are those of the
  -- complete subtrees of the Merkle tree that end in it, the first of them the hash_start-th of the log; leaves is what
  -- was logged. What helps to find an entry stands in a file of its own, which is made from this.
  CREATE TABLE bundle (
    first      INTEGER PRIMARY KEY CHECK (first >= 0),
    count      INTEGER NOT NULL CHECK (count > 0),
    at         INTEGER NOT NULL,
    hash_start INTEGER NOT NULL,
    hashes     BLOB NOT NULL,
    leaves     BLOB NOT NULL
  ) STRICT;
  CREATE TRIGGER bundle_leaves_no_gap BEFORE INSERT ON bundle
    WHEN new.first <> coalesce((SELECT first + count FROM bundle ORDER BY first DESC LIMIT 1), 0)
    BEGIN SELECT RAISE(ABORT, 'the log has no gaps'); END;
  CREATE TRIGGER bundle_is_never_changed BEFORE UPDATE ON bundle
    BEGIN SELECT RAISE(ABORT, 'the log is append only'); END;
  CREATE TRIGGER bundle_is_never_removed BEFORE DELETE ON bundle
    BEGIN SELECT RAISE(ABORT, 'the log is append only'); END;
  CREATE TRIGGER audit_is_closed BEFORE INSERT ON audit
    BEGIN SELECT RAISE(ABORT, 'the log goes on in the table bundle'); END;

  CREATE TABLE checkpoint (
    size INTEGER PRIMARY KEY,
    at   INTEGER NOT NULL,
    note TEXT NOT NULL
  ) STRICT;

  CREATE TABLE witness (
    witness TEXT PRIMARY KEY,
    size    INTEGER NOT NULL,
    at      INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  'ALTER TABLE agency ADD COLUMN key_change TEXT',
  'CREATE TABLE evaluation_key (id INTEGER PRIMARY KEY CHECK (id = 1), public_key TEXT NOT NULL) STRICT',
  `CREATE TABLE held_keys (
    replica TEXT PRIMARY KEY,
    host    TEXT NOT NULL,
    keys    TEXT NOT NULL,
    at      INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE quotient_given (
    agency         TEXT PRIMARY KEY,
    evaluation_key TEXT NOT NULL,
    first_at       INTEGER NOT NULL,
    last_at        INTEGER NOT NULL,
    times          INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`,
];
