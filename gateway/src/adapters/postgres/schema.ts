import { APPEND_LOCK_ID, LOCK_SPACE } from './locks.ts';

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

  CREATE TABLE policy (
    version  bigint PRIMARY KEY,
    document text NOT NULL
  );
  CREATE TABLE members (
    version  bigint PRIMARY KEY,
    document text NOT NULL
  );
  CREATE TABLE offline_key (
    id         integer PRIMARY KEY CHECK (id = 1),
    public_key text NOT NULL
  );

  -- The log: a row for each transaction that appended, with count entries from index first on. hashes are those of the
  -- complete subtrees of the Merkle tree that end in it, the first of them the hash_start-th of the log; leaves is what
  -- was logged, compressed already. What helps to find an entry stands in search_entry, which is made from this.
  CREATE TABLE bundle (
    first      bigint PRIMARY KEY CHECK (first >= 0),
    count      integer NOT NULL CHECK (count > 0),
    at         bigint NOT NULL,
    hash_start bigint NOT NULL,
    hashes     bytea NOT NULL,
    leaves     bytea NOT NULL
  );
  -- Neither gets any smaller.
  ALTER TABLE bundle ALTER hashes SET STORAGE EXTERNAL, ALTER leaves SET STORAGE EXTERNAL;
  CREATE FUNCTION log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    RAISE EXCEPTION 'the log is append only';
  END $$;
  CREATE TRIGGER bundle_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON bundle
    FOR EACH STATEMENT EXECUTE FUNCTION log_is_append_only();

  -- Made of the log by whoever searches it, a little late, and to be emptied at any time: it is made anew.
  CREATE TABLE search_entry (
    idx             bigint PRIMARY KEY,
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
    milliseconds    bigint
  );
  CREATE INDEX search_by_time ON search_entry (at);
  CREATE INDEX search_by_event ON search_entry (event, idx);
  CREATE INDEX search_by_agency ON search_entry (agency, idx) WHERE agency IS NOT NULL;
  CREATE INDEX search_by_purpose ON search_entry (purpose, idx) WHERE purpose IS NOT NULL;
  CREATE INDEX search_by_professional ON search_entry (professional, idx) WHERE professional IS NOT NULL;
  CREATE INDEX search_by_case ON search_entry (case_commitment, idx) WHERE case_commitment IS NOT NULL;
  CREATE INDEX search_by_lookup ON search_entry (lookup_id, idx) WHERE lookup_id IS NOT NULL;
  CREATE INDEX search_by_status ON search_entry (status, idx) WHERE status IS NOT NULL;

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

  -- One round trip for each group of appends, and a transaction of its own. Writes nothing and returns false when the log
  -- is not where the plan found it: another gateway came between. Counters only ever change along with it.
  CREATE FUNCTION append_bundle(
    new_first bigint, new_count integer, new_at bigint, new_hash_start bigint, new_hashes bytea, new_leaves bytea,
    charged text[], new_ends bigint[], new_used bigint[], patience integer
  ) RETURNS boolean LANGUAGE plpgsql AS $$
  BEGIN
    -- A commit counts when it is on stable storage, whatever the server's own setting is.
    PERFORM set_config('synchronous_commit', 'on', true), set_config('lock_timeout', patience::text, true);
    PERFORM pg_advisory_xact_lock(${LOCK_SPACE}, ${APPEND_LOCK_ID});
    IF new_first <> coalesce((SELECT first + count FROM bundle ORDER BY first DESC LIMIT 1), 0) THEN
      RETURN false;
    END IF;
    INSERT INTO quota (counter, window_end, used) SELECT * FROM unnest(charged, new_ends, new_used)
      ON CONFLICT (counter) DO UPDATE SET window_end = excluded.window_end, used = excluded.used;
    INSERT INTO bundle VALUES (new_first, new_count, new_at, new_hash_start, new_hashes, new_leaves);
    RETURN true;
  END $$;

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
  'ALTER TABLE agency ADD COLUMN key_change text',
  'CREATE TABLE evaluation_key (id integer PRIMARY KEY CHECK (id = 1), public_key text NOT NULL)',
  `CREATE TABLE held_keys (
    replica text COLLATE "C" PRIMARY KEY,
    host    text NOT NULL,
    keys    text NOT NULL,
    at      timestamptz NOT NULL
  ) WITH (fillfactor = 50)`,
  `CREATE TABLE quotient_given (
    agency         text COLLATE "C" PRIMARY KEY,
    evaluation_key text NOT NULL,
    first_at       bigint NOT NULL,
    last_at        bigint NOT NULL,
    times          bigint NOT NULL
  )`,
  `
  -- Where the log stands: entries, the time of the last one, and the hashes of the complete subtrees that all entries fall
  -- apart into, the largest first, one after another.
  CREATE FUNCTION log_standing(OUT entries bigint, OUT last_at bigint, OUT edge bytea) LANGUAGE plpgsql STABLE AS $$
  BEGIN
    SELECT first + count, at INTO entries, last_at FROM bundle ORDER BY first DESC LIMIT 1;
    entries := coalesce(entries, 0);
    last_at := coalesce(last_at, 0);
    SELECT string_agg(substring(hashes FROM ((number - hash_start) * 32 + 1)::integer FOR 32), '' ORDER BY level DESC)
      INTO edge
      FROM (SELECT level, ((entries >> level) << level) - 1 AS last FROM generate_series(0, 52) AS level
              WHERE (entries >> level) & 1 = 1) AS subtree
      -- The place of its hash among all: before the entry that completes it stand two an entry, but for one a bit that is set.
      CROSS JOIN LATERAL
        (SELECT 2 * last - length(replace(last::bit(64)::text, '0', '')) + level AS number) AS place
      CROSS JOIN LATERAL
        (SELECT hash_start, hashes FROM bundle WHERE first <= last ORDER BY first DESC LIMIT 1) AS one;
  END $$;

  -- As append_bundle. Where another gateway came between it also gives where the log stands now, so that the next attempt is
  -- one round trip away.
  CREATE FUNCTION append_or_look(
    new_first bigint, new_count integer, new_at bigint, new_hash_start bigint, new_hashes bytea, new_leaves bytea,
    charged text[], new_ends bigint[], new_used bigint[], patience integer,
    OUT written boolean, OUT entries bigint, OUT last_at bigint, OUT edge bytea
  ) LANGUAGE plpgsql AS $$
  BEGIN
    written := append_bundle(new_first, new_count, new_at, new_hash_start, new_hashes, new_leaves, charged, new_ends,
      new_used, patience);
    IF NOT written THEN
      SELECT * INTO entries, last_at, edge FROM log_standing();
    END IF;
  END $$;
  `,
];
