import { PostgresDatabase, preparePostgres } from '@hitmachine/service/postgres';
import { SCHEMA_LOCK } from './locks.ts';
import { SCHEMA_STEPS } from './schema.ts';

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
  const program = 'hit-gateway';
  const database = new PostgresDatabase(url, { program, connections: CONNECTIONS });
  await preparePostgres(database, { lock: SCHEMA_LOCK, steps: SCHEMA_STEPS, settings: 'gateway.yaml' });
  const patience = { statementMs: SEARCH_MS };
  const searching = new PostgresDatabase(url, { program, connections: SEARCH_CONNECTIONS, patience });
  return { database, searching };
}
