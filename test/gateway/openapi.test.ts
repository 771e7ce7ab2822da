import {
  GATEWAY_KEY_ID,
  ROSTER_KIND,
  checkRequest,
  decodeBase64,
  enrolmentRequestSchema,
  evaluationRequestSchema,
  evaluationResponseSchema,
  lookupOpenedSchema,
  lookupRequestSchema,
  openDocument,
  registersUpdateSchema,
  rosterSchema,
  ticketCodec,
  utf8ToBytes,
} from '@hitmachine/protocol';
import { describe, expect, it } from 'vitest';
import * as examples from '../../gateway/src/routes/examples.ts';
import type { ApiDocument } from '../support/openapi.ts';
import { reviewDocument } from '../support/openapi.ts';
import { backend, problem } from './support/fixtures.ts';
import { TestGateway } from './support/gateway.ts';

const documentOf = async (): Promise<ApiDocument> => {
  const gateway = await TestGateway.make();
  return (await (await gateway.request('/v1/openapi.json')).json()) as ApiDocument;
};

describe('the OpenAPI document of the gateway', () => {
  it('describes every field, has a valid example of every JSON body, and tells of every refusal', async () => {
    const { complaints, examples: count } = reviewDocument(await documentOf());
    expect(complaints).toEqual([]);
    expect(count).toBeGreaterThan(60);
  });

  it('is reviewed by something that finds what is missing', async () => {
    const { complaints } = reviewDocument(
      JSON.parse(JSON.stringify(await documentOf()), (name, value: unknown) => {
        if (name === 'default' || name === 'WWW-Authenticate') return undefined;
        if (name === 'purpose' && typeof value === 'object') return { type: 'string' };
        return name === 'persons' && value === 1 ? 0 : value;
      }) as ApiDocument,
    );
    expect(complaints).toEqual(
      expect.arrayContaining([
        'LookupRequest.purpose: no description',
        'post /v1/lookups: does not tell of 404 and 405',
        'post /v1/lookups: 401 without WWW-Authenticate',
        expect.stringContaining('post /v1/lookups body application/json: its example is not valid') as string,
      ]),
    );
  });

  it('has examples that a gateway and an agency really exchanged', () => {
    enrolmentRequestSchema.parse(examples.enrolmentRequest);
    registersUpdateSchema.parse(examples.registersUpdate);
    evaluationRequestSchema.parse(examples.evaluationRequest);
    evaluationResponseSchema.parse(examples.evaluationResponse);
    lookupRequestSchema.parse(examples.lookupRequest);
    lookupOpenedSchema.parse(examples.lookupOpened);
    const signer = { keyId: GATEWAY_KEY_ID, publicKey: decodeBase64(examples.roster.gateway.identityKey) };
    const roster = openDocument(backend, ROSTER_KIND, rosterSchema, examples.rosterResponse.roster, signer);
    expect(roster).toEqual(examples.roster);
    const [ticket] = examples.lookupOpened.tickets;
    expect(ticketCodec.decode(decodeBase64(ticket?.ticket ?? ''))).toMatchObject({
      asker: 'politie',
      purpose: examples.lookupRequest.purpose,
    });
    const request = {
      method: 'POST',
      path: '/v1/lookups',
      body: utf8ToBytes(JSON.stringify(examples.lookupRequest)),
    };
    const key = decodeBase64(examples.enrolmentRequest.identityKey);
    const checked = checkRequest(backend, key, examples.signedHeaders, request, examples.roster.issuedAt);
    expect(checked.keyId).toBe('politie');
  });
});

describe('a 401', () => {
  it('says how to prove who you are', async () => {
    const gateway = await TestGateway.make();
    const politie = await gateway.enrolled('politie');
    const unsigned = await gateway.request('/v1/registers', {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(unsigned.headers.get('www-authenticate')).toBe('Signature realm="hitmachine gateway"');
    expect((await problem(unsigned)).status).toBe(401);
    const { lookupId } = await politie.opened(gateway.version);
    const stranger = await gateway.request(`/v1/lookups/${lookupId}/questions`, { method: 'POST' });
    expect(stranger.headers.get('www-authenticate')).toBe('Bearer realm="hitmachine lookup"');
    expect((await problem(stranger)).status).toBe(401);
    const fine = await politie.call('PUT', '/v1/registers', { registers: [] });
    expect(fine.headers.get('www-authenticate')).toBeNull();
  });
});

describe('the address of the gateway in a browser', () => {
  it('is a plain page that leads to what there is', async () => {
    const gateway = await TestGateway.make();
    const response = await gateway.request('/');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/html/);
    const page = await response.text();
    expect(page).toContain('<html lang="nl">');
    const links = [...page.matchAll(/href="([^"]+)"/g)].map(([, path]) => path as string);
    expect(links).toEqual(['/v1/openapi.json', '/v1/roster', '/readyz']);
    for (const path of links) expect((await gateway.request(path)).status).toBe(200);
    expect(page).not.toMatch(/<(script|style|img|link)|style=/);
  });
});
