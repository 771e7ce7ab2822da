import type { LookupOpened, LookupRequest } from '@hitmachine/protocol';
import { encodeBase64 } from '@hitmachine/protocol';
import { describe, expect, it } from 'vitest';
import { elements } from './support/agency.ts';
import { POLICY, limited, problem } from './support/fixtures.ts';
import { TestGateway } from './support/gateway.ts';

const MINUTE = 60_000;
const REGISTERS = ['ggz/volwassenen', 'politie/incidenten'];

/** Two agencies, and a lookup of two persons that the one has asked; its quota is used up by it. */
async function asked() {
  const gateway = await TestGateway.make({ policy: limited({ ...POLICY.quotas, agency: { day: 2 } }) });
  const politie = await gateway.enrolled('politie');
  const ggz = await gateway.enrolled('ggz', ['volwassenen', 'jeugd']);
  const request = politie.lookup(gateway.version, { persons: 2, registers: REGISTERS });
  const first = (await (await politie.call('POST', '/v1/lookups', request)).json()) as LookupOpened;
  const again = (change: Partial<LookupRequest> = {}, by = politie): Promise<Response> =>
    by.call('POST', '/v1/lookups', { ...request, again: first.lookupId, ...change });
  return { gateway, politie, ggz, request, first, again };
}

describe('a lookup that is put once more', () => {
  it('is logged and evaluated like any other, and not counted', async () => {
    const { gateway, politie, request, first, again } = await asked();
    expect(await problem(await politie.call('POST', '/v1/lookups', request))).toMatchObject({
      status: 429,
      code: 'quota-exceeded',
    });
    gateway.clock.time += 14 * MINUTE;
    const response = await again({ registers: ['ggz/volwassenen'] });
    expect(response.status).toBe(200);
    const opened = (await response.json()) as LookupOpened;
    expect(opened.lookupId).not.toBe(first.lookupId);
    expect(opened.evaluated).toBe(first.evaluated);
    expect(opened.tickets.map(({ node }) => node)).toEqual(['ggz']);
    const entry = (await gateway.audit()).at(-1);
    expect(entry).toMatchObject({ event: 'lookup', lookupId: opened.lookupId });
    expect(JSON.parse((entry as { body: string }).body)).toMatchObject({ again: first.lookupId });
  });

  it.each<[string, Partial<LookupRequest>]>([
    ['elements', { elements: encodeBase64(elements(4)) }],
    ['professional', { professional: encodeBase64(new Uint8Array(16).fill(7)) }],
    ['caseCommitment', { caseCommitment: encodeBase64(new Uint8Array(32).fill(7)) }],
    ['tokenTypes', { tokenTypes: ['name+birthdate', 'bsn'] }],
    ['registers.1', { registers: ['ggz/volwassenen', 'ggz/jeugd'] }],
  ])('has the same %s', async (field, change) => {
    const { again } = await asked();
    expect(await problem(await again(change))).toMatchObject({
      status: 400,
      code: 'field-invalid',
      fields: [{ field }],
    });
  });

  it('is one of the same agency, of the last quarter of an hour, and the first of its question', async () => {
    const { gateway, ggz, first, again } = await asked();
    expect(await problem(await again({}, ggz))).toMatchObject({ status: 404, code: 'unknown-lookup' });
    expect(await problem(await again({ again: encodeBase64(new Uint8Array(16)) }))).toMatchObject({
      code: 'unknown-lookup',
    });
    const second = (await (await again()).json()) as LookupOpened;
    expect(await problem(await again({ again: second.lookupId }))).toMatchObject({
      code: 'field-invalid',
      fields: [{ field: 'again' }],
    });
    expect(first.lookupId).not.toBe(second.lookupId);
    gateway.clock.time += 15 * MINUTE + 1;
    expect(await problem(await again())).toMatchObject({ code: 'unknown-lookup' });
  });

  it('is put five times, and no more', async () => {
    const { again } = await asked();
    for (let times = 0; times < 5; times++) expect((await again()).status).toBe(200);
    expect(await problem(await again())).toMatchObject({ status: 429, code: 'quota-exceeded' });
  });
});
