import type { RosterResponse } from '@hitmachine/protocol';
import { GATEWAY_KEY_ID, ROSTER_KIND, openDocument, rosterSchema } from '@hitmachine/protocol';
import { describe, expect, it } from 'vitest';
import { MemoryDirectory } from '../../gateway/src/adapters/memory/directory.ts';
import { gatewayKeys, publicKeys } from '../../gateway/src/domain/keys.ts';
import { register } from './support/agency.ts';
import { POLICY, SEEDS, SETTINGS, backend, problem } from './support/fixtures.ts';
import { TestGateway } from './support/gateway.ts';

const keys = gatewayKeys(backend, SEEDS);

describe('the roster', () => {
  it('is open to all and signed with the identity key of the gateway', async () => {
    const gateway = await TestGateway.make();
    await gateway.enrolled('politie');
    const response = await gateway.request('/v1/roster');
    expect(response.status).toBe(200);
    const { roster: document } = (await response.json()) as RosterResponse;
    const signer = { keyId: GATEWAY_KEY_ID, publicKey: keys.identityKey };
    const roster = openDocument(backend, ROSTER_KIND, rosterSchema, document, signer);
    expect(roster).toMatchObject({ federation: 'waalstad', version: 2, gateway: publicKeys(keys) });
    expect(roster.agencies.map(({ id }) => id)).toEqual(['politie']);
  });

  it('has its version for an entity tag', async () => {
    const gateway = await TestGateway.make();
    const first = await gateway.request('/v1/roster');
    const tag = first.headers.get('etag') as string;
    for (const given of [tag, `W/${tag}`, `"99", ${tag}`, '*']) {
      const again = await gateway.request('/v1/roster', { headers: { 'if-none-match': given } });
      expect(again.status).toBe(304);
      expect(await again.text()).toBe('');
    }
    await gateway.enrolled('politie');
    const changed = await gateway.request('/v1/roster', { headers: { 'if-none-match': tag } });
    expect(changed.status).toBe(200);
  });

  it('keeps its version over a restart, and gets a new one when the policy has changed', async () => {
    const directory = new MemoryDirectory();
    await (await TestGateway.make({ directory })).enrolled('politie');
    const same = await TestGateway.make({ directory });
    expect(same.version).toBe(2);
    const changed = await TestGateway.make({
      directory,
      policy: { ...POLICY, version: 2, settings: { ...SETTINGS, maxPersons: 3 } },
    });
    expect(changed.version).toBe(3);
    expect(changed.deps.roster.current.roster.policy.settings.maxPersons).toBe(3);
  });

  it('refuses to become that of another federation', async () => {
    const directory = new MemoryDirectory();
    await TestGateway.make({ directory });
    await expect(
      TestGateway.make({ directory, policy: { ...POLICY, federation: 'other' } }),
    ).rejects.toMatchObject({
      code: 'config-invalid',
    });
  });

  it('is not served before it is stored', async () => {
    class FullDisk extends MemoryDirectory {
      full = false;
      override saveRoster(...roster: Parameters<MemoryDirectory['saveRoster']>): Promise<void> {
        return this.full ? Promise.reject(new Error('disk full')) : super.saveRoster(...roster);
      }
    }
    const directory = new FullDisk();
    const gateway = await TestGateway.make({ directory });
    const politie = await gateway.enrolled('politie');
    directory.full = true;
    expect((await politie.call('PUT', '/v1/registers', { registers: [] })).status).toBe(500);
    expect(gateway.version).toBe(2);
    directory.full = false;
    expect((await TestGateway.make({ directory })).version).toBe(3);
  });

  it('cannot be made anew without end by one agency, which would outdate the lookups of all', async () => {
    const gateway = await TestGateway.make();
    const politie = await gateway.enrolled('politie');
    const ggz = await gateway.enrolled('ggz');
    const change = (agency: typeof politie, i: number): Promise<Response> =>
      agency.call('PUT', '/v1/registers', { registers: [register(`incidenten-${i}`)] });
    for (let i = 0; i < 20; i++) expect((await change(politie, i)).status).toBe(200);
    const { version } = gateway;
    const refused = await change(politie, 20);
    expect(refused.headers.get('retry-after')).not.toBeNull();
    expect(await problem(refused)).toMatchObject({ status: 429, code: 'quota-exceeded' });
    expect(gateway.version).toBe(version);
    expect((await change(ggz, 0)).status).toBe(200);
  });

  it('tells of every change, in order', async () => {
    const gateway = await TestGateway.make();
    const versions: number[] = [];
    gateway.deps.roster.onChange((version) => versions.push(version));
    await Promise.all(['politie', 'ggz', 'reclassering'].map((id) => gateway.enrolled(id)));
    expect(versions.at(-1)).toBe(gateway.version);
    expect([...versions].sort((a, b) => a - b)).toEqual(versions);
    expect(gateway.deps.roster.current.roster.agencies).toHaveLength(3);
  });
});
