import { HitError } from '@hitmachine/protocol';
import type { PostgresDatabase, Run } from './postgres-database.ts';
import { postgresProblem } from './postgres-problem.ts';

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

function explained(error: unknown, { settings }: Pick<Schema, 'settings'>): unknown {
  if (!(error instanceof HitError) || !(error.cause instanceof Error)) return error;
  const { cause } = error;
  const problem =
    postgresProblem(cause) ??
    `the PostgreSQL database: it cannot be used: look at the reason below, and at database.postgres in ${settings}`;
  return new HitError('storage-failed', problem, { cause });
}
