import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe } from 'vitest';
import type { AgentDatabase } from '../../../node-agent/src/adapters/database.ts';
import { openPostgres } from '../../../node-agent/src/adapters/postgres/agent-database.ts';
import { postgresPseudonymStore } from '../../../node-agent/src/adapters/postgres/pseudonym-store.ts';
import { openSqlite } from '../../../node-agent/src/adapters/sqlite/agent-database.ts';
import { sqliteImportThread } from '../../../node-agent/src/adapters/sqlite/import-thread.ts';
import { sqlitePseudonymStore } from '../../../node-agent/src/adapters/sqlite/pseudonym-store.ts';
import type { PseudonymStore } from '../../../node-agent/src/ports/pseudonym-store.ts';
import { POSTGRES_MISSING, TestPostgres } from '../../support/postgres.ts';

export interface OpenedDatabase {
  readonly database: AgentDatabase;
  readonly pseudonyms: PseudonymStore;
}

/** A database that an agent may have, for one suite. */
export interface AgentDatabases {
  /** Whether another process can open what one left. */
  readonly durable: boolean;
  readonly sqlite: boolean;
  /** An empty place. */
  place(): Promise<string>;
  open(place: string): Promise<OpenedDatabase>;
  remove(place: string): void;
}

const sqliteAt = (fileIn: (folder: string) => string, durable: boolean): AgentDatabases => ({
  durable,
  sqlite: true,
  place: async () => mkdtempSync(join(tmpdir(), 'hitmachine-stores-')),
  async open(folder) {
    const database = openSqlite(fileIn(folder));
    return { database, pseudonyms: sqlitePseudonymStore(database) };
  },
  remove: (folder) => rmSync(folder, { recursive: true }),
});

export const SQLITE_ON_DISK = sqliteAt((folder) => join(folder, 'agent.sqlite'), true);

const SQLITE: Readonly<Record<string, AgentDatabases>> = {
  'SQLite on disk': SQLITE_ON_DISK,
  'SQLite in memory': sqliteAt(() => ':memory:', false),
};

/** As the serving agent takes imports in, beside what it answers. */
const ON_A_THREAD: AgentDatabases = {
  ...SQLITE_ON_DISK,
  async open(folder) {
    const file = join(folder, 'agent.sqlite');
    const database = openSqlite(file);
    return { database, pseudonyms: { ...sqlitePseudonymStore(database), ...sqliteImportThread(file) } };
  },
};

/** A database of its own, opened, for each test of a suite. */
export interface FreshDatabase extends OpenedDatabase {
  readonly place: string;
}

/** Makes one before each test, and removes it after. */
export function freshDatabase(databases: AgentDatabases): FreshDatabase {
  let place = '';
  let opened: OpenedDatabase | undefined;
  const held = (): OpenedDatabase => {
    if (opened === undefined) throw new Error('there is a database only while a test runs');
    return opened;
  };
  beforeEach(async () => {
    place = await databases.place();
    opened = await databases.open(place);
  });
  afterEach(async () => {
    await held().database.close();
    databases.remove(place);
  });
  return {
    get place() {
      return place;
    },
    get database() {
      return held().database;
    },
    get pseudonyms() {
      return held().pseudonyms;
    },
  };
}

/** As {@link overDatabases}, of imports, which SQLite makes in two ways. */
export function overImports(title: string, suite: (databases: AgentDatabases) => void): void {
  overDatabases(title, suite);
  describe(`${title}: SQLite, on a thread`, () => suite(ON_A_THREAD));
}

/** Runs a suite over every database that an agent may have; PostgreSQL is a real server. */
export function overDatabases(title: string, suite: (databases: AgentDatabases) => void): void {
  for (const [name, databases] of Object.entries(SQLITE))
    describe(`${title}: ${name}`, () => suite(databases));
  describe.skipIf(POSTGRES_MISSING !== undefined)(`${title}: PostgreSQL ${POSTGRES_MISSING ?? ''}`, () => {
    let server: TestPostgres;
    beforeAll(async () => {
      server = await TestPostgres.start();
    });
    afterAll(() => server.remove());
    suite({
      durable: true,
      sqlite: false,
      place: () => server.emptySchema(),
      async open(url) {
        const database = await openPostgres(url);
        return { database, pseudonyms: postgresPseudonymStore(database) };
      },
      remove: () => undefined,
    });
  });
}
