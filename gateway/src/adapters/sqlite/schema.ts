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
  -- The log: idx counts from 0 without gaps. The columns up to milliseconds only help to find an entry; leaf is what
  -- was logged, and hashes are those of the complete subtrees of the Merkle tree that end with this leaf.
  CREATE TABLE entry (
    idx             INTEGER PRIMARY KEY CHECK (idx >= 0),
    at              INTEGER NOT NULL,
    event           TEXT NOT NULL,
    agency          TEXT,
    purpose         TEXT,
    professional    TEXT,
    case_commitment TEXT,
    lookup_id       TEXT,
    node            TEXT,
    status          TEXT,
    persons         INTEGER,
    milliseconds    INTEGER,
    hashes          BLOB NOT NULL,
    leaf            BLOB NOT NULL
  ) STRICT;
  CREATE INDEX entry_by_time ON entry (at);
  CREATE INDEX entry_by_event ON entry (event);
  CREATE INDEX entry_by_agency ON entry (agency) WHERE agency IS NOT NULL;
  CREATE INDEX entry_by_purpose ON entry (purpose) WHERE purpose IS NOT NULL;
  CREATE INDEX entry_by_professional ON entry (professional) WHERE professional IS NOT NULL;
  CREATE INDEX entry_by_case ON entry (case_commitment) WHERE case_commitment IS NOT NULL;
  CREATE INDEX entry_by_lookup ON entry (lookup_id) WHERE lookup_id IS NOT NULL;
  CREATE INDEX entry_by_status ON entry (status) WHERE status IS NOT NULL;
  CREATE TRIGGER entry_is_never_changed BEFORE UPDATE ON entry
    BEGIN SELECT RAISE(ABORT, 'the log is append only'); END;
  CREATE TRIGGER entry_is_never_removed BEFORE DELETE ON entry
    BEGIN SELECT RAISE(ABORT, 'the log is append only'); END;
  CREATE TRIGGER audit_is_closed BEFORE INSERT ON audit
    BEGIN SELECT RAISE(ABORT, 'the log goes on in the table entry'); END;

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
];
