import { describe, expect, it } from 'vitest';
import { revokeInvitation } from '../../gateway/src/domain/invitation.ts';
import { TestAgency, register, sessionKey } from './support/agency.ts';
import { problem, random } from './support/fixtures.ts';
import { TestGateway } from './support/gateway.ts';

const newcomer = (gateway: TestGateway, id = 'politie'): TestAgency =>
  new TestAgency(id, (path, init) => gateway.request(path, init), gateway.clock.now);

describe('enrolment', () => {
  it('puts an agency on the roster', async () => {
    const gateway = await TestGateway.make();
    const politie = newcomer(gateway);
    const response = await politie.enrol(await gateway.invite('politie'));
    expect(response.status).toBe(201);
    expect(gateway.version).toBe(2);
    expect(gateway.deps.roster.current.roster.agencies).toMatchObject([
      { id: 'politie', name: 'Agency politie', kind: 'police', identityKey: politie.identityKey, sessionKey },
    ]);
    expect(await response.json()).toEqual({ roster: gateway.deps.roster.current.document });
    expect((await gateway.audit()).map(({ event }) => event)).toEqual([
      'policy',
      'roster',
      'agency-invited',
      'enrolment',
      'roster',
    ]);
  });

  it('may be repeated after a lost reply, and then changes nothing', async () => {
    const gateway = await TestGateway.make();
    const politie = newcomer(gateway);
    const secret = await gateway.invite('politie');
    await politie.enrol(secret);
    gateway.clock.time += 30 * 86_400_000;
    const again = await politie.enrol(secret, ['something-else']);
    expect(again.status).toBe(200);
    expect(gateway.version).toBe(2);
    expect(gateway.deps.roster.current.roster.agencies[0]?.registers).toMatchObject([{ id: 'incidenten' }]);
  });

  it('refuses a used token with another key, and keeps the first one', async () => {
    const gateway = await TestGateway.make();
    const secret = await gateway.invite('politie');
    const first = newcomer(gateway);
    await first.enrol(secret);
    const refused = await problem(await newcomer(gateway).enrol(secret));
    expect(refused).toMatchObject({ status: 403, code: 'enrolment-refused' });
    expect(refused.detail).toContain('used before');
    expect(gateway.deps.roster.current.roster.agencies[0]?.identityKey).toBe(first.identityKey);
  });

  it('lets one of two win that use a token at the same moment', async () => {
    const gateway = await TestGateway.make();
    const secret = await gateway.invite('politie');
    const both = await Promise.all([newcomer(gateway).enrol(secret), newcomer(gateway).enrol(secret)]);
    expect(both.map(({ status }) => status).sort()).toEqual([201, 403]);
  });

  it('refuses a token that has expired', async () => {
    const gateway = await TestGateway.make();
    const secret = await gateway.invite('politie');
    gateway.clock.time += 7 * 86_400_000 + 1;
    const refused = await problem(await newcomer(gateway).enrol(secret));
    expect(refused).toMatchObject({ status: 403, code: 'enrolment-refused' });
    expect(refused.detail).toContain('expired');
  });

  it('refuses a token that was revoked, and no token that was used is revoked', async () => {
    const gateway = await TestGateway.make();
    const secret = await gateway.invite('politie');
    await revokeInvitation(gateway.deps, 'politie');
    const refused = await problem(await newcomer(gateway).enrol(secret));
    expect(refused).toMatchObject({ status: 403, code: 'enrolment-refused' });
    const another = await gateway.invite('politie');
    expect((await newcomer(gateway).enrol(another)).status).toBe(201);
    await expect(revokeInvitation(gateway.deps, 'politie')).rejects.toMatchObject({ code: 'already-exists' });
    // An agency that was invited again keeps what it has when that invitation is revoked.
    const third = await gateway.invite('politie');
    await revokeInvitation(gateway.deps, 'politie');
    expect((await newcomer(gateway).enrol(third)).status).toBe(403);
    expect(gateway.deps.roster.current.roster.agencies).toHaveLength(1);
  });

  it('refuses the token of one agency to another', async () => {
    const gateway = await TestGateway.make();
    const secret = await gateway.invite('politie');
    await gateway.invite('ggz');
    expect(await problem(await newcomer(gateway, 'ggz').enrol(secret))).toMatchObject({
      status: 403,
      code: 'enrolment-refused',
    });
    expect((await newcomer(gateway).enrol(secret)).status).toBe(201);
  });

  it('says the same of a wrong token and of an agency that was never invited', async () => {
    const gateway = await TestGateway.make();
    await gateway.invite('politie');
    const wrong = await problem(await newcomer(gateway).enrol(random(32)));
    const unknown = await problem(await newcomer(gateway, 'nobody').enrol(random(32)));
    expect(wrong).toMatchObject({ status: 403, code: 'enrolment-refused' });
    expect(unknown).toEqual(wrong);
  });

  it('takes a new token for a reinstall: new key, old token worthless', async () => {
    const gateway = await TestGateway.make();
    const first = await gateway.invite('politie');
    const before = newcomer(gateway);
    await before.enrol(first);
    const second = await gateway.invite('politie');
    expect(await problem(await before.enrol(first))).toMatchObject({ code: 'enrolment-refused' });
    const after = newcomer(gateway);
    expect((await after.enrol(second)).status).toBe(201);
    expect(gateway.deps.roster.current.roster.agencies[0]?.identityKey).toBe(after.identityKey);
    const old = await before.call('PUT', '/v1/registers', { registers: [] });
    expect(await problem(old)).toMatchObject({ code: 'signature-invalid' });
  });

  it('wants the signature of the key that it brings, in its own name', async () => {
    const gateway = await TestGateway.make();
    const secret = await gateway.invite('politie');
    const stolen = newcomer(gateway);
    const foreign = await newcomer(gateway).enrol(secret, [], { identityKey: stolen.identityKey });
    expect(await problem(foreign)).toMatchObject({ status: 401, code: 'signature-invalid' });
    const renamed = await newcomer(gateway, 'ggz').enrol(secret, [], { agency: 'politie' });
    expect(await problem(renamed)).toMatchObject({ status: 401, code: 'signature-invalid' });
    expect(gateway.version).toBe(1);
  });

  it('refuses registers that do not fit the federation, and leaves the token unused', async () => {
    const gateway = await TestGateway.make();
    const secret = await gateway.invite('politie');
    const politie = newcomer(gateway);
    const refused = await politie.enrol(secret, [], {
      registers: [{ ...register('a'), tokenTypes: ['skn'] }],
    });
    expect(await problem(refused)).toMatchObject({
      status: 400,
      code: 'field-invalid',
      fields: [{ field: 'registers.0.tokenTypes.0' }],
    });
    expect((await politie.enrol(secret)).status).toBe(201);
  });
});

