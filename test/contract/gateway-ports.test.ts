import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Register, SessionKey } from '@hitmachine/protocol';
import { afterAll, describe, expect, it } from 'vitest';
import { MemoryAuditLog } from '../../gateway/src/adapters/memory/audit-log.ts';
import { MemoryDirectory } from '../../gateway/src/adapters/memory/directory.ts';
import { MemoryNonces } from '../../gateway/src/adapters/memory/nonces.ts';
import { openDatabase } from '../../gateway/src/adapters/sqlite/database.ts';
import { SqliteNonces } from '../../gateway/src/adapters/sqlite/nonces.ts';
import type { GatewayStore } from '../../gateway/src/cli/gateway-store.ts';
import { openStore } from '../../gateway/src/cli/gateway-store.ts';
import type { AuditEvent } from '../../gateway/src/ports/audit-log.ts';
import type { Enrolment, Invitation } from '../../gateway/src/ports/directory.ts';
import { FORGET_EVERY_MS } from '../../gateway/src/ports/nonces.ts';
import type { Charge } from '../../gateway/src/ports/quota.ts';

const folder = mkdtempSync(join(tmpdir(), 'hit-gateway-test-'));
const opened: GatewayStore[] = [];
const databases: DatabaseSync[] = [];
afterAll(() => {
  for (const one of [...opened, ...databases]) one.close();
  rmSync(folder, { recursive: true });
});

function sqlite(path = join(folder, `${opened.length}.sqlite`)): GatewayStore {
  const store = openStore(path);
  opened.push(store);
  return store;
}

function openedDatabase(): DatabaseSync {
  const database = openDatabase(join(folder, `nonces-${databases.length}.sqlite`), { durable: false });
  databases.push(database);
  return database;
}

const memory = (): Omit<GatewayStore, 'close'> => ({
  directory: new MemoryDirectory(),
  auditLog: new MemoryAuditLog(),
  nonces: new MemoryNonces(),
});

const invitation = (id: string, token: number): Invitation => ({
  id,
  name: `Agency ${id}`,
  kind: 'police',
  clients: 10,
  tokenHash: new Uint8Array(32).fill(token),
  tokenExpires: 1_000,
});
const sessionKey: SessionKey = { kem: 'x25519', publicKey: 'AAAA' };
const register: Register = {
  id: 'incidenten',
  name: 'Incidenten',
  areaOfLife: 'veiligheid',
  tokenTypes: ['bsn'],
  contact: { name: 'Balie' },
  tableBits: {},
};
const enrolment = (key: number): Enrolment => ({
  identityKey: new Uint8Array(32).fill(key),
  sessionKey,
  registers: [register],
});
const event = (agency: string): AuditEvent => ({ event: 'agency-invited', agency, again: false });
const charge = (counter: string, amount: number, windowEnd = 1_000): Charge => ({
  counter,
  describes: 'things',
  windowEnd,
  amount,
  limit: 10,
});
const document = (text: string) => ({ payload: text, signatures: [{ keyId: 'gateway', signature: 'AAAA' }] });

