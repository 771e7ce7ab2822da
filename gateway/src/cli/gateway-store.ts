import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { HitError } from '@hitmachine/protocol';
import { PostgresAuditLog } from '../adapters/postgres/audit-log.ts';
import { PostgresCheckpoints } from '../adapters/postgres/checkpoints.ts';
import { PostgresDirectory } from '../adapters/postgres/directory.ts';
import { PostgresLogSearch } from '../adapters/postgres/log-search.ts';
import { PostgresNonces } from '../adapters/postgres/nonces.ts';
import { openPostgres } from '../adapters/postgres/open.ts';
import { QuotasApart } from '../adapters/quotas-apart.ts';
import { openRedis } from '../adapters/redis/open.ts';
import { RedisOpenLookups } from '../adapters/redis/open-lookups.ts';
import { RedisQuotas } from '../adapters/redis/quotas.ts';
import { RedisReplicaRegistry } from '../adapters/redis/replica-registry.ts';
import { SqliteAuditLog } from '../adapters/sqlite/audit-log.ts';
import { SqliteCheckpoints } from '../adapters/sqlite/checkpoints.ts';
import { openDatabase } from '../adapters/sqlite/database.ts';
import { SqliteDirectory } from '../adapters/sqlite/directory.ts';
import { formerLogDigest } from '../adapters/sqlite/former-log.ts';
import { SqliteLogSearch } from '../adapters/sqlite/log-search.ts';
import { SqliteNonces } from '../adapters/sqlite/nonces.ts';
import type { GatewayConfig, RedisConfig } from '../config.ts';
import type { ServerAddress } from '@hitmachine/service';
import { fileOf, postgresUrlComplaint } from '@hitmachine/service';
import type { GatewaySeeds } from '../domain/keys.ts';
import type { OperationalLog } from '../log.ts';
import type { AuditLog } from '../ports/audit-log.ts';
import type { Checkpoints } from '../ports/checkpoints.ts';
import type { Directory } from '../ports/directory.ts';
import type { LogSearch } from '../ports/log-search.ts';
import type { Nonces } from '../ports/nonces.ts';
import type { OpenLookups } from '../ports/open-lookups.ts';
import type { ReplicaRegistry } from '../ports/replica-registry.ts';
import { redisUrlsComplaint } from '../redis-url.ts';
import { replicaSecrets } from '../replica-secrets.ts';
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
  return openPostgresStore(await addressOf(files, postgres, postgresUrlComplaint));
}

/** The stores of a gateway that serves; with Redis also what its replicas share there. */
export interface ServingStore extends GatewayStore {
  readonly openLookups?: OpenLookups | undefined;
  readonly registry?: ReplicaRegistry | undefined;
}

/**
 * As {@link openGatewayStore}, with the quotas, the open lookups and the register of replicas in the Redis server or
 * cluster that gateway.yaml names, if it does. One that is away does not stop the gateway from starting: until it is there,
 * lookups are refused.
 */
export async function openServingStore(
  files: GatewayFiles,
  config: GatewayConfig,
  seeds: GatewaySeeds,
  log: OperationalLog,
): Promise<ServingStore> {
  const store = await openGatewayStore(files, config);
  if (config.redis === undefined) return store;
  try {
    const urls = await redisAddresses(files, config.redis);
    const connection = await openRedis(
      urls,
      (away) => (away ? log.error('quotas-away') : log.info('quotas-there')),
      authorityOf(files, config.redis, urls),
    );
    const { redis } = connection;
    const { federation } = config;
    const { store: seal } = replicaSecrets(seeds, federation);
    // A cluster is there to go on when a server dies: what was counted has to be counted after that too.
    const copies = config.redis.copies ?? (urls.length > 1 ? 1 : 0);
    return {
      ...store,
      auditLog: new QuotasApart(store.auditLog, new RedisQuotas(redis, federation, copies)),
      openLookups: new RedisOpenLookups(redis, federation, seal),
      registry: new RedisReplicaRegistry(redis, federation, seal),
      async close() {
        connection.close();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The address of a server, from gateway.yaml or the file that it names. */
async function addressOf(
  files: GatewayFiles,
  { url, urlFile }: ServerAddress,
  complaintOf: (url: string) => string | undefined,
): Promise<string> {
  if (url !== undefined) return url;
  const { path, text } = await readAddress(files, urlFile);
  const complaint = complaintOf(text);
  if (complaint !== undefined) throw new HitError('config-invalid', `${path}: ${complaint}`);
  return text;
}

/** The certificates that vouch for Redis, in PEM. Throws `config-invalid`. */
function authorityOf(
  { directory }: GatewayFiles,
  { caFile }: RedisConfig,
  urls: readonly string[],
): string | undefined {
  if (caFile === undefined) return undefined;
  if (!urls.every((url) => url.startsWith('rediss:')))
    throw new HitError(
      'config-invalid',
      'redis.caFile: is for servers with TLS: begin the address with rediss://',
    );
  const path = fileOf(directory, caFile);
  try {
    const text = readFileSync(path, 'utf8');
    createSecureContext({ ca: text });
    if (!text.includes('-----BEGIN CERTIFICATE-----')) throw new Error('it holds no certificate');
    return text;
  } catch (cause) {
    const reason =
      (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : 'is no certificate in PEM';
    throw new HitError('config-invalid', `redis.caFile: ${path} ${reason}`, { cause });
  }
}

/** The addresses of the Redis servers; in a file one a line. */
export async function redisAddresses(
  files: GatewayFiles,
  { url, urlFile }: RedisConfig,
): Promise<readonly string[]> {
  if (url !== undefined) return url;
  const { path, text } = await readAddress(files, urlFile);
  const urls = text.split(/\s+/).filter((line) => line !== '');
  const complaint = redisUrlsComplaint(urls);
  if (complaint !== undefined) throw new HitError('config-invalid', `${path}: ${complaint}`);
  return urls;
}

async function readAddress(
  files: GatewayFiles,
  urlFile: string | undefined,
): Promise<{ readonly path: string; readonly text: string }> {
  const path = fileOf(files.directory, urlFile ?? '');
  return { path, text: (await readPrivate(path, 'config-invalid')).toString('utf8').trim() };
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
