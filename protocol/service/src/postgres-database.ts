import { HitError } from '@hitmachine/protocol';
import type { CustomTypesConfig } from 'pg';
import { Pool, types } from 'pg';
import { postgresProblem } from './postgres-problem.ts';

/** A row as it comes from PostgreSQL: whole numbers of 64 bits as text, bytes as a Buffer. */
export type Row = Readonly<Record<string, unknown>>;
/** Runs one statement and gives its rows. */
export type Run = (text: string, values?: readonly unknown[]) => Promise<readonly Row[]>;

/** What is waited for before it counts as failed, in milliseconds. */
export interface Patience {
  /** For a connection: its making, or another's release of one. */
  readonly connectMs: number;
  /** For one statement. */
  readonly statementMs: number;
}
/** A program's way to its database. */
export interface PostgresOptions {
  /** As the server's own lists name it. */
  readonly program: string;
  readonly connections: number;
  readonly patience?: Partial<Patience> | undefined;
  /** Whole numbers of 64 bits come as numbers; for tables whose numbers stay below 2^53. */
  readonly wholeNumbers?: boolean | undefined;
  /** Errors say what is wrong with the database: for a program whose errors only its administrators read. */
  readonly explained?: boolean | undefined;
}

const INT8 = 20;
const WHOLE_NUMBERS: CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === INT8 ? Number : (types.getTypeParser(oid, format) as (text: string) => unknown),
};

const PATIENCE: Patience = { connectMs: 5_000, statementMs: 10_000 };
/** Over what the server is told to give up after: time for its answer to come back. */
const NETWORK_SLACK_MS = 2_000;

/**
 * Connections to one PostgreSQL database. A connection that breaks is replaced at the next use, so a server that was
 * restarted is found again without anybody's doing. Everything throws `storage-failed`.
 */
export class PostgresDatabase {
  readonly #pool: Pool;
  readonly #settings: string;
  readonly #explained: boolean;

  constructor(url: string, options: PostgresOptions) {
    const { program, connections, patience, wholeNumbers = false, explained = false } = options;
    this.#explained = explained;
    const { connectMs, statementMs } = { ...PATIENCE, ...patience };
    this.#pool = new Pool({
      connectionString: url,
      application_name: program,
      max: connections,
      ...(wholeNumbers && { types: WHOLE_NUMBERS }),
      connectionTimeoutMillis: connectMs,
      query_timeout: statementMs + NETWORK_SLACK_MS,
      keepAlive: true,
    });
    this.#settings = [
      // A commit counts when it is on stable storage, whatever the server's own setting is.
      'SET LOCAL synchronous_commit TO on',
      `SET LOCAL statement_timeout TO ${statementMs}`,
      // A process that hangs in its transaction must not stop the others.
      `SET LOCAL idle_in_transaction_session_timeout TO ${statementMs}`,
    ].join('; ');
    // Without these listeners a connection that breaks while nothing is asked of it would end the process.
    this.#pool.on('error', () => undefined);
    this.#pool.on('connect', (client) => client.on('error', () => undefined));
  }

  /** One statement outside a transaction. */
  query: Run = (text, values = []) =>
    this.#storing(async () => (await this.#pool.query<Row>(text, [...values])).rows);

  /**
   * Runs `work` in one transaction that is durable once this resolves; `first` are statements without values that
   * come before. When it throws nothing of it is stored, but for one case that no database at the end of a network
   * can tell: a connection that breaks between the commit and the answer to it.
   */
  async transaction<T>(first: readonly string[], work: (run: Run) => Promise<T>): Promise<T> {
    return this.#storing(async () => {
      const client = await this.#pool.connect();
      try {
        await client.query(['BEGIN', this.#settings, ...first].join('; '));
        const result = await work(async (text, values = []) => {
          return (await client.query<Row>(text, [...values])).rows;
        });
        // A transaction that has failed answers a COMMIT with ROLLBACK, and no error.
        if ((await client.query('COMMIT')).command !== 'COMMIT') throw new Error('the commit was refused');
        client.release();
        return result;
      } catch (error) {
        // The connection goes with what was begun on it: whatever went wrong, the server rolls back.
        client.release(true);
        throw error;
      }
    });
  }

  async close(): Promise<void> {
    if (!this.#pool.ended) await this.#pool.end();
  }

  /** Gives whatever goes wrong our code, with the cause for the log. */
  async #storing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof HitError) throw cause;
      throw new HitError('storage-failed', this.#explained ? postgresProblem(cause) : undefined, { cause });
    }
  }
}