describe.each([
  ['memory', memory],
  ['sqlite', sqlite],
] as const)('the directory in %s', (_name, open) => {
  it('forgets an agency that is removed, with its token and its enrolment', async () => {
    const { directory } = open();
    await directory.invite(invitation('politie', 1));
    await directory.enrol('politie', new Uint8Array(32).fill(1), enrolment(7));
    await directory.invite(invitation('ggz', 2));
    await directory.remove('politie');
    await directory.remove('nobody');
    expect((await directory.agencies()).map(({ id }) => id)).toEqual(['ggz']);
    expect(await directory.enrol('politie', new Uint8Array(32).fill(1), enrolment(7))).toBe(false);
    await directory.invite(invitation('politie', 3));
    expect((await directory.agency('politie'))?.enrolment).toBeUndefined();
  });

  it('knows an invited agency, and orders them', async () => {
    const { directory } = open();
    expect(await directory.agency('politie')).toBeUndefined();
    await directory.invite(invitation('politie', 1));
    await directory.invite(invitation('ggz', 2));
    expect((await directory.agencies()).map(({ id }) => id)).toEqual(['ggz', 'politie']);
    expect(await directory.agency('politie')).toEqual({
      ...invitation('politie', 1),
      tokenUsedBy: undefined,
      enrolment: undefined,
    });
  });

  it('redeems the latest token, once', async () => {
    const { directory } = open();
    await directory.invite(invitation('politie', 1));
    await directory.invite(invitation('politie', 2));
    const token = (n: number) => new Uint8Array(32).fill(n);
    expect(await directory.enrol('politie', token(1), enrolment(7))).toBe(false);
    expect(await directory.enrol('nobody', token(2), enrolment(7))).toBe(false);
    expect(await directory.enrol('politie', token(2), enrolment(7))).toBe(true);
    expect(await directory.enrol('politie', token(2), enrolment(8))).toBe(false);
    expect(await directory.agency('politie')).toMatchObject({
      tokenUsedBy: token(7),
      enrolment: enrolment(7),
    });
  });

  it('keeps an enrolment through a new invitation', async () => {
    const { directory } = open();
    await directory.invite(invitation('politie', 1));
    await directory.enrol('politie', new Uint8Array(32).fill(1), enrolment(7));
    await directory.invite({ ...invitation('politie', 2), name: 'New' });
    expect(await directory.agency('politie')).toMatchObject({
      name: 'New',
      tokenUsedBy: undefined,
      enrolment: enrolment(7),
    });
  });

  it('replaces the registers of an enrolled agency, and of no other', async () => {
    const { directory } = open();
    await directory.invite(invitation('politie', 1));
    await directory.setRegisters('politie', []);
    expect((await directory.agency('politie'))?.enrolment).toBeUndefined();
    await directory.enrol('politie', new Uint8Array(32).fill(1), enrolment(7));
    await directory.setRegisters('politie', [{ ...register, id: 'nieuw' }]);
    expect((await directory.agency('politie'))?.enrolment?.registers).toEqual([{ ...register, id: 'nieuw' }]);
  });

  it('stores roster versions one after another', async () => {
    const { directory } = open();
    expect(await directory.latestRoster()).toBeUndefined();
    await directory.saveRoster({ version: 1, document: document('one') });
    await directory.saveRoster({ version: 2, document: document('two') });
    for (const version of [2, 1, 4])
      await expect(directory.saveRoster({ version, document: document('x') })).rejects.toMatchObject({
        code: 'already-exists',
      });
    expect(await directory.latestRoster()).toEqual({ version: 2, document: document('two') });
  });
});

describe.each([
  ['memory', memory],
  ['sqlite', sqlite],
] as const)('the audit log in %s', (_name, open) => {
  it('numbers entries in the order of the calls', async () => {
    const { auditLog } = open();
    const all = await Promise.all(['a', 'b', 'c'].map((agency) => auditLog.append(5, event(agency))));
    expect(all).toEqual([1, 2, 3].map((sequence) => ({ type: 'appended', sequence })));
    expect(await auditLog.read(1, 10)).toEqual([
      { sequence: 2, at: 5, event: event('b') },
      { sequence: 3, at: 5, event: event('c') },
    ]);
    expect(await auditLog.read(0, 1)).toHaveLength(1);
  });

  it('writes entry and charges, or neither', async () => {
    const { auditLog } = open();
    expect(await auditLog.append(1, event('a'), [charge('x', 6)])).toMatchObject({ type: 'appended' });
    const refused = await auditLog.append(1, event('b'), [charge('y', 1), charge('x', 5)]);
    expect(refused).toEqual({ type: 'exceeded', charge: charge('x', 5) });
    expect(await auditLog.exceeded([charge('y', 10), charge('x', 4)])).toBeUndefined();
    expect(await auditLog.exceeded([charge('y', 10), charge('x', 5)])).toEqual(charge('x', 5));
    expect(await auditLog.read(0, 10)).toHaveLength(1);
  });

  it('refuses one of several at once without harm to the others', async () => {
    const { auditLog } = open();
    const all = await Promise.all(
      ['a', 'b', 'c'].map((agency) => auditLog.append(1, event(agency), [charge('x', 4)])),
    );
    expect(all.map(({ type }) => type)).toEqual(['appended', 'appended', 'exceeded']);
    expect((await auditLog.read(0, 10)).map(({ sequence }) => sequence)).toEqual([1, 2]);
  });

  it('counts anew in a new window, and not when the clock is set back', async () => {
    const { auditLog } = open();
    await auditLog.append(1, event('a'), [charge('x', 10)]);
    expect(await auditLog.append(2, event('a'), [charge('x', 3, 2_000)])).toMatchObject({ type: 'appended' });
    expect(await auditLog.append(3, event('a'), [charge('x', 8, 1_000)])).toMatchObject({ type: 'exceeded' });
    expect(await auditLog.append(3, event('a'), [charge('x', 7, 1_000)])).toMatchObject({ type: 'appended' });
    await auditLog.probe();
  });
});

