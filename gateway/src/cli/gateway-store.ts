import { resolve } from 'node:path';
import { HitError } from '@hitmachine/protocol';
import { PostgresAuditLog } from '../adapters/postgres/audit-log.ts';
import { PostgresCheckpoints } from '../adapters/postgres/checkpoints.ts';
import { PostgresDirectory } from '../adapters/postgres/directory.ts';
import { PostgresLogSearch } from '../adapters/postgres/log-search.ts';
import { PostgresNonces } from '../adapters/postgres/nonces.ts';
import { openPostgres } from '../adapters/postgres/open.ts';
import { SqliteAuditLog } from '../adapters/sqlite/audit-log.ts';
import { SqliteCheckpoints } from '../adapters/sqlite/checkpoints.ts';
import { openDatabase } from '../adapters/sqlite/database.ts';
import { SqliteDirectory } from '../adapters/sqlite/directory.ts';
import { formerLogDigest } from '../adapters/sqlite/former-log.ts';
import { SqliteLogSearch } from '../adapters/sqlite/log-search.ts';
import { SqliteNonces } from '../adapters/sqlite/nonces.ts';
import type { GatewayConfig } from '../config.ts';
import type { AuditLog } from '../ports/audit-log.ts';
import type { Checkpoints } from '../ports/checkpoints.ts';
import type { Directory } from '../ports/directory.ts';
import type { LogSearch } from '../ports/log-search.ts';
import type { Nonces } from '../ports/nonces.ts';
import { postgresUrlComplaint } from '../postgres-url.ts';
import type { GatewayFiles } from './gateway-files.ts';
import { readPrivate } from './private-file.ts';

/** The stores of a gateway. */
export interface GatewayStore {
  readonly directory: Directory;
  readonly auditLog: AuditLog;
  readonly search: LogSearch;
  readonly published: Checkpoints;
  readonly nonces: Nonces;
  /** SHA-256 over a log that an earlier version kept, for the first entry of the log; undefined without one. */
  formerLogDigest(): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

/**
 * Opens the database that gateway.yaml names, or the SQLite file in the gateway's directory. Throws `storage-failed`, and
 * `config-invalid` for a file with an address that cannot be used.
 */
export async function openGatewayStore(files: GatewayFiles, config: GatewayConfig): Promise<GatewayStore> {
  const postgres = config.database?.postgres;
  if (postgres === undefined) return openStore(files.database);
  return openPostgresStore(postgres.url ?? (await readUrl(resolve(files.directory, postgres.urlFile ?? ''))));
}

async function readUrl(path: string): Promise<string> {
  const url = (await readPrivate(path, 'config-invalid')).toString('utf8').trim();
  const complaint = postgresUrlComplaint(url);
  if (complaint !== undefined) throw new HitError('config-invalid', `${path}: ${complaint}`);
  return url;
}

/** Opens the SQLite database of a gateway. Throws `storage-failed`. */
export function openStore(path: string): GatewayStore {
  const durable = openDatabase(path, { durable: true });
  const quick = openDatabase(path, { durable: false });
  const search = new SqliteLogSearch(path);
  return {
    directory: new SqliteDirectory(durable),
    auditLog: new SqliteAuditLog(durable, () => search.noteAppended()),
    search,
    published: new SqliteCheckpoints(durable),
    nonces: new SqliteNonces(quick),
    formerLogDigest: async () => formerLogDigest(durable),
    async close() {
      quick.close();
      durable.close();
      await search.close();
    },
  };
}

/** Opens the PostgreSQL database of a gateway. Throws `storage-failed`. */
export async function openPostgresStore(url: string): Promise<GatewayStore> {
  const { database, searching } = await openPostgres(url);
  const search = new PostgresLogSearch(searching);
  return {
    directory: new PostgresDirectory(database),
    auditLog: new PostgresAuditLog(database, () => search.noteAppended()),
    search,
    published: new PostgresCheckpoints(database),
    nonces: new PostgresNonces(database),
    formerLogDigest: async () => undefined,
    async close() {
      search.stop();
      await searching.close();
      await database.close();
    },
  };
}
