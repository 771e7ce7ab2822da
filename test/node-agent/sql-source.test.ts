import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HitError } from '@hitmachine/protocol';
import { sqlClients } from '../../node-agent/src/adapters/sources/sql-source.ts';
import type { ClientRow } from '../../node-agent/src/ports/client-source.ts';
import { POSTGRES_MISSING, TestPostgres } from '../support/postgres.ts';
import { numbers } from './support/node.ts';

const clients = numbers(5_000, 300_000_000);

describe.skipIf(POSTGRES_MISSING !== undefined)('clients from PostgreSQL', () => {
  let server: TestPostgres;

  beforeAll(async () => {
    server = await TestPostgres.start();
    await server.sql(
      `CREATE TABLE clients (nr serial, bsn char(9), surname text, born date, shielded boolean)`,
    );
    await server.sql(
      `INSERT INTO clients (bsn, surname, born, shielded)
       SELECT b, 'Vries', '1975-07-24', false FROM unnest(ARRAY[${clients.map((bsn) => `'${bsn}'`).join()}]) AS b`,
    );
    await server.sql(`UPDATE clients SET shielded = true, surname = NULL WHERE nr = 3`);
  });

  afterAll(() => server.remove());

  const read = (query: string, change: Partial<Parameters<typeof sqlClients>[0]> = {}) =>
    sqlClients({
      name: 'the query of zaken',
      url: server.url,
      query,
      statementTimeoutSeconds: 20,
      tokenTypes: ['bsn'],
      ...change,
    });
  async function all(rows: AsyncIterable<ClientRow>): Promise<ClientRow[]> {
    const found: ClientRow[] = [];
    for await (const row of rows) found.push(row);
    return found;
  }
  async function complaintOf(rows: AsyncIterable<ClientRow>): Promise<string> {
    const error: unknown = await all(rows).catch((thrown: unknown) => thrown);
    if (!(error instanceof HitError)) throw new Error(`not refused: ${String(error)}`);
    return `${error.code}: ${error.detail}`;
  }

  it('come row by row, as text, with the columns that agent.yaml names', async () => {
    const rows = await all(
      read('SELECT nr AS reference, bsn, surname, born, shielded FROM clients ORDER BY nr;', {
        columns: { birthDate: 'born', protected: 'shielded' },
      }),
    );
    expect(rows).toHaveLength(5_000);
    expect(rows[0]).toMatchObject({
      line: 1,
      reference: '1',
      isProtected: false,
      client: { bsn: clients[0], name: { surname: 'Vries' }, birthDate: '1975-07-24' },
    });
    expect(rows[2]).toMatchObject({ line: 3, isProtected: true });
    expect(rows[2]).not.toMatchObject({ client: { name: expect.anything() as unknown } });
  });

  it.each<[string, string, RegExp]>([
    [
      'a table that is not there',
      'SELECT bsn FROM klanten',
      /^source-unavailable: the query of zaken: the query is wrong: .*klanten/,
    ],
    [
      'a query that writes',
      'WITH gone AS (DELETE FROM clients RETURNING bsn) SELECT bsn FROM gone',
      /^source-unavailable: /,
    ],
    ['two statements', 'SELECT bsn FROM clients; DROP TABLE clients', /^source-unavailable: /],
    [
      'a function that writes',
      `SELECT setval('clients_nr_seq', 1) AS bsn`,
      /the query writes, and a source is only read/,
    ],
    [
      'a column too many',
      'SELECT bsn, nr FROM clients',
      /^import-invalid: the query of zaken: columns that are not known: nr/,
    ],
    [
      'a value that the query trips over',
      `SELECT (surname || bsn)::int AS bsn FROM clients`,
      /it says no \(22P02\)/,
    ],
  ])('are refused with %s, and no value is repeated', async (_, query, message) => {
    const complaint = await complaintOf(read(query));
    expect(complaint).toMatch(message);
    expect(complaint).not.toContain(clients[0]!);
    expect(complaint).not.toContain('Vries');
    expect(await server.sql('SELECT count(*)::int AS n FROM clients')).toEqual([{ n: 5_000 }]);
  });

  it('end when the query takes too long', async () => {
    expect(
      await complaintOf(read('SELECT pg_sleep(30)::text AS bsn', { statementTimeoutSeconds: 1 })),
    ).toMatch(/the query took longer than statementTimeoutSeconds/);
  });

  it('end when the database goes away half-way, and come when it is back', async () => {
    const rows = read('SELECT bsn FROM clients')[Symbol.asyncIterator]();
    await rows.next();
    await server.crash();
    const rest = async () => {
      while ((await rows.next()).done !== true);
    };
    await expect(rest()).rejects.toMatchObject({ code: 'source-unavailable' });
    expect(await complaintOf(read('SELECT bsn FROM clients'))).toMatch(
      /^source-unavailable: the query of zaken: nothing answers there: start the database/,
    );
    await server.start();
    expect(await all(read('SELECT bsn FROM clients'))).toHaveLength(5_000);
  });

  it('say when the password is wrong, without telling it', async () => {
    const url = server.url.replace(server.password, 'geheim-9');
    const complaint = await complaintOf(read('SELECT bsn FROM clients', { url }));
    expect(complaint).toMatch(/it refuses the password/);
    expect(complaint).not.toContain('geheim-9');
  });
});
