import { HitError } from '@hitmachine/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPostgresStore } from '../../gateway/src/cli/gateway-store.ts';
import { POSTGRES_MISSING, TestPostgres } from '../support/postgres.ts';
import { invited } from './support/log-entries.ts';

const why = POSTGRES_MISSING === undefined ? '' : ` (left out: ${POSTGRES_MISSING})`;

describe.skipIf(POSTGRES_MISSING !== undefined)(`the stores in PostgreSQL${why}`, () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await TestPostgres.start();
  });
  afterAll(() => server.remove());

  const refusal = async (url: string): Promise<HitError> => {
    const error: unknown = await openPostgresStore(url).then(
      (store) => store.close(),
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof HitError)) throw new Error('it was opened', { cause: error });
    return error;
  };

  it('keep the log from being changed, even by the owner of the table', async () => {
    const url = await server.emptySchema();
    const store = await openPostgresStore(url);
    await store.auditLog.append(1, invited('a'));
    for (const statement of [
      'DELETE FROM bundle',
      "UPDATE bundle SET leaves = ''",
      'UPDATE bundle SET at = 2 WHERE first = 7',
      'TRUNCATE bundle',
    ])
      await expect(server.sql(statement, url)).rejects.toThrow('append only');
    expect(await store.auditLog.leaves(0, 9)).toHaveLength(1);
    await store.close();
  });

  it('are durable, whatever the settings of the user are', async () => {
    const url = `${await server.emptySchema()}%20-csynchronous_commit%3Doff`;
    const store = await openPostgresStore(url);
    for (let i = 0; i < 5; i++) {
      // Nothing that was said to stand is still on its way to the disk.
      await store.auditLog.append(1, invited(`a${i}`));
      const [row] = await server.sql(
        'SELECT pg_current_wal_insert_lsn() - pg_current_wal_flush_lsn() AS left',
        url,
      );
      expect(Number(row?.['left'])).toBe(0);
    }
    await store.close();
  });

  it('are made by one of several processes that open them at once', async () => {
    const url = await server.emptySchema();
    const stores = await Promise.all(Array.from({ length: 5 }, () => openPostgresStore(url)));
    await Promise.all(stores.map((store) => store.auditLog.append(1, invited('a'))));
    expect((await stores[0]?.auditLog.head())?.size).toBe(5);
    await Promise.all(stores.map((store) => store.close()));
  });

  it('have no former log, and are not touched when they are of a newer version', async () => {
    const url = await server.emptySchema();
    const store = await openPostgresStore(url);
    expect(await store.formerLogDigest()).toBeUndefined();
    await store.close();
    await server.sql('UPDATE schema_version SET version = 99', url);
    expect(await refusal(url)).toMatchObject({
      code: 'storage-failed',
      detail: expect.stringContaining('newer') as string,
    });
  });

  it('say what to do when they cannot be opened, and never the password', async () => {
    const { url, password } = server;
    await server.sql("CREATE ROLE poor LOGIN PASSWORD 'poor-secret'");
    await server.sql('REVOKE CREATE ON SCHEMA public FROM PUBLIC');
    await server.sql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    const cases: [string, string][] = [
      [url.replace(password, 'wrong-secret'), 'refuses the password'],
      [url.replace(/postgres$/, 'nowhere'), 'make it with createdb'],
      [url.replace(/:\d+\/postgres$/, ':1/postgres'), 'start PostgreSQL'],
      [url.replace('127.0.0.1', 'nowhere.invalid'), 'cannot be resolved'],
      [url.replace(/postgres$/, 'latin'), '--encoding=UTF8'],
      [url.replace(/\/\/.*@/, '//poor:poor-secret@'), 'let it own the database'],
    ];
    for (const [wrong, cure] of cases) {
      const error = await refusal(wrong);
      expect(error).toMatchObject({
        code: 'storage-failed',
        detail: expect.stringContaining(cure) as string,
      });
      const said = `${error.detail} ${(error.cause as Error | undefined)?.message ?? ''}`;
      for (const secret of [password, 'wrong-secret', 'poor-secret']) expect(said).not.toContain(secret);
    }
  });
});

it.skipIf(POSTGRES_MISSING !== undefined)(
  `a server that does not write safely is refused${why}`,
  async () => {
    const server = await TestPostgres.start({ fsync: 'off' });
    try {
      await expect(openPostgresStore(server.url)).rejects.toMatchObject({
        code: 'storage-failed',
        detail: expect.stringContaining('set fsync = on') as string,
      });
    } finally {
      await server.remove();
    }
  },
);
