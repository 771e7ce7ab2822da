import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { MemoryAuditLog } from '../../../gateway/src/adapters/memory/audit-log.ts';
import { MemoryCheckpoints } from '../../../gateway/src/adapters/memory/checkpoints.ts';
import { MemoryDirectory } from '../../../gateway/src/adapters/memory/directory.ts';
import { MemoryLogSearch } from '../../../gateway/src/adapters/memory/log-search.ts';
import { MemoryNonces } from '../../../gateway/src/adapters/memory/nonces.ts';
import { openPostgres } from '../../../gateway/src/adapters/postgres/open.ts';
import { PostgresNonces } from '../../../gateway/src/adapters/postgres/nonces.ts';
import { openDatabase } from '../../../gateway/src/adapters/sqlite/database.ts';
import { SqliteNonces } from '../../../gateway/src/adapters/sqlite/nonces.ts';
import type { GatewayStore } from '../../../gateway/src/cli/gateway-store.ts';
import { openPostgresStore, openStore } from '../../../gateway/src/cli/gateway-store.ts';
import { POSTGRES_MISSING, TestPostgres } from '../../support/postgres.ts';

/** The stores of one gateway, empty at first. */
export type Stores = Omit<GatewayStore, 'close' | 'formerLogDigest'>;

/** Nonces that an agency may have alive in the stores under test. */
export const MAX_LIVE = 100;

/** An adapter under test. */
export interface StoreKind {
  /** Empty stores, and what opens them once more as another process would; memory has no other process. */
  open(): Promise<{ readonly stores: Stores; readonly again: (() => Promise<Stores>) | undefined }>;
}

const memory: StoreKind = {
  async open() {
    const auditLog = new MemoryAuditLog();
    const stores = {
      directory: new MemoryDirectory(),
      auditLog,
      search: new MemoryLogSearch(auditLog),
      published: new MemoryCheckpoints(),
      nonces: new MemoryNonces(MAX_LIVE),
    };
    return { stores, again: undefined };
  },
};

function sqlite(): StoreKind {
  const folder = mkdtempSync(join(tmpdir(), 'hit-gateway-test-'));
  const opened: { close(): unknown }[] = [];
  let databases = 0;
  const openAt = (path: string): Stores => {
    const store = openStore(path);
    const database = openDatabase(path, { durable: false });
    opened.push(store, database);
    return { ...store, nonces: new SqliteNonces(database, MAX_LIVE) };
  };
  afterAll(async () => {
    for (const one of opened) await one.close();
    rmSync(folder, { recursive: true });
  });
  return {
    async open() {
      const path = join(folder, `${databases++}.sqlite`);
      return { stores: openAt(path), again: async () => openAt(path) };
    },
  };
}

function postgres(): StoreKind {
  let server: TestPostgres;
  const opened: { close(): Promise<void> }[] = [];
  const openAt = async (url: string): Promise<Stores> => {
    const store = await openPostgresStore(url);
    const { database, searching } = await openPostgres(url);
    opened.push(store, database, searching);
    return { ...store, nonces: new PostgresNonces(database, MAX_LIVE) };
  };
  beforeAll(async () => {
    server = await TestPostgres.start();
  });
  afterAll(async () => {
    await Promise.all(opened.map((one) => one.close()));
    await server.remove();
  });
  return {
    async open() {
      const url = await server.emptySchema();
      return { stores: await openAt(url), again: () => openAt(url) };
    },
  };
}

/** Runs a contract over every adapter. */
export function eachGatewayStore(what: string, contract: (kind: StoreKind) => void): void {
  describe(`${what} in memory`, () => contract(memory));
  describe(`${what} in SQLite`, () => contract(sqlite()));
  const why = POSTGRES_MISSING === undefined ? '' : ` (left out: ${POSTGRES_MISSING})`;
  describe.skipIf(POSTGRES_MISSING !== undefined)(`${what} in PostgreSQL${why}`, () => contract(postgres()));
}