const MAX_LIVE = 100;

describe.each([
  ['memory', () => new MemoryNonces(MAX_LIVE)],
  ['sqlite', () => new SqliteNonces(openedDatabase(), MAX_LIVE)],
] as const)('the nonces in %s', (_name, open) => {
  it('are fresh once an agency, until they expire', async () => {
    const nonces = open();
    expect(await nonces.use('a', 'n', 10_000, 1)).toBe('fresh');
    expect(await nonces.use('a', 'n', 10_000, 2)).toBe('replayed');
    expect(await nonces.use('b', 'n', 10_000, 2)).toBe('fresh');
    expect(await nonces.use('a', 'n', 10_000, 10_000)).toBe('replayed');
    expect(await nonces.use('a', 'n', 20_000, 10_001 + FORGET_EVERY_MS)).toBe('fresh');
  });

  it('are bounded in number, each agency by itself', async () => {
    const nonces = open();
    for (let i = 0; i < MAX_LIVE; i++) await nonces.use('a', `n${i}`, 10_000, 1);
    expect(await nonces.use('a', 'one more', 10_000, 1)).toBe('too-many');
    expect(await nonces.use('a', 'n1', 10_000, 1)).toBe('replayed');
    expect(await nonces.use('b', 'one', 10_000, 1)).toBe('fresh');
    expect(await nonces.use('a', 'one more', 20_000, 10_001)).toBe('fresh');
  });
});

describe('the stores in sqlite', () => {
  const path = join(folder, 'shared.sqlite');

  it('see what another process wrote, and remember all of it', async () => {
    const one = sqlite(path);
    const other = sqlite(path);
    await one.directory.invite(invitation('politie', 1));
    expect((await other.directory.agencies()).map(({ id }) => id)).toEqual(['politie']);
    await one.auditLog.append(1, event('politie'), [charge('x', 9)]);
    expect(await other.auditLog.append(1, event('politie'), [charge('x', 9)])).toMatchObject({
      type: 'exceeded',
    });
    await one.nonces.use('politie', 'n', 10_000, 1);
    expect(await other.nonces.use('politie', 'n', 10_000, 2)).toBe('replayed');
  });

  it('reject with our code when nothing can be written', async () => {
    const store = sqlite();
    store.close();
    opened.pop();
    await expect(store.auditLog.append(1, event('a'))).rejects.toMatchObject({ code: 'storage-failed' });
    await expect(store.auditLog.probe()).rejects.toMatchObject({ code: 'storage-failed' });
    await expect(store.directory.agency('a')).rejects.toMatchObject({ code: 'storage-failed' });
    await expect(store.nonces.use('a', 'n', 1, 1)).rejects.toMatchObject({ code: 'storage-failed' });
  });

  it('do not touch a database of a newer version', () => {
    const newer = join(folder, 'newer.sqlite');
    const database = new DatabaseSync(newer);
    database.exec('PRAGMA user_version = 99');
    database.close();
    expect(() => openDatabase(newer, { durable: true })).toThrow('newer version');
  });

  it('keep the audit log from being changed', async () => {
    const file = join(folder, 'append-only.sqlite');
    await sqlite(file).auditLog.append(1, event('a'));
    const database = new DatabaseSync(file);
    for (const statement of ['DELETE FROM audit', "UPDATE audit SET body = '{}'"])
      expect(() => database.exec(statement)).toThrow('append only');
    database.close();
  });
});
