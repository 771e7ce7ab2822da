import { encodeBase64, utf8ToBytes } from '@hitmachine/protocol';
import { describe, expect, it } from 'vitest';
import { MemoryNonces } from '../../gateway/src/adapters/memory/nonces.ts';
import { TestAgency, register } from './support/agency.ts';
import { problem } from './support/fixtures.ts';
import { TestGateway } from './support/gateway.ts';

const PATH = '/v1/registers';
const BODY = { registers: [register('incidenten')] };

describe('a signed request', () => {
  it('is accepted as its agency signed it', async () => {
    const gateway = await TestGateway.make();
    const politie = await gateway.enrolled('politie');
    expect((await politie.call('PUT', PATH, BODY)).status).toBe(200);
  });

  it('is refused without its signature headers', async () => {
    const gateway = await TestGateway.make();
    const response = await gateway.request(PATH, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(BODY),
    });
    expect(await problem(response)).toMatchObject({ status: 401, code: 'signature-invalid' });
  });

  it.each([
    ['another body', (parts: { body: Uint8Array }) => void (parts.body = utf8ToBytes('{"registers":[]}'))],
    ['another path', (parts: { path: string }) => void (parts.path = '/v1/evaluations')],
    [
      'another digest',
      (parts: { headers: Record<string, string> }) =>
        void (parts.headers['content-digest'] = `sha-256=:${'A'.repeat(43)}=:`),
    ],
    [
      'another signature',
      (parts: { headers: Record<string, string> }) =>
        void (parts.headers['signature'] = `hit=:${'A'.repeat(86)}==:`),
    ],
  ])('is refused with %s', async (_what, tamper) => {
    const gateway = await TestGateway.make();
    const politie = await gateway.enrolled('politie');
    const parts = { ...politie.sign(...(['PUT', PATH, BODY] as const)) };
    tamper(parts);
    const response = await politie.post(parts.path === PATH ? parts : { ...parts, method: 'POST' });
    expect(await problem(response)).toMatchObject({ status: 401, code: 'signature-invalid' });
  });

  it('looks the same from an unknown agency, an invited one and with a wrong key', async () => {
    const gateway = await TestGateway.make();
    await gateway.enrolled('politie');
    await gateway.invite('reclassering');
    const answers = await Promise.all(
      ['politie', 'reclassering', 'nobody'].map(async (id) => {
        const impostor = new TestAgency(id, (path, init) => gateway.request(path, init), gateway.clock.now);
        return problem(await impostor.call('PUT', PATH, BODY));
      }),
    );
    expect(answers[0]).toMatchObject({ status: 401, code: 'signature-invalid' });
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
    const reasons = gateway.lines
      .filter(({ event }) => event === 'authentication-refused')
      .map(({ code }) => code);
    expect(reasons.sort()).toEqual(['signature-invalid', 'unknown-agency', 'unknown-agency']);
  });

  it('is refused a second time', async () => {
    const gateway = await TestGateway.make();
    const politie = await gateway.enrolled('politie');
    const parts = politie.sign('PUT', PATH, BODY);
    expect((await politie.post(parts)).status).toBe(200);
    expect(await problem(await politie.post(parts))).toMatchObject({ status: 401, code: 'replayed' });
    gateway.clock.time += 119_000;
    expect(await problem(await politie.post(parts))).toMatchObject({ status: 401, code: 'replayed' });
    gateway.clock.time += 2_000;
    expect(await problem(await politie.post(parts))).toMatchObject({
      status: 401,
      code: 'signature-expired',
    });
  });

  it('is refused when it comes from the past or the future', async () => {
    const gateway = await TestGateway.make();
    const politie = await gateway.enrolled('politie');
    for (const minutes of [-3, 2]) {
      const parts = politie.sign('PUT', PATH, BODY, gateway.clock.time + minutes * 60_000);
      expect(await problem(await politie.post(parts))).toMatchObject({
        status: 401,
        code: 'signature-expired',
      });
    }
  });

  it('does not use up a nonce when its signature is wrong', async () => {
    const gateway = await TestGateway.make();
    const politie = await gateway.enrolled('politie');
    const parts = politie.sign('PUT', PATH, BODY);
    const signature = parts.headers['signature'] as string;
    const forged = { ...parts, headers: { ...parts.headers, signature: `hit=:${'A'.repeat(86)}==:` } };
    expect((await politie.post(forged)).status).toBe(401);
    expect((await politie.post({ ...parts, headers: { ...parts.headers, signature } })).status).toBe(200);
  });

  it('is refused when an agency has sent more than the gateway can remember', async () => {
    class FullNonces extends MemoryNonces {
      override use(): Promise<'too-many'> {
        return Promise.resolve('too-many');
      }
    }
    const gateway = await TestGateway.make({ nonces: new FullNonces() });
    const politie = await gateway.enrolled('politie');
    const response = await politie.call('PUT', PATH, BODY);
    expect(response.headers.get('retry-after')).toBe('60');
    expect(await problem(response)).toMatchObject({ status: 429, code: 'quota-exceeded' });
  });

  it('leaves neither bodies nor signatures in the operational log', async () => {
    const gateway = await TestGateway.make();
    const politie = await gateway.enrolled('politie');
    const parts = politie.sign('POST', '/v1/lookups', politie.lookup(gateway.version));
    await politie.post(parts);
    const text = JSON.stringify(gateway.lines);
    expect(text).toContain('"agency":"politie"');
    const { elements } = JSON.parse(new TextDecoder().decode(parts.body)) as { elements: string };
    for (const secret of [elements, parts.headers['signature'] as string, encodeBase64(politie.seed)])
      expect(text).not.toContain(secret);
  });
});
