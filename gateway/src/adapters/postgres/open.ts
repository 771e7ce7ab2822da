import { HitError } from '@hitmachine/protocol';
import type { Run } from './database.ts';
import { PostgresDatabase } from './database.ts';
import { SCHEMA_LOCK } from './locks.ts';
import { SCHEMA_STEPS } from './schema.ts';

const OLDEST_VERSION = 130_000;

/** A search may take long; the rest of the gateway does not wait for it. */
const SEARCH_CONNECTIONS = 2;
const SEARCH_MS = 60_000;
const CONNECTIONS = 8;

/** The connections of a gateway. */
export interface PostgresConnections {
  readonly database: PostgresDatabase;
  /** Apart, so that an auditor's searches never keep a lookup waiting. */
  readonly searching: PostgresDatabase;
}

/**
 * Opens the database of a gateway, making its tables or bringing them up to date where needed; of several processes
 * at once one does it. Throws `storage-failed` with the cure: for a server that cannot be reached, one that does not
 * write safely to disk, and tables of a newer version of this program.
 */
export async function openPostgres(url: string): Promise<PostgresConnections> {
  const database = new PostgresDatabase(url, CONNECTIONS);
  try {
    await database.transaction([SCHEMA_LOCK], async (run) => {
      await requireSafe(run);
      await migrate(run);
    });
  } catch (error) {
    await database.close();
    throw explained(error);
  }
  const searching = new PostgresDatabase(url, SEARCH_CONNECTIONS, { statementMs: SEARCH_MS });
  return { database, searching };
}

async function requireSafe(run: Run): Promise<void> {
  const [row] = await run(
    `SELECT current_setting('fsync') AS fsync, current_setting('server_encoding') AS encoding,
       current_setting('server_version_num')::int AS version, pg_is_in_recovery() AS standby`,
  );
  const refusal =
    row?.['standby'] === true
      ? 'it is a standby that takes no writes: give the address of the primary server'
      : row?.['fsync'] !== 'on'
        ? 'it runs with fsync off, so that a crash can lose entries: set fsync = on in postgresql.conf and restart it'
        : row['encoding'] !== 'UTF8'
          ? 'its encoding is not UTF8: make the database with createdb --encoding=UTF8 --template=template0'
          : Number(row['version']) < OLDEST_VERSION
            ? 'it is older than PostgreSQL 13: upgrade it'
            : undefined;
  if (refusal !== undefined) throw new HitError('storage-failed', `the PostgreSQL database: ${refusal}`);
}

async function migrate(run: Run): Promise<void> {
  await run('CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL)');
  const version = Number((await run('SELECT version FROM schema_version'))[0]?.['version'] ?? 0);
  if (version > SCHEMA_STEPS.length)
    throw new HitError('storage-failed', 'the database was made by a newer version of this program');
  if (version === SCHEMA_STEPS.length) return;
  for (const step of SCHEMA_STEPS.slice(version)) await run(step);
  await run('DELETE FROM schema_version');
  await run('INSERT INTO schema_version VALUES ($1)', [SCHEMA_STEPS.length]);
}

/** What to do about the errors that an administrator meets: by SQLSTATE, or by Node's code. */
const CURES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing answers there: start PostgreSQL, or correct the address',
  ENOENT: 'there is no such socket: start PostgreSQL, or correct the address',
  ENOTFOUND: 'its name cannot be resolved: correct the address',
  EAI_AGAIN: 'its name cannot be resolved: correct the address',
  EHOSTUNREACH: 'it cannot be reached: correct the address, or see to the network',
  ETIMEDOUT: 'it does not answer: correct the address, or see to the network',
  '28P01': 'it refuses the password: correct the one in the file that urlFile names',
  '28000': 'it refuses this user: correct the user, or pg_hba.conf on the server',
  '3D000': 'there is no database of this name: make it with createdb',
  '42501':
    "the gateway's user may not make tables: let it own the database (ALTER DATABASE ... OWNER TO ...)",
  '53300': 'it has no connections left: raise max_connections in postgresql.conf',
  '57P03': 'it is starting up or shutting down: try again',
};

function explained(error: unknown): unknown {
  if (!(error instanceof HitError) || !(error.cause instanceof Error)) return error;
  const { cause } = error;
  const { code } = cause as { readonly code?: string };
  const cure =
    CURES[code ?? ''] ??
    (/timeout/i.test(cause.message) ? CURES['ETIMEDOUT'] : undefined) ??
    'it cannot be used: look at the reason below, and at database.postgres in gateway.yaml';
  return new HitError('storage-failed', `the PostgreSQL database: ${cure}`, { cause });
}
