import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEY, MARK, TestApi, body, known, problemOf } from './support/api.ts';
import { StandInGateway } from './support/gateway.ts';
import { TestNode, numbers } from './support/node.ts';

describe("the agency's own API", () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await TestApi.open();
  });

  afterAll(() => api.node.close());

  it('answers a lookup', async () => {
    const response = await api.post(
      body({ persons: [{ ref: 'kind 1', bsn: known }, { bsn: numbers(1, 220_000_000)[0] }] }),
    );
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      lookupIds: [expect.stringMatching(/^[\w-]{22}$/) as string],
      complete: true,
      purpose: { code: 'casusoverleg-zvh', legalBasis: 'WGS' },
      persons: [
        {
          ref: 'kind 1',
          registers: [
            {
              register: 'politie/incidenten',
              status: 'known',
              matchedOn: ['bsn'],
              contact: { telephone: '024 000 00 00' },
            },
          ],
        },
        { ref: '2', registers: [{ status: 'not-known' }] },
      ],
    });
  });

  it('answers line by line when asked to, and ends with whether it is complete', async () => {
    const response = await api.post(body(), { accept: 'application/x-ndjson' });
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = (await response.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect(lines).toMatchObject([
      { type: 'begun', purpose: { code: 'casusoverleg-zvh' }, persons: [{ ref: '1', notAsked: [] }] },
      { type: 'opened', refs: ['1'] },
      { type: 'register', persons: [{ ref: '1', register: 'politie/incidenten', status: 'known' }] },
      { type: 'end', complete: true },
    ]);
  });

  it('says in the lines that follow when a lookup fails after all, and logs why', async () => {
    api.gateway.beforeOpening = async () => {
      throw new Error(`a fault with ${MARK} in it`);
    };
    const response = await api.post(body(), { accept: 'application/x-ndjson' });
    api.gateway.beforeOpening = async () => undefined;
    const text = await response.text();
    const last = text.trim().split('\n').at(-1)!;
    expect(JSON.parse(last)).toMatchObject({ type: 'problem', problem: { status: 500, code: 'internal' } });
    expect(text).not.toContain(MARK);
    expect(api.node.log.lines.at(-1)).toMatchObject({ level: 'error', event: 'internal-error' });
  });

  it('says nothing of the inside when there is a fault', async () => {
    api.gateway.beforeOpening = async () => {
      throw new Error(`a fault with ${MARK} in it`);
    };
    const response = await api.post(body());
    api.gateway.beforeOpening = async () => undefined;
    expect(response.status).toBe(500);
    expect(JSON.stringify(await problemOf(response))).not.toContain(MARK);
  });

  it('asks nothing that it could not log', async () => {
    const before = api.gateway.deliveries.length;
    api.node.database.exec('PRAGMA query_only = ON');
    const response = await api.post(body());
    api.node.database.exec('PRAGMA query_only = OFF');
    expect((await problemOf(response)).code).toBe('storage-failed');
    expect(response.status).toBe(503);
    expect(api.gateway.deliveries.length).toBe(before);
    expect(api.node.log.lines.at(-1)).toMatchObject({ event: 'request-failed', code: 'storage-failed' });
  });

  it.each([
    ['no key', ''],
    ['a wrong key', `Bearer ${KEY.slice(0, -1)}X`],
    ['a key that is too short', `Bearer ${KEY.slice(0, 5)}`],
    ['a key that is too long', `Bearer ${KEY}X`],
    ['an empty key', 'Bearer '],
    ['another scheme', `Basic ${KEY}`],
    ['a key without its scheme', KEY],
    ['a key that is not ASCII', `Bearer ${KEY}\u00e9`],
  ])('lets nobody in with %s', async (_, key) => {
    for (const [path, method] of [
      ['/v1/lookups', 'POST'],
      ['/v1/roster', 'GET'],
      ['/v1/status', 'GET'],
      ['/v1/anything', 'GET'],
    ] as const) {
      const response = await api.call(path, { method }, key);
      expect(response.status).toBe(401);
      expect((await problemOf(response)).code).toBe('unauthorised');
    }
  });

  it('lets everybody see whether it is alive and ready, and how it is called', async () => {
    for (const path of ['/healthz', '/readyz', '/v1/openapi.json'])
      expect((await api.call(path, {}, '')).status).toBe(200);
    api.connected = false;
    const response = await api.call('/readyz', {}, '');
    api.connected = true;
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({
      status: 'not ready',
      problems: ['not connected to the gateway: connecting'],
    });
  });

  it('calls no register answering that nobody can reach', async () => {
    const stateOf = async () =>
      ((await (await api.call('/v1/status')).json()) as { registers: { state: string }[] }).registers[0]!
        .state;
    expect(await stateOf()).toBe('answering');
    api.connected = false;
    const state = await stateOf();
    api.connected = true;
    expect(state).toBe('not-connected');
  });

  it('does not become unreadable when this agency is taken off the roster', async () => {
    const entry = api.gateway.agencies.get('politie')!;
    api.gateway.agencies.delete('politie');
    api.gateway.version++;
    await api.node.roster.accept(api.gateway.sign());
    const status = await api.call('/v1/status');
    const ready = await api.call('/readyz');
    api.gateway.put(entry);
    await api.node.roster.accept(api.gateway.sign());
    expect(status.status).toBe(200);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ problems: ['this agency is not on the roster (any more)'] });
  });

  it('tells when the gateway put another session key for this agency on the roster', async () => {
    const entry = api.gateway.agencies.get('politie')!;
    const other = await TestNode.join(new StandInGateway(), 'politie');
    api.gateway.put({ ...entry, sessionKey: other.keys.sessionKey });
    await api.node.roster.accept(api.gateway.sign());
    const ready = await api.call('/readyz');
    api.gateway.put(entry);
    await api.node.roster.accept(api.gateway.sign());
    expect(JSON.stringify(await ready.json())).toContain('holds other keys for this agency');
    await other.close();
  });

  it('carries the headers of the Dutch API design rules on every reply', async () => {
    const replies = await Promise.all([
      api.call('/healthz'),
      api.call('/v1/nothing'),
      api.call('/v1/status', {}, ''),
      api.call('/v1/lookups', { method: 'DELETE' }),
      api.post('{'),
      api.post(body()),
    ]);
    for (const { headers } of replies) {
      expect(headers.get('api-version')).toBe('1.0.0');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('strict-transport-security')).toContain('max-age=31536000');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  it('knows its addresses and their methods', async () => {
    expect((await problemOf(await api.call('/v1/nothing'))).code).toBe('not-found');
    expect((await problemOf(await api.call('/v1/lookups/'))).code).toBe('not-found');
    for (const [path, allow] of [
      ['/v1/lookups', 'POST'],
      ['/v1/status', 'GET'],
      ['/v1/openapi.json', 'GET'],
      ['/healthz', 'GET'],
    ] as const)
      for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS', allow === 'GET' ? 'POST' : 'GET']) {
        const response = await api.call(path, { method });
        expect(response.headers.get('allow')).toBe(allow);
        expect((await problemOf(response)).code).toBe('method-not-allowed');
      }
  });

  it('describes itself: every route, with its problems', async () => {
    const document = (await (await api.call('/v1/openapi.json')).json()) as {
      openapi: string;
      info: object;
      components: { schemas: object; securitySchemes: object };
      paths: Record<
        string,
        Record<
          string,
          { operationId: string; security?: object[]; responses: Record<string, { content?: object }> }
        >
      >;
    };
    expect(document).toMatchObject({
      openapi: '3.1.0',
      info: { title: expect.any(String) as string, version: '1.0.0' },
    });
    expect(document.components.securitySchemes).toHaveProperty('key');
    const routes = api.app.routes
      .filter(({ method, path }) => method !== 'ALL' && path !== '/v1/openapi.json')
      .map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, '{$1}')}`);
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect([...new Set(described)].sort()).toEqual([...new Set(routes)].sort());
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    const names = operations.map(({ operationId }) => operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const { responses } of operations)
      for (const [status, { content }] of Object.entries(responses))
        if (Number(status) >= 400 && status !== '503')
          expect(Object.keys(content ?? {})).toEqual(['application/problem+json']);
    const text = JSON.stringify(document);
    for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g))
      expect(document.components.schemas).toHaveProperty(name!);
    expect(Object.keys(document.paths['/v1/lookups']!['post']!.responses)).toEqual(
      expect.arrayContaining(['200', '400', '401', '409', '413', '415', '429', '502', '503']),
    );
  });

  it('shows the roster without keys', async () => {
    const roster = (await (await api.call('/v1/roster')).json()) as object;
    expect(roster).toMatchObject({ version: api.gateway.version, agencies: [{ id: 'politie' }] });
    expect(JSON.stringify(roster)).not.toMatch(/identityKey|sessionKey/);
  });
});
