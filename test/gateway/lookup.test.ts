import type { LookupOpened } from '@hitmachine/protocol';
import {
  CANARY_PURPOSE,
  CANARY_ROLE,
  HitError,
  concatBytes,
  constantTimeEqual,
  decodeBase64,
  elementDigests,
  encodeBase64,
  evaluateElements,
  splitElements,
  ticketCodec,
  verifyProof,
} from '@hitmachine/protocol';
import { describe, expect, it } from 'vitest';
import { MemoryAuditLog } from '../../gateway/src/adapters/memory/audit-log.ts';
import { sha256 } from '../../gateway/src/domain/sha256.ts';
import { elements, suite } from './support/agency.ts';
import { POLICY, SETTINGS, limited, problem } from './support/fixtures.ts';
import { TestGateway } from './support/gateway.ts';

async function twoAgencies(options: Parameters<typeof TestGateway.make>[0] = {}) {
  const gateway = await TestGateway.make(options);
  const politie = await gateway.enrolled('politie');
  const ggz = await gateway.enrolled('ggz', ['volwassenen', 'jeugd']);
  return { gateway, politie, ggz };
}

describe('a lookup', () => {
  it('is evaluated with the published key, with a proof and a ticket a node', async () => {
    const { gateway, politie } = await twoAgencies();
    const request = politie.lookup(gateway.version, {
      persons: 2,
      registers: ['ggz/volwassenen', 'politie/incidenten', 'ggz/jeugd'],
    });
    const parts = politie.sign('POST', '/v1/lookups', request);
    const response = await politie.post(parts);
    expect(response.status).toBe(200);
    const opened = (await response.json()) as LookupOpened;

    const asked = decodeBase64(request.elements);
    const evaluated = decodeBase64(opened.evaluated);
    const { evaluation, evaluationKey } = gateway.deps.keys;
    expect(constantTimeEqual(evaluated, evaluateElements(suite, evaluation.reveal().secretKey, asked))).toBe(
      true,
    );
    verifyProof(
      suite,
      evaluationKey,
      splitElements(asked),
      splitElements(evaluated),
      decodeBase64(opened.proof ?? ''),
    );

    const event = (await gateway.audit()).at(-1);
    if (event?.event !== 'lookup') throw new Error('no lookup was logged');
    const tickets = opened.tickets.map(({ ticket }) => ticketCodec.decode(decodeBase64(ticket)));
    expect(opened.tickets.map(({ node }) => node)).toEqual(['ggz', 'politie']);
    expect(tickets.map(({ registers }) => registers)).toEqual([['volwassenen', 'jeugd'], ['incidenten']]);
    for (const ticket of tickets)
      expect(ticket).toMatchObject({
        asker: 'politie',
        purpose: 'casusoverleg',
        persons: 2,
        lookupId: decodeBase64(opened.lookupId),
        elementDigests: elementDigests(evaluated, request.tokenTypes),
        requestDigest: sha256(decodeBase64(event.evidence.base)),
        rosterVersion: gateway.version,
        issuedAt: gateway.clock.time,
        expiresAt: gateway.clock.time + 60_000,
      });
  });

  it('leaves an entry that shows what was asked, in the words of the asker', async () => {
    const { gateway, politie } = await twoAgencies();
    const parts = politie.sign('POST', '/v1/lookups', politie.lookup(gateway.version, { persons: 3 }));
    const { lookupId } = (await (await politie.post(parts)).json()) as LookupOpened;
    expect((await gateway.audit()).at(-1)).toMatchObject({
      event: 'lookup',
      agency: 'politie',
      lookupId,
      body: new TextDecoder().decode(parts.body),
    });
  });

  it('comes without a proof where the federation does not ask for one', async () => {
    const { gateway, politie } = await twoAgencies({
      policy: { ...POLICY, settings: { ...SETTINGS, lookupProof: false } },
    });
    expect(await politie.opened(gateway.version)).not.toHaveProperty('proof');
  });

  const identity = new Uint8Array(32);
  const nonCanonical = new Uint8Array(32).fill(0xff);
  // A field element that is canonical and even, and yet no encoding of a group element.
  const noElement = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 2 : 0));

  it.each([
    ['roster-outdated', 409, 'rosterVersion', { rosterVersion: 1 }],
    ['unknown-purpose', 400, 'purpose', { purpose: 'nieuwsgierigheid' }],
    ['unknown-register', 400, 'registers.1', { registers: ['ggz/jeugd', 'ggz/ouderen'] }],
    ['field-invalid', 400, 'registers.1', { registers: ['ggz/jeugd', 'ggz/jeugd'] }],
    ['field-invalid', 400, 'registers', { registers: [] }],
    ['field-invalid', 400, 'tokenTypes.1', { tokenTypes: ['bsn', 'address'] }],
    ['field-invalid', 400, 'tokenTypes.1', { tokenTypes: ['bsn', 'bsn'] }],
    ['field-invalid', 400, 'persons', { persons: 5 }],
    ['field-invalid', 400, 'persons', { persons: 0, elements: '' }],
    ['field-invalid', 400, 'elements', { elements: encodeBase64(elements(3)) }],
    ['field-invalid', 400, 'elements', { elements: '***' }],
    ['field-invalid', 400, 'elements', { elements: encodeBase64(new Uint8Array(65)) }],
    ['field-invalid', 400, 'professional', { professional: 'jan' }],
    ['element-invalid', 400, 'elements[1]', { elements: encodeBase64(concatBytes(elements(1), identity)) }],
    [
      'element-invalid',
      400,
      'elements[0]',
      { elements: encodeBase64(concatBytes(nonCanonical, elements(1))) },
    ],
    ['element-invalid', 400, 'elements[1]', { elements: encodeBase64(concatBytes(elements(1), noElement)) }],
  ] as const)('is refused with %s (%i) at %s', async (code, status, field, change) => {
    const { gateway, politie } = await twoAgencies();
    const response = await politie.call(
      'POST',
      '/v1/lookups',
      politie.lookup(gateway.version, change as object),
    );
    const refused = await problem(response);
    expect(refused).toMatchObject({ status, code });
    expect(refused.fields?.map((one) => one.field)).toContain(field);
    expect((await gateway.audit()).at(-1)).toMatchObject({
      event: 'lookup-refused',
      agency: 'politie',
      code,
    });
  });
});

