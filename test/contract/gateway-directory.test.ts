import { setImmediate as aMoment } from 'node:timers/promises';
import type { Register, SessionKey } from '@hitmachine/protocol';
import { HitError } from '@hitmachine/protocol';
import { expect, it } from 'vitest';
import type { Enrolment, Invitation } from '../../gateway/src/ports/directory.ts';
import { eachGatewayStore } from './support/gateway-stores.ts';

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
const document = (text: string) => ({ payload: text, signatures: [{ keyId: 'gateway', signature: 'AAAA' }] });

eachGatewayStore('the directory', (kind) => {
  it('forgets an agency that is removed, with its token and its enrolment', async () => {
    const { directory } = (await kind.open()).stores;
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
    const { directory } = (await kind.open()).stores;
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
    const { directory } = (await kind.open()).stores;
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
    const { directory } = (await kind.open()).stores;
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
    const { directory } = (await kind.open()).stores;
    await directory.invite(invitation('politie', 1));
    await directory.setRegisters('politie', []);
    expect((await directory.agency('politie'))?.enrolment).toBeUndefined();
    await directory.enrol('politie', new Uint8Array(32).fill(1), enrolment(7));
    await directory.setRegisters('politie', [{ ...register, id: 'nieuw' }]);
    expect((await directory.agency('politie'))?.enrolment?.registers).toEqual([{ ...register, id: 'nieuw' }]);
  });

  it('stores roster versions one after another', async () => {
    const { directory } = (await kind.open()).stores;
    expect(await directory.latestRoster()).toBeUndefined();
    await directory.saveRoster({ version: 1, document: document('one') });
    await directory.saveRoster({ version: 2, document: document('two') });
    for (const version of [2, 1, 4])
      await expect(directory.saveRoster({ version, document: document('x') })).rejects.toMatchObject({
        code: 'already-exists',
      });
    expect(await directory.latestRoster()).toEqual({ version: 2, document: document('two') });
    expect(await directory.roster(1)).toEqual({ version: 1, document: document('one') });
    expect(await directory.roster(3)).toBeUndefined();
  });

  it('is one directory for several processes', async () => {
    const { stores, again } = await kind.open();
    if (again === undefined) return;
    const other = (await again()).directory;
    await stores.directory.invite(invitation('politie', 1));
    expect((await other.agencies()).map(({ id }) => id)).toEqual(['politie']);
    const token = new Uint8Array(32).fill(1);
    const enrolled = await Promise.all([
      stores.directory.enrol('politie', token, enrolment(7)),
      other.enrol('politie', token, enrolment(8)),
    ]);
    expect(enrolled.filter(Boolean)).toHaveLength(1);
    const roster = { version: 1, document: document('one') };
    const saved = await Promise.allSettled([stores.directory.saveRoster(roster), other.saveRoster(roster)]);
    expect(saved.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(saved.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'already-exists' },
    });
  });

  it('lets one at a time do what is exclusive, also after one that failed', async () => {
    const { directory } = (await kind.open()).stores;
    const said: string[] = [];
    const work = (name: string) => async () => {
      said.push(`${name} begins`);
      await directory.latestRoster();
      await aMoment();
      said.push(`${name} ends`);
      if (name === 'first') throw new HitError('already-exists', 'it failed');
      return name;
    };
    const both = ['first', 'second'].map((name) => directory.exclusively(work(name)));
    expect(await Promise.allSettled(both)).toMatchObject([
      { status: 'rejected', reason: { detail: 'it failed' } },
      { status: 'fulfilled', value: 'second' },
    ]);
    const [begun] = said[0]!.split(' ');
    const other = begun === 'first' ? 'second' : 'first';
    expect(said).toEqual([`${begun} begins`, `${begun} ends`, `${other} begins`, `${other} ends`]);
  });

  it('keeps what each process told of the keys that it holds, until it takes leave', async () => {
    const { directory } = (await kind.open()).stores;
    expect(await directory.heldKeys()).toEqual([]);
    await directory.tellHeldKeys({ replica: 'b', host: 'two', keys: ['first'] });
    await directory.tellHeldKeys({ replica: 'a', host: 'one', keys: ['first'] });
    await directory.tellHeldKeys({ replica: 'b', host: 'two', keys: ['first', 'second'] });
    const held = await directory.heldKeys();
    expect(held).toMatchObject([
      { replica: 'a', host: 'one', keys: ['first'] },
      { replica: 'b', host: 'two', keys: ['first', 'second'] },
    ]);
    for (const { agoMs } of held) {
      expect(agoMs).toBeGreaterThanOrEqual(0);
      expect(agoMs).toBeLessThan(10_000);
    }
    await directory.forgetHeldKeys('b');
    await directory.forgetHeldKeys('nobody');
    expect((await directory.heldKeys()).map(({ replica }) => replica)).toEqual(['a']);
  });

  it('keeps who was given the way to an evaluation key, when, and how often', async () => {
    const { directory } = (await kind.open()).stores;
    const note = (agency: string, evaluationKey: string, at: number) =>
      directory.noteQuotient({ agency, evaluationKey, at });
    expect(await note('politie', 'second', 10)).toBe(1);
    expect(await note('ggz', 'second', 20)).toBe(1);
    expect(await note('politie', 'second', 30)).toBe(2);
    expect(await directory.quotientsGiven('second')).toEqual([
      { agency: 'ggz', firstAt: 20, lastAt: 20, times: 1 },
      { agency: 'politie', firstAt: 10, lastAt: 30, times: 2 },
    ]);
    expect(await note('ggz', 'third', 40)).toBe(1);
    expect(await directory.quotientsGiven('second')).toEqual([]);
    expect(await directory.quotientsGiven('third')).toMatchObject([{ agency: 'ggz', times: 1 }]);
  });

  it('keeps the evaluation key that was called for last', async () => {
    const { directory } = (await kind.open()).stores;
    expect(await directory.evaluationKey()).toBeUndefined();
    await directory.useEvaluationKey('first');
    await directory.useEvaluationKey('second');
    expect(await directory.evaluationKey()).toBe('second');
  });
});
