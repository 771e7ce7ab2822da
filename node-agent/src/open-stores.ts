import { HitError } from '@hitmachine/protocol';
import { fileOf, postgresUrlComplaint } from '@hitmachine/service';
import type { AgentDatabase } from './adapters/database.ts';
import { openSqlite } from './adapters/sqlite/agent-database.ts';
import { sqliteImportThread } from './adapters/sqlite/import-thread.ts';
import { sqlitePseudonymStore } from './adapters/sqlite/pseudonym-store.ts';
import type { Config } from './config.ts';
import type { AgentDirectory } from './directory.ts';
import { readSecretFile } from './directory.ts';
import type { PseudonymStore } from './ports/pseudonym-store.ts';

/** The database of an agent, and the store of its clients in it. */
export interface OpenedStores {
  readonly database: AgentDatabase;
  readonly pseudonyms: PseudonymStore;
  /** For a process that answers while a large register is imported. */
  readonly besideAnswering: Pick<PseudonymStore, 'beginImport'>;
}

/**
 * Opens the database that agent.yaml names, or the file in the agent's directory, and makes its tables where needed.
 * Throws `config-invalid` for an address that is none, and `storage-failed` with the cure.
 */
export async function openStores(
  directory: AgentDirectory,
  config: Pick<Config, 'database'>,
): Promise<OpenedStores> {
  if (config.database === undefined) {
    const database = openSqlite(directory.database);
    const besideAnswering = sqliteImportThread(directory.database);
    return { database, pseudonyms: sqlitePseudonymStore(database), besideAnswering };
  }
  const [{ openPostgres }, { postgresPseudonymStore }] = await Promise.all([
    import('./adapters/postgres/agent-database.ts'),
    import('./adapters/postgres/pseudonym-store.ts'),
  ]);
  const database = await openPostgres(addressOf(directory, config.database.postgres));
  // There it is the server that compares.
  const pseudonyms = postgresPseudonymStore(database);
  return { database, pseudonyms, besideAnswering: pseudonyms };
}

function addressOf(
  directory: AgentDirectory,
  { url, urlFile = '' }: NonNullable<Config['database']>['postgres'],
): string {
  if (url !== undefined) return url;
  const file = fileOf(directory.path, urlFile);
  const text = readSecretFile(file, 'write the address of the database into it').toString('utf8').trim();
  const complaint = postgresUrlComplaint(text);
  if (complaint !== undefined) throw new HitError('config-invalid', `${file}: ${complaint}`);
  return text;
}