describe('what cannot be logged', () => {
  class FullAuditLog extends MemoryAuditLog {
    full = false;
    override append(...parts: Parameters<MemoryAuditLog['append']>): ReturnType<MemoryAuditLog['append']> {
      return this.full ? Promise.reject(new HitError('storage-failed')) : super.append(...parts);
    }
  }

  it('is not answered', async () => {
    const auditLog = new FullAuditLog();
    const { gateway, politie } = await twoAgencies({ auditLog });
    auditLog.full = true;
    for (const [path, body] of [
      ['/v1/lookups', politie.lookup(gateway.version)],
      ['/v1/evaluations', { register: 'incidenten', elements: encodeBase64(elements(2)) }],
    ] as const) {
      const text = await (await politie.call('POST', path, body)).text();
      expect(JSON.parse(text)).toMatchObject({ status: 503, code: 'storage-failed' });
      expect(text).not.toContain('evaluated');
    }
    auditLog.full = false;
    expect((await gateway.audit()).filter(({ event }) => event === 'lookup')).toEqual([]);
  });

  it('is still refused, when it is a refusal', async () => {
    const auditLog = new FullAuditLog();
    const { gateway, politie } = await twoAgencies({ auditLog });
    auditLog.full = true;
    const response = await politie.call(
      'POST',
      '/v1/lookups',
      politie.lookup(gateway.version, { purpose: 'x' }),
    );
    expect(await problem(response)).toMatchObject({ status: 400, code: 'unknown-purpose' });
    expect(gateway.lines.some(({ event }) => event === 'refusal-not-logged')).toBe(true);
  });
});

