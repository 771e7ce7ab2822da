import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PostgresAgentDatabase } from '../../node-agent/src/adapters/postgres/agent-database.ts';
import { openPostgres } from '../../node-agent/src/adapters/postgres/agent-database.ts';
import { postgresPushedClients } from '../../node-agent/src/adapters/postgres/pushed-clients.ts';
import { postgresPseudonymStore } from '../../node-agent/src/adapters/postgres/pseudonym-store.ts';
import { openPushedClients } from '../../node-agent/src/open-sources.ts';
import type { PushedClient, PushedClients } from '../../node-agent/src/ports/pushed-clients.ts';
import { POSTGRES_MISSING, TestPostgres } from '../support/postgres.ts';

const KEY = 'a'.repeat(43);
const client = (number: number, content = number, nodeKey = 'een'): PushedClient => ({
  fingerprint: Uint8Array.from({ length: 32 }, (_, i) =>
    i === 0 ? number >> 8 : i === 1 ? number & 0xff : 9,
  ),
  sealed: Uint8Array.of(content, 0, 255),
  evaluationKey: KEY,
  nodeKey,
});
const contents = async (clients: PushedClients, register = 'zaken'): Promise<number[]> => {
  const found: number[] = [];
  for await (const { sealed } of clients.all(register)) found.push(sealed[0] as number);
  return found;
};

/** What every store of pushed clients keeps. */
function suite(open: () => PushedClients | Promise<PushedClients>): void {
  let clients: PushedClients;
  beforeEach(async () => {
    clients = await open();
  });
  afterEach(() => clients.close());
  const put = async (one: PushedClient, register = 'zaken') =>
    clients.put(register, one, await clients.begin());

  it('has those that were put, replaced, and not those that were removed, by register', async () => {
    for (const one of [client(1), client(2), client(3)]) await put(one);
    await put(client(2, 20));
    await put(client(1, 77), 'andere');
    await clients.remove('zaken', client(3).fingerprint, await clients.begin());
    await clients.remove('zaken', client(9).fingerprint, await clients.begin());
    expect(await contents(clients)).toEqual([1, 20]);
    expect([
      await clients.count('zaken'),
      await clients.count('andere'),
      await clients.count('geen'),
    ]).toEqual([2, 1, 0]);
  });

  it('gives many, each once, and tells by a version that something changed', async () => {
    expect(await clients.version('zaken')).toBe(0);
    for (let i = 0; i < 510; i++) await put(client(i, i % 251));
    expect(await contents(clients)).toHaveLength(510);
    const version = await clients.version('zaken');
    await clients.remove('zaken', client(0).fingerprint, await clients.begin());
    expect(await clients.version('zaken')).toBeGreaterThan(version);
    expect(await clients.version('andere')).toBe(0);
  }, 60_000);

  it('makes anew what was made with another node key, and leaves what was pushed since', async () => {
    await put(client(1, 1, ''));
    await put(client(2, 2, 'een'));
    await clients.adopt('een');
    expect(await clients.ofOtherKeys('zaken', { nodeKey: 'een' }, 10)).toEqual([]);
    const others = await clients.ofOtherKeys('zaken', { nodeKey: 'twee' }, 1);
    expect(others.map(({ sealed }) => sealed[0])).toEqual([1]);
    await clients.makeAnew('zaken', client(1, 1), { ...client(1, 11), nodeKey: 'twee' });
    await clients.makeAnew('zaken', client(2, 99), { ...client(2, 22), nodeKey: 'twee' });
    expect(await contents(clients)).toEqual([11, 2]);
  });

  it('remembers which contents may be replaced', async () => {
    expect(await clients.replaceable('zaken')).toEqual({
      before: undefined,
      made: undefined,
      agreed: undefined,
    });
    await clients.replacing('zaken', undefined, 7);
    await clients.agree('zaken', 7);
    expect(await clients.replaceable('zaken')).toEqual({ before: undefined, made: 7, agreed: 7 });
  });
}

describe('pushed clients: SQLite', () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'hitmachine-pushed-'))));
  afterEach(() => rmSync(folder, { recursive: true }));
  suite(() => openPushedClients(folder));
});

describe.skipIf(POSTGRES_MISSING !== undefined)('pushed clients: PostgreSQL', () => {
  let server: TestPostgres;
  let url: string;
  const open: PostgresAgentDatabase[] = [];
  const replica = async (): Promise<PushedClients> => {
    const database = await openPostgres(url);
    open.push(database);
    return postgresPushedClients(database);
  };
  beforeAll(async () => {
    server = await TestPostgres.start();
  });
  afterAll(() => server.remove());
  beforeEach(async () => {
    url = await server.emptySchema();
  });
  afterEach(() => Promise.all(open.splice(0).map((database) => database.close())));
  suite(replica);

  it('keep of changes at two replicas the one that began last, in whichever order they are stored', async () => {
    const [one, other] = [await replica(), await replica()];
    const early = await one.begin();
    const removal = await other.begin();
    await other.remove('zaken', client(1).fingerprint, removal);
    // It waited for the gateway meanwhile.
    await one.put('zaken', client(1), early);
    expect(await contents(one)).toEqual([]);
    const [first, second] = [await other.begin(), await one.begin()];
    await one.put('zaken', client(1, 2), second);
    await other.remove('zaken', client(1).fingerprint, first);
    await other.put('zaken', client(1, 1), first);
    expect(await contents(other)).toEqual([2]);
  });

  it('lose nothing and undo nothing when both take many at the same time', async () => {
    const replicas = [await replica(), await replica()];
    const changes: { number: number; turn: number; gone: boolean }[] = [];
    await Promise.all(
      Array.from({ length: 240 }, async (_, i) => {
        const here = replicas[i % 2] as PushedClients;
        const change = { number: i % 40, turn: await here.begin(), gone: i % 3 === 0 };
        changes.push(change);
        if (change.gone) await here.remove('zaken', client(change.number).fingerprint, change.turn);
        else await here.put('zaken', client(change.number, i % 251), change.turn);
      }),
    );
    expect(new Set(changes.map(({ turn }) => turn)).size).toBe(240);
    const last = new Map<number, boolean>();
    for (const { number, gone } of changes.toSorted((a, b) => a.turn - b.turn)) last.set(number, gone);
    const expected = [...last].filter(([, gone]) => !gone).length;
    expect(await contents(replicas[0] as PushedClients)).toHaveLength(expected);
  });

  it('are not brought into a register by one that hung while another did it', async () => {
    const [one] = [await replica()];
    const [database] = open as [PostgresAgentDatabase];
    const store = postgresPseudonymStore(database);
    const made = { evaluationKey: KEY, nodeKey: 'een' };
    const pseudonym = { element: new Uint8Array(32).fill(3), maskedHash: 1 };
    const late = await store.beginImport('zaken');
    await late.add('bsn', [pseudonym]);
    const quick = await store.beginImport('zaken');
    expect(await quick.commit(0, made, 1_000, { importedAt: undefined })).toMatchObject({ added: 0 });
    await expect(late.commit(1, made, 1_001, { importedAt: undefined })).rejects.toMatchObject({
      code: 'not-ready',
    });
    await expect(one.replacing('zaken', undefined, 1_002)).rejects.toMatchObject({ code: 'not-ready' });
    expect((await store.imports())[0]).toMatchObject({ importedAt: 1_000 });
    await one.replacing('zaken', 1_000, 1_003);
  });
});
