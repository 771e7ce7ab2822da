/**
 * The schema, one step a version (the table `schema_version`). A step that was released is never changed: a new version
 * adds a step. The tables are those of SQLite, and what only replicas need.
 */
export const SCHEMA_STEPS: readonly string[] = [
  `
  CREATE TABLE state (name text COLLATE "C" PRIMARY KEY, value text NOT NULL);
  CREATE TABLE pins (name text COLLATE "C" PRIMARY KEY, fingerprint text NOT NULL);

  CREATE TABLE imports (
    register text COLLATE "C" PRIMARY KEY, generation bigint NOT NULL, clients bigint NOT NULL,
    imported_at bigint NOT NULL, evaluation_key text NOT NULL
  );
  -- The day (UTC) until which a pseudonym is kept; empty for those that stay until the next import.
  CREATE TABLE pseudonyms (
    register text COLLATE "C" NOT NULL, token_type text COLLATE "C" NOT NULL, element bytea NOT NULL,
    masked_hash integer NOT NULL, kept_until text COLLATE "C", PRIMARY KEY (register, token_type, element)
  );
  -- What imports under way have gathered. An import goes on over a restart of the server, so it must not be emptied by one.
  CREATE TABLE incoming (
    stage text COLLATE "C" NOT NULL, token_type text COLLATE "C" NOT NULL, element bytea NOT NULL,
    masked_hash integer NOT NULL, kept_until text COLLATE "C", begun bigint NOT NULL,
    PRIMARY KEY (stage, token_type, element)
  );

  CREATE TABLE epochs (epoch bigint PRIMARY KEY, day text NOT NULL, generations text NOT NULL, commitment bytea);
  CREATE TABLE tables (
    epoch bigint NOT NULL REFERENCES epochs ON DELETE CASCADE, register text COLLATE "C" NOT NULL,
    token_type text COLLATE "C" NOT NULL, bits integer NOT NULL, capacity integer NOT NULL, bytes bytea NOT NULL,
    PRIMARY KEY (epoch, register, token_type)
  );
  ALTER TABLE tables ALTER bytes SET STORAGE EXTERNAL;

  -- Content that had to go leaves event, lookup_key, nonce and sealed empty, and of the time the day.
  CREATE TABLE log (
    sequence bigint PRIMARY KEY, at bigint NOT NULL, event text COLLATE "C", lookup_key text COLLATE "C",
    nonce bytea, sealed bytea, content_hash bytea NOT NULL, chain bytea NOT NULL
  );
  -- A lookup is answered once: the replay guard is the log itself.
  CREATE UNIQUE INDEX log_answered ON log (lookup_key) WHERE event = 'answered';
  -- Against mistakes, not against attacks: who can write the tables can drop them. Those the chain shows.
  CREATE FUNCTION log_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE
    before log;
  BEGIN
    SELECT * INTO before FROM log ORDER BY sequence DESC LIMIT 1;
    IF NEW.sequence <> coalesce(before.sequence, 0) + 1 OR NEW.at < coalesce(before.at, 0) THEN
      RAISE EXCEPTION 'an entry of the log comes behind all others';
    END IF;
    RETURN NEW;
  END $$;
  CREATE TRIGGER log_only_grows BEFORE INSERT ON log FOR EACH ROW EXECUTE FUNCTION log_only_grows();
  CREATE FUNCTION log_keeps_entries() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    RAISE EXCEPTION 'entries of the log are never removed';
  END $$;
  CREATE TRIGGER log_keeps_entries BEFORE DELETE OR TRUNCATE ON log
    FOR EACH STATEMENT EXECUTE FUNCTION log_keeps_entries();
  CREATE FUNCTION log_keeps_content() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF NEW.sequence = OLD.sequence AND NEW.content_hash = OLD.content_hash AND NEW.chain = OLD.chain
      AND NEW.at = OLD.at - OLD.at % 86400000 AND NEW.event IS NULL AND NEW.lookup_key IS NULL
      AND NEW.nonce IS NULL AND NEW.sealed IS NULL THEN
      RETURN NEW;
    END IF;
    RAISE EXCEPTION 'entries of the log are never changed';
  END $$;
  CREATE TRIGGER log_keeps_content BEFORE UPDATE ON log FOR EACH ROW EXECUTE FUNCTION log_keeps_content();

  CREATE TABLE answered_persons (
    day text COLLATE "C" NOT NULL, agency text COLLATE "C" NOT NULL, persons bigint NOT NULL, PRIMARY KEY (day, agency)
  ) WITH (fillfactor = 50);
  -- What opens the outcomes of a lookup, as long as they may be read.
  CREATE TABLE outcome_keys (
    lookup_key text COLLATE "C" PRIMARY KEY, key bytea NOT NULL, until text COLLATE "C" NOT NULL
  );
  CREATE INDEX outcome_keys_by_day ON outcome_keys (until);

  CREATE TABLE log_heads (name text PRIMARY KEY, size bigint NOT NULL, root bytea NOT NULL, note text NOT NULL);
  CREATE TABLE log_pending (
    size bigint NOT NULL, root bytea NOT NULL, note text NOT NULL, source text NOT NULL, at bigint NOT NULL,
    PRIMARY KEY (size, root)
  );
  CREATE TABLE log_alarms (
    number bigint PRIMARY KEY, at bigint NOT NULL, kind text NOT NULL, detail text NOT NULL, sealed bytea NOT NULL,
    resolved_at bigint
  );
  CREATE TABLE receipts (
    lookup_id text COLLATE "C" PRIMARY KEY, at bigint NOT NULL, state text NOT NULL, sealed bytea NOT NULL
  );
  CREATE INDEX receipts_by_time ON receipts (at);
  CREATE INDEX receipts_kept ON receipts (at, lookup_id) WHERE state = 'kept';

  -- Keys that case systems sent with their requests, so that a request that is sent again asks once.
  CREATE TABLE idempotency_keys (key text COLLATE "C" PRIMARY KEY, request text NOT NULL, at bigint NOT NULL);
  CREATE INDEX idempotency_keys_by_time ON idempotency_keys (at);
  `,
  `
  -- What one replica does for all of them: held until a time of this server, in milliseconds since 1970.
  CREATE TABLE leases (name text COLLATE "C" PRIMARY KEY, holder text NOT NULL, until bigint NOT NULL);
  -- Openings of the sessions in which this agency is asked, under keyed names and sealed.
  CREATE TABLE session_openings (
    session bytea PRIMARY KEY, asker bytea NOT NULL, expires_at bigint NOT NULL, sealed bytea NOT NULL,
    kept bigint GENERATED ALWAYS AS IDENTITY
  );
  CREATE INDEX session_openings_by_asker ON session_openings (asker, kept);
  CREATE INDEX session_openings_by_time ON session_openings (expires_at);
  `,
  `
  ALTER TABLE imports ADD COLUMN node_key text COLLATE "C" NOT NULL DEFAULT '';
  ALTER TABLE imports ADD COLUMN version bigint NOT NULL DEFAULT 0;
  ALTER TABLE epochs ADD COLUMN node_key text COLLATE "C" NOT NULL DEFAULT '';
  -- While pseudonyms are made anew with other keys, the new ones stand beside those in use, with what each was made of:
  -- the rows with a register's own version are its content.
  ALTER TABLE pseudonyms ADD COLUMN version bigint NOT NULL DEFAULT 0;
  ALTER TABLE pseudonyms ADD COLUMN origin bytea;
  CREATE UNIQUE INDEX pseudonyms_by_origin ON pseudonyms (register, token_type, origin) WHERE origin IS NOT NULL;
  `,
  `
  -- What systems of the agency pushed, under keyed references and sealed; the last change of a client for an hour, also
  -- when it was a removal; and which contents of a register may be replaced, by the times of their imports.
  CREATE SEQUENCE push_turns;
  CREATE TABLE pushed (
    register text COLLATE "C" NOT NULL, fingerprint bytea NOT NULL, sealed bytea NOT NULL, evaluation_key text NOT NULL,
    node_key text NOT NULL DEFAULT '', PRIMARY KEY (register, fingerprint)
  );
  CREATE TABLE pushed_changes (
    register text COLLATE "C" NOT NULL, fingerprint bytea NOT NULL, turn bigint NOT NULL, at bigint NOT NULL,
    PRIMARY KEY (register, fingerprint)
  );
  CREATE TABLE versions (register text COLLATE "C" PRIMARY KEY, version bigint NOT NULL);
  CREATE TABLE replaceable (register text COLLATE "C" PRIMARY KEY, before bigint, made bigint, agreed bigint);
  `,
  `ALTER TABLE epochs ADD COLUMN evaluation_key text COLLATE "C" NOT NULL DEFAULT '';`,
];
