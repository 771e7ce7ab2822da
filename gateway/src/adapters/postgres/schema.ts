/**
 * The schema, one step a version (the table `schema_version`). A step that was released is never changed: a new
 * version adds a step.
 */
export const SCHEMA_STEPS: readonly string[] = [
  `
  CREATE TABLE agency (
    id            text COLLATE "C" PRIMARY KEY,
    name          text NOT NULL,
    kind          text NOT NULL,
    clients       bigint NOT NULL,
    token_hash    bytea NOT NULL,
    token_expires bigint NOT NULL,
    token_used_by bytea,
    identity_key  bytea,
    session_key   text,
    registers     text,
    CHECK ((identity_key IS NULL) = (session_key IS NULL) AND (identity_key IS NULL) = (registers IS NULL))
  );

  CREATE TABLE roster (
    version  bigint PRIMARY KEY,
    document text NOT NULL
  );

  -- The log: idx counts from 0 without gaps. The columns up to milliseconds only help to find an entry; leaf is what
  -- was logged, and hashes are those of the complete subtrees of the Merkle tree that end with this leaf.
  CREATE TABLE entry (
    idx             bigint PRIMARY KEY CHECK (idx >= 0),
    at              bigint NOT NULL,
    event           text COLLATE "C" NOT NULL,
    agency          text COLLATE "C",
    purpose         text COLLATE "C",
    professional    text COLLATE "C",
    case_commitment text COLLATE "C",
    lookup_id       text COLLATE "C",
    node            text COLLATE "C",
    status          text COLLATE "C",
    persons         bigint,
    milliseconds    bigint,
    hashes          bytea NOT NULL,
    leaf            bytea NOT NULL
  );
  CREATE INDEX entry_by_time ON entry (at);
  CREATE INDEX entry_by_event ON entry (event, idx);
  CREATE INDEX entry_by_agency ON entry (agency, idx) WHERE agency IS NOT NULL;
  CREATE INDEX entry_by_purpose ON entry (purpose, idx) WHERE purpose IS NOT NULL;
  CREATE INDEX entry_by_professional ON entry (professional, idx) WHERE professional IS NOT NULL;
  CREATE INDEX entry_by_case ON entry (case_commitment, idx) WHERE case_commitment IS NOT NULL;
  CREATE INDEX entry_by_lookup ON entry (lookup_id, idx) WHERE lookup_id IS NOT NULL;
  CREATE INDEX entry_by_status ON entry (status, idx) WHERE status IS NOT NULL;

  CREATE FUNCTION log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    RAISE EXCEPTION 'the log is append only';
  END $$;
  CREATE TRIGGER entry_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entry
    FOR EACH STATEMENT EXECUTE FUNCTION log_is_append_only();

  CREATE TABLE checkpoint (
    size bigint PRIMARY KEY,
    at   bigint NOT NULL,
    note text NOT NULL
  );

  CREATE TABLE witness (
    witness text COLLATE "C" PRIMARY KEY,
    size    bigint NOT NULL,
    at      bigint NOT NULL
  );

  CREATE TABLE quota (
    counter    text COLLATE "C" PRIMARY KEY,
    window_end bigint NOT NULL,
    used       bigint NOT NULL
  ) WITH (fillfactor = 50);

  CREATE TABLE nonce (
    agency  text COLLATE "C" NOT NULL,
    nonce   text COLLATE "C" NOT NULL,
    expires bigint NOT NULL,
    PRIMARY KEY (agency, nonce)
  );
  CREATE INDEX nonce_by_expiry ON nonce (agency, expires);
  CREATE TABLE nonce_account (
    agency    text COLLATE "C" PRIMARY KEY,
    live      integer NOT NULL,
    forget_at bigint NOT NULL
  ) WITH (fillfactor = 50);

  -- One round trip for each request. The row of the agency's account orders the requests of one agency.
  CREATE FUNCTION use_nonce(of_agency text, used text, until bigint, now bigint, max_live integer,
    forget_every bigint) RETURNS text LANGUAGE plpgsql AS $$
  DECLARE
    account nonce_account;
  BEGIN
    -- The entry of the log that follows takes the nonce with it to stable storage.
    PERFORM set_config('synchronous_commit', 'off', true);
    INSERT INTO nonce_account VALUES (of_agency, 0, 0) ON CONFLICT DO NOTHING;
    SELECT * INTO account FROM nonce_account WHERE agency = of_agency FOR UPDATE;
    IF now >= account.forget_at THEN
      DELETE FROM nonce WHERE agency = of_agency AND expires < now;
      account.forget_at := now + forget_every;
      SELECT count(*) INTO account.live FROM nonce WHERE agency = of_agency;
      UPDATE nonce_account SET live = account.live, forget_at = account.forget_at WHERE agency = of_agency;
    END IF;
    IF EXISTS (SELECT FROM nonce WHERE agency = of_agency AND nonce = used) THEN
      RETURN 'replayed';
    END IF;
    IF account.live >= max_live THEN
      RETURN 'too-many';
    END IF;
    INSERT INTO nonce VALUES (of_agency, used, until);
    UPDATE nonce_account SET live = account.live + 1 WHERE agency = of_agency;
    RETURN 'fresh';
  END $$;

  CREATE TABLE probe (
    id integer PRIMARY KEY CHECK (id = 1),
    at bigint NOT NULL
  ) WITH (fillfactor = 50);
  `,
];