describe('registers', () => {
  it('are replaced on the roster, in a new version only when they differ', async () => {
    const gateway = await TestGateway.make();
    const politie = await gateway.enrolled('politie');
    const registers = [{ ...register('incidenten'), tableBits: { bsn: 5 } }];
    expect((await politie.call('PUT', '/v1/registers', { registers })).status).toBe(200);
    expect(gateway.version).toBe(3);
    expect((await politie.call('PUT', '/v1/registers', { registers })).status).toBe(200);
    expect(gateway.version).toBe(3);
  });

  it.each([
    [{ tokenTypes: ['skn'] }, 'registers.0.tokenTypes.0'],
    [{ tableBits: { bsn: 7 } }, 'registers.0.tableBits.bsn'],
    [{ tokenTypes: ['bsn'], tableBits: { 'name+birthdate': 0 } }, 'registers.0.tableBits.name+birthdate'],
    [{ id: 'Not A Slug' }, 'registers.0.id'],
    [{ colour: 'red' }, 'registers.0'],
  ])('are refused when they do not fit: %j', async (change, field) => {
    const gateway = await TestGateway.make();
    const politie = await gateway.enrolled('politie');
    const registers = [{ ...register('incidenten'), ...change }];
    const refused = await problem(await politie.call('PUT', '/v1/registers', { registers }));
    expect(refused).toMatchObject({ status: 400, code: 'field-invalid' });
    expect(refused.fields?.map((one) => one.field)).toContain(field);
    expect(gateway.version).toBe(2);
  });
});
