import { PostgresDatabase, preparePostgres } from '@hitmachine/service/postgres';
import type { Run as PostgresRun, Row as PostgresRow } from '@hitmachine/service';
import type { AgentDatabase, Order, Row, Run } from '../database.ts';
import { SCHEMA_STEPS } from './schema.ts';

/** Names of the advisory locks of a database, which is for one agency. */
const LOCK_SPACE = 0x484941;
const LOCKS: Readonly<Record<Exclude<Order, 'keys'> | 'schema', number>> = {
  schema: 1,
  log: 2,
  epoch: 3,
  heads: 4,
  import: 5,
  push: 6,
};
const lock = (order: keyof typeof LOCKS): string =>
  `SELECT pg_advisory_xact_lock(${LOCK_SPACE}, ${LOCKS[order]})`;
/** Other keys concern whatever writes pseudonyms. */
const locksOf = (order: Order): string[] =>
  order === 'keys' ? [lock('log'), lock('import')] : [lock(order)];

/** What reads here may wait for whoever takes what was read. */
const SNAPSHOT = [
  'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY',
  'SET LOCAL idle_in_transaction_session_timeout TO 0',
];

const CONNECTIONS = 8;
/** What holds content that is removed when its time is over. */
const ERASED = ['log', 'pseudonyms', 'outcome_keys'];

/**
 * What a running agent must take up when another process writes it: it is read every second, so of what grows large only
 * the parts that stand for it. Persons asked about come with each lookup, and wait for tables anyway.
 */
const VERSION = `SELECT md5(concat_ws('|',
  (SELECT string_agg(name || '=' || md5(value), ',' ORDER BY name) FROM state
   WHERE name NOT IN ('epoch', 'probed', 'log-compared')),
  (SELECT string_agg(name || '=' || fingerprint, ',' ORDER BY name) FROM pins),
  (SELECT string_agg(concat_ws(' ', register, generation, clients, evaluation_key, node_key), ',' ORDER BY register)
   FROM imports WHERE register <> 'asked-about'),
  (SELECT string_agg(concat_ws(' ', number, resolved_at), ',' ORDER BY number) FROM log_alarms),
  (SELECT concat_ws(' ', max(epoch), bool_and(commitment IS NULL)) FROM epochs)
)) AS version`;

/**
 * {@link AgentDatabase} on PostgreSQL, for one agent or several replicas of it. One case cannot be told from a failure: a
 * connection that breaks between a commit and the answer to it. What was written then stands, although it was rejected:
 * a lookup that was logged as answered and was not, as after a crash.
 */
export class PostgresAgentDatabase implements AgentDatabase {
  readonly #database: PostgresDatabase;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  readonly run: Run = async (text, values = []) => {
    if (/^\s*SELECT\b/.test(text)) return { rows: plain(await this.#database.query(text, values)) };
    return { rows: plain(await this.#database.transaction([], (run) => run(text, values))) };
  };

  transaction<T>(order: Order, work: (run: Run) => Promise<T>): Promise<T> {
    return this.#database.transaction(locksOf(order), (run) => work(inWords(run)));
  }

  async erase<T>(order: Order, work: (run: Run) => Promise<T>): Promise<T> {
    const result = await this.transaction(order, work);
    // Their places are given free, to be written over; copies of the server's own log of writes are its administrator's.
    for (const table of ERASED) await this.#database.query(`VACUUM ${table}`);
    return result;
  }

  snapshot<T>(work: (run: Run) => Promise<T>): Promise<T> {
    return this.#database.transaction(SNAPSHOT, (run) => work(inWords(run)));
  }

  async version(): Promise<string> {
    return String((await this.#database.query(VERSION))[0]?.['version']);
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

const inWords =
  (run: PostgresRun): Run =>
  async (text, values = []) => ({ rows: plain(await run(text, values)) });

/** Bytes as bytes, and not as what this runtime makes of them. */
const plain = (rows: readonly PostgresRow[]): Row[] =>
  rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        Buffer.isBuffer(value) ? new Uint8Array(value.buffer, value.byteOffset, value.length) : value,
      ]),
    ),
  );

/** Opens the database of an agency, making its tables where needed. Throws `storage-failed` with the cure. */
export async function openPostgres(url: string): Promise<PostgresAgentDatabase> {
  const database = new PostgresDatabase(url, {
    program: 'hit-agent',
    connections: CONNECTIONS,
    wholeNumbers: true,
    explained: true,
  });
  await preparePostgres(database, { lock: lock('schema'), steps: SCHEMA_STEPS, settings: 'agent.yaml' });
  return new PostgresAgentDatabase(database);
}
