import { HitError } from '@hitmachine/protocol';
import type { ClientRow } from '../../ports/client-source.ts';
import type { ColumnOptions } from './columns.ts';
import { Columns } from './columns.ts';
import { clientOf } from './csv-source.ts';

/** Rows that are fetched at once. */
const FETCH = 2_000;
const CONNECT_MS = 15_000;

export interface SqlOptions extends ColumnOptions {
  /** How messages call it. */
  readonly name: string;
  readonly url: string;
  readonly query: string;
  readonly statementTimeoutSeconds: number;
}

/**
 * The clients that a query gives, row by row, through a cursor in one read-only transaction: all of one moment, and
 * never more than some thousands in memory. Values come as PostgreSQL writes them. Throws `source-unavailable` when the
 * database is away or says no, and `import-invalid` for columns that do not fit; never repeats a value, which
 * PostgreSQL's own messages may.
 */
export async function* sqlClients(options: SqlOptions): AsyncGenerator<ClientRow> {
  const { name, statementTimeoutSeconds: seconds } = options;
  const reader = new Columns(options);
  // Loaded here: no other source has a use for it.
  const { Client } = await import('pg');
  const client = new Client({
    connectionString: options.url,
    application_name: 'hit-agent',
    connectionTimeoutMillis: CONNECT_MS,
    // The server is told to give up first, so that it says why.
    query_timeout: seconds * 1_000 + CONNECT_MS,
    keepAlive: true,
    types: { getTypeParser: () => (value: string) => value },
  });
  // What happens to the connection is thrown by the next query.
  client.on('error', () => undefined);
  const run = async (text: string): Promise<{ names: string[]; rows: (string | null)[][] }> => {
    try {
      const { fields, rows } = await client.query<(string | null)[]>({ text, rowMode: 'array' });
      return { names: fields.map((field) => field.name), rows };
    } catch (cause) {
      throw explained(name, cause);
    }
  };
  try {
    await client.connect().catch((cause: unknown) => {
      throw explained(name, cause);
    });
    await run('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await run(`SET LOCAL statement_timeout = ${seconds * 1_000}`);
    await run('SET LOCAL DateStyle = ISO');
    await run(`DECLARE clients NO SCROLL CURSOR FOR ${options.query.trim().replace(/;\s*$/, '')}`);
    let columns: readonly (string | undefined)[] | undefined;
    let line = 0;
    for (;;) {
      const { names, rows } = await run(`FETCH ${FETCH} FROM clients`);
      columns ??= reader.read(name, names);
      for (const row of rows)
        yield clientOf(
          reader,
          columns,
          ++line,
          row.map((value) => (value ?? '').trim()),
        );
      if (rows.length < FETCH) break;
    }
    await run('COMMIT');
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** What to do about the errors that an administrator meets: by SQLSTATE, or by Node's code. */
const CURES: Readonly<Record<string, string>> = {
  ECONNREFUSED:
    'nothing answers there: start the database, or correct the address in the file that urlFile names',
  ECONNRESET: 'the connection broke: see whether the database runs',
  ENOENT: 'there is no such socket: start the database, or correct the address',
  ENOTFOUND: 'its name cannot be resolved: correct the address',
  EAI_AGAIN: 'its name cannot be resolved: correct the address, or see to DNS',
  EHOSTUNREACH: 'it cannot be reached: correct the address, or see to the network',
  ETIMEDOUT: 'it does not answer: correct the address, or see to the network',
  '28P01': 'it refuses the password: correct the one in the file that urlFile names',
  '28000': 'it refuses this user: correct the user, or pg_hba.conf on the server',
  '3D000': 'there is no database of this name: correct the address',
  '42501': 'its user may not read what the query reads: GRANT SELECT on those tables',
  '57014': 'the query took longer than statementTimeoutSeconds: make it faster, or allow it more',
  '57P01': 'it was stopped while it was read',
  '57P03': 'it is starting up or shutting down',
  '53300': 'it has no connections left',
  '25006': 'the query writes, and a source is only read: leave out what it changes',
};

function explained(name: string, cause: unknown): HitError {
  const { code, message } = cause as { readonly code?: string; readonly message?: string };
  const ours = cause instanceof Error && /certificate|SSL|TLS/i.test(`${code ?? ''} ${message ?? ''}`);
  const reason =
    CURES[code ?? ''] ??
    // These speak of the query's own text; others may speak of what stands in the tables.
    (code?.startsWith('42') === true ? `the query is wrong: ${message ?? code}` : undefined) ??
    (ours ? `its certificate or its encryption does not fit: ${message ?? ''}` : undefined) ??
    (/timeout/i.test(message ?? '') ? CURES['ETIMEDOUT'] : undefined) ??
    (/terminated|ended|closed/i.test(message ?? '') ? CURES['ECONNRESET'] : undefined) ??
    `it says no (${code ?? 'without a code'})`;
  return new HitError('source-unavailable', `${name}: ${reason}; nothing was changed`, { cause });
}
