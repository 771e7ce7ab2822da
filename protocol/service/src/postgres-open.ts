import { HitError } from '@hitmachine/protocol';
import type { PostgresDatabase, Run } from './postgres-database.ts';

const OLDEST_VERSION = 130_000;

/** How the tables of a program are made. */
export interface Schema {
  /** Held while the schema is looked at and changed. */
  readonly lock: string;
  /** One step a version (the table `schema_version`). A step that was released is never changed. */
  readonly steps: readonly string[];
  /** The file of its settings. */
  readonly settings: string;
}

/**
 * Makes the tables of a program or brings them up to date where needed; of several processes at once one does it. Closes
 * the database when it cannot be used, and throws `storage-failed` with the cure: for a server that cannot be reached, one
 * that does not write safely to disk, and tables of a newer version of the program.
 */
export async function preparePostgres(database: PostgresDatabase, schema: Schema): Promise<void> {
  try {
    await database.transaction([schema.lock], async (run) => {
      await requireSafe(run);
      await migrate(run, schema.steps);
    });
  } catch (error) {
    await database.close();
    throw explained(error, schema);
  }
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

async function migrate(run: Run, steps: readonly string[]): Promise<void> {
  await run('CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL)');
  const version = Number((await run('SELECT version FROM schema_version'))[0]?.['version'] ?? 0);
  if (version > steps.length)
    throw new HitError('storage-failed', 'the database was made by a newer version of this program');
  if (version === steps.length) return;
  for (const step of steps.slice(version)) await run(step);
  await run('DELETE FROM schema_version');
  await run('INSERT INTO schema_version VALUES ($1)', [steps.length]);
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
  '42501': 'its user may not make tables: let it own the database (ALTER DATABASE ... OWNER TO ...)',
  '53300': 'it has no connections left: raise max_connections in postgresql.conf',
  '57P03': 'it is starting up or shutting down: try again',
};

function explained(error: unknown, { settings }: Pick<Schema, 'settings'>): unknown {
  if (!(error instanceof HitError) || !(error.cause instanceof Error)) return error;
  const { cause } = error;
  const { code } = cause as { readonly code?: string };
  const cure =
    CURES[code ?? ''] ??
    (/timeout/i.test(cause.message) ? CURES['ETIMEDOUT'] : undefined) ??
    `it cannot be used: look at the reason below, and at database.postgres in ${settings}`;
  return new HitError('storage-failed', `the PostgreSQL database: ${cure}`, { cause });
}