describe('quotas', () => {
  const ask =
    (change: object) =>
    async ({ gateway, politie }: Awaited<ReturnType<typeof twoAgencies>>) =>
      politie.call('POST', '/v1/lookups', politie.lookup(gateway.version, change));

  it('bound the persons of an agency a day', async () => {
    const all = await twoAgencies({ policy: limited({ agency: { day: 5 } }) });
    const four = ask({ persons: 4, professional: encodeBase64(new Uint8Array(16).fill(1)) });
    const other = ask({ persons: 2, professional: encodeBase64(new Uint8Array(16).fill(2)) });
    expect((await four(all)).status).toBe(200);
    const refused = await other(all);
    // The clock stands at noon.
    expect(refused.headers.get('retry-after')).toBe(String(12 * 3600));
    expect(await problem(refused)).toMatchObject({
      status: 429,
      code: 'quota-exceeded',
      rule: 'quota-agency-day',
      detail: 'the limit on persons of an agency a day would be exceeded: 5',
    });
    expect((await ask({ persons: 1 })(all)).status).toBe(200);
    all.gateway.clock.time += 12 * 3_600_000;
    expect((await other(all)).status).toBe(200);
  });

  it('bound the persons of a professional a day', async () => {
    const all = await twoAgencies({ policy: limited({ professional: { day: 2 } }) });
    expect((await ask({ persons: 2 })(all)).status).toBe(200);
    expect(await problem(await ask({})(all))).toMatchObject({ code: 'quota-exceeded' });
    expect((await ask({ professional: encodeBase64(new Uint8Array(16).fill(7)) })(all)).status).toBe(200);
  });

  it('bound the persons of an agency a minute', async () => {
    const all = await twoAgencies({ policy: limited({ agency: { minute: 2, day: 2000 } }) });
    const three = await Promise.all([ask({})(all), ask({})(all), ask({})(all)]);
    expect(three.map(({ status }) => status).sort()).toEqual([200, 200, 429]);
    all.gateway.clock.time += 60_000;
    expect((await ask({})(all)).status).toBe(200);
  });

  it('are not used up by refusals', async () => {
    const all = await twoAgencies({ policy: limited({ agency: { minute: 1, day: 2000 } }) });
    expect((await ask({ purpose: 'x' })(all)).status).toBe(400);
    expect((await ask({})(all)).status).toBe(200);
  });
});

describe('a canary', () => {
  const canary = { purpose: CANARY_PURPOSE, role: CANARY_ROLE, registers: ['politie/incidenten'] };

  it('is logged as such and does not count as a lookup', async () => {
    const { gateway, politie } = await twoAgencies({ policy: limited({ agency: { minute: 1, day: 2000 } }) });
    await politie.opened(gateway.version, canary);
    await politie.opened(gateway.version);
    expect((await gateway.audit()).map(({ event }) => event).slice(-2)).toEqual(['canary', 'lookup']);
  });

  it.each([
    ['registers.0', { ...canary, registers: ['ggz/jeugd'] }],
    ['persons', { ...canary, persons: 2 }],
  ])('is for one canary of one’s own: %s', async (field, change) => {
    const { gateway, politie } = await twoAgencies();
    const response = await politie.call('POST', '/v1/lookups', politie.lookup(gateway.version, change));
    expect(await problem(response)).toMatchObject({ status: 403, code: 'not-allowed', fields: [{ field }] });
  });

  it('has a limit of its own', async () => {
    const { gateway, politie } = await twoAgencies();
    for (let i = 0; i < 30; i++) await politie.opened(gateway.version, { ...canary, tokenTypes: ['bsn'] });
    const response = await politie.call('POST', '/v1/lookups', politie.lookup(gateway.version, canary));
    expect(await problem(response)).toMatchObject({ status: 429, code: 'quota-exceeded' });
  });
});
