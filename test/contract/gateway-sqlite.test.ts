import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, it } from 'vitest';
import { openDatabase } from '../../gateway/src/adapters/sqlite/database.ts';
import { SCHEMA_STEPS } from '../../gateway/src/adapters/sqlite/schema.ts';
import { openStore } from '../../gateway/src/cli/gateway-store.ts';
import { invited } from './support/log-entries.ts';

const folder = mkdtempSync(join(tmpdir(), 'hit-gateway-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('rejects with our code when nothing can be written', async () => {
  const store = openStore(join(folder, 'closed.sqlite'));
  await store.close();
  const failing = [
    store.auditLog.append(1, invited('a')),
    store.auditLog.head(),
    store.auditLog.leaves(0, 1),
    store.auditLog.probe(),
    store.directory.agency('a'),
    store.nonces.use('a', 'n', 1, 1),
    store.search.count({}),
    store.published.save({ size: 1, at: 1, note: '' }),
  ];
  for (const one of await Promise.allSettled(failing))
    expect(one).toMatchObject({ status: 'rejected', reason: { code: 'storage-failed' } });
});

it('does not touch a database of a newer version', () => {
  const newer = join(folder, 'newer.sqlite');
  const database = new DatabaseSync(newer);
  database.exec('PRAGMA user_version = 99');
  database.close();
  expect(() => openDatabase(newer, { durable: true })).toThrow('newer version');
});

it('keeps the log from being changed', async () => {
  const file = join(folder, 'append-only.sqlite');
  const store = openStore(file);
  await store.auditLog.append(1, invited('a'));
  const database = new DatabaseSync(file);
  for (const statement of [
    'DELETE FROM bundle',
    "UPDATE bundle SET leaves = x'00'",
    'UPDATE bundle SET at = 2',
  ])
    expect(() => database.exec(statement)).toThrow('append only');
  database.close();
  await store.close();
});

it('keeps the log of an earlier version as it was, and goes on in the new one', async () => {
  const file = join(folder, 'earlier.sqlite');
  const earlier = new DatabaseSync(file);
  earlier.exec(SCHEMA_STEPS[0] as string);
  earlier.exec('PRAGMA user_version = 1');
  const rows = [
    [1, 5, 'agency-invited', 'politie', '{"event":"agency-invited","agency":"politie"}'],
    [2, 6, 'agency-removed', 'politie', '{"event":"agency-removed","agency":"politië"}'],
  ] as const;
  for (const row of rows) earlier.prepare('INSERT INTO audit VALUES (?, ?, ?, ?, ?)').run(...row);
  earlier.close();

  const store = openStore(file);
  expect((await store.auditLog.head()).size).toBe(0);
  const hash = createHash('sha256');
  for (const row of rows) hash.update(`${JSON.stringify(row)}\n`);
  expect(Buffer.from((await store.formerLogDigest()) ?? [])).toEqual(hash.digest());
  await store.auditLog.append(1, invited('a'));
  await store.close();

  const database = new DatabaseSync(file);
  expect(database.prepare('SELECT count(*) AS n FROM audit').get()?.['n']).toBe(2);
  expect(() => database.exec("INSERT INTO audit VALUES (3, 1, '', '', '')")).toThrow('goes on');
  database.close();
});

it('has no former log where there was none', async () => {
  const store = openStore(join(folder, 'new.sqlite'));
  expect(await store.formerLogDigest()).toBeUndefined();
  await store.close();
});
