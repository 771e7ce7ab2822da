import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIMITS, Secret } from '@hitmachine/protocol';
import { createApp } from '../../node-agent/src/app.ts';
import { statusOf } from '../../node-agent/src/domain/status.ts';
import { StandInGateway } from './support/gateway.ts';
import { TestNode, numbers } from './support/node.ts';

const KEY = 'sleutel-van-deze-agent-0123456789';
const [known] = numbers(1, 210_000_000) as [string];
const MARK = 'merkteken';

interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly code: string;
  readonly fields?: readonly { readonly field: string; readonly detail: string }[];
}

describe("the agency's own API", () => {
  const gateway = new StandInGateway();
  let node: TestNode;
  let app: ReturnType<typeof createApp>;
  let connected = true;

  beforeAll(async () => {
    node = await TestNode.join(gateway, 'politie');
    await node.import([known]);
    await node.upkeep();
    app = createApp({
      service: node.service,
      roster: node.roster,
      status: () =>
        statusOf({
          membership: node.state.membership()!,
          roster: node.roster,
          tables: node.tables,
          canaries: node.canaries,
          pseudonyms: node.pseudonyms,
          connection: {
            state: () => ({ connected, since: gateway.now, problem: connected ? undefined : 'connecting' }),
            close: async () => undefined,
          },
          registers: node.registers,
          keys: node.keys,
        }),
      apiKey: new Secret(KEY),
      log: node.log,
    });
  });

  afterAll(() => node.close());

  const body = (change: object = {}) => ({
    purpose: 'casusoverleg-zvh',
    caseReference: 'ZVH-1',
    professional: 'j.jansen',
    persons: [{ bsn: known }],
    ...change,
  });
  const call = async (path: string, init: RequestInit = {}, key = `Bearer ${KEY}`): Promise<Response> =>
    app.request(path, {
      ...init,
      headers: { authorization: key, ...(init.headers as Record<string, string>) },
    });
  const post = (content: unknown, headers: Record<string, string> = {}) =>
    call('/v1/lookups', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof content === 'string' ? content : JSON.stringify(content),
    });
  const problemOf = async (response: Response): Promise<Problem> => {
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    const problem = (await response.json()) as Problem;
    expect(problem.status).toBe(response.status);
    expect(problem).toMatchObject({
      type: `urn:hitmachine:error:${problem.code}`,
      title: expect.any(String) as string,
    });
    return problem;
  };

  it('answers a lookup', async () => {
    const response = await post(
      body({ persons: [{ ref: 'kind 1', bsn: known }, { bsn: numbers(1, 220_000_000)[0] }] }),
    );
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      lookupId: expect.stringMatching(/^[\w-]{22}$/) as string,
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
    const response = await post(body(), { accept: 'application/x-ndjson' });
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = (await response.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect(lines).toMatchObject([
      { type: 'opened', purpose: { code: 'casusoverleg-zvh' } },
      { type: 'register', persons: [{ ref: '1', register: 'politie/incidenten', status: 'known' }] },
      { type: 'end', complete: true },
    ]);
  });

  it('says in the lines that follow when a lookup fails after all, and logs why', async () => {
    gateway.beforeOpening = async () => {
      throw new Error(`a fault with ${MARK} in it`);
    };
    const response = await post(body(), { accept: 'application/x-ndjson' });
    gateway.beforeOpening = async () => undefined;
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ type: 'problem', problem: { status: 500, code: 'internal' } });
    expect(text).not.toContain(MARK);
    expect(node.log.lines.at(-1)).toMatchObject({ level: 'error', event: 'internal-error' });
  });

  it('says nothing of the inside when there is a fault', async () => {
    gateway.beforeOpening = async () => {
      throw new Error(`a fault with ${MARK} in it`);
    };
    const response = await post(body());
    gateway.beforeOpening = async () => undefined;
    expect(response.status).toBe(500);
    expect(JSON.stringify(await problemOf(response))).not.toContain(MARK);
  });

  it('asks nothing that it could not log', async () => {
    const before = gateway.deliveries.length;
    node.database.exec('PRAGMA query_only = ON');
    const response = await post(body());
    node.database.exec('PRAGMA query_only = OFF');
    expect((await problemOf(response)).code).toBe('storage-failed');
    expect(response.status).toBe(503);
    expect(gateway.deliveries.length).toBe(before);
    expect(node.log.lines.at(-1)).toMatchObject({ event: 'request-failed', code: 'storage-failed' });
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
      const response = await call(path, { method }, key);
      expect(response.status).toBe(401);
      expect((await problemOf(response)).code).toBe('unauthorised');
    }
  });

  it('lets everybody see whether it is alive and ready, and how it is called', async () => {
    for (const path of ['/healthz', '/readyz', '/v1/openapi.json'])
      expect((await call(path, {}, '')).status).toBe(200);
    connected = false;
    const response = await call('/readyz', {}, '');
    connected = true;
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({
      status: 'not ready',
      problems: ['not connected to the gateway: connecting'],
    });
  });

  it('does not become unreadable when this agency is taken off the roster', async () => {
    const entry = gateway.agencies.get('politie')!;
    gateway.agencies.delete('politie');
    gateway.version++;
    node.roster.accept(gateway.sign());
    const status = await call('/v1/status');
    const ready = await call('/readyz');
    gateway.put(entry);
    node.roster.accept(gateway.sign());
    expect(status.status).toBe(200);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ problems: ['this agency is not on the roster (any more)'] });
  });

  it('tells when the gateway put another session key for this agency on the roster', async () => {
    const entry = gateway.agencies.get('politie')!;
    const other = await TestNode.join(new StandInGateway(), 'politie');
    gateway.put({ ...entry, sessionKey: other.keys.sessionKey });
    node.roster.accept(gateway.sign());
    const ready = await call('/readyz');
    gateway.put(entry);
    node.roster.accept(gateway.sign());
    expect(JSON.stringify(await ready.json())).toContain('holds other keys for this agency');
    await other.close();
  });

  it('carries the headers of the Dutch API design rules on every reply', async () => {
    const replies = await Promise.all([
      call('/healthz'),
      call('/v1/nothing'),
      call('/v1/status', {}, ''),
      call('/v1/lookups', { method: 'DELETE' }),
      post('{'),
      post(body()),
    ]);
    for (const { headers } of replies) {
      expect(headers.get('api-version')).toBe('0.1.0');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('strict-transport-security')).toContain('max-age=31536000');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  it('knows its addresses and their methods', async () => {
    expect((await problemOf(await call('/v1/nothing'))).code).toBe('not-found');
    expect((await problemOf(await call('/'))).code).toBe('not-found');
    expect((await problemOf(await call('/v1/lookups/'))).code).toBe('not-found');
    for (const [path, allow] of [
      ['/v1/lookups', 'POST'],
      ['/v1/status', 'GET'],
      ['/v1/openapi.json', 'GET'],
      ['/healthz', 'GET'],
    ] as const)
      for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS', allow === 'GET' ? 'POST' : 'GET']) {
        const response = await call(path, { method });
        expect(response.headers.get('allow')).toBe(allow);
        expect((await problemOf(response)).code).toBe('method-not-allowed');
      }
  });

  it('takes JSON alone, and says what is wrong with the rest', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])
      expect((await problemOf(await post(body(), { 'content-type': type }))).code).toBe(
        'unsupported-media-type',
      );
    const none = await call('/v1/lookups', { method: 'POST', body: new Uint8Array(Buffer.from('{}')) });
    expect((await problemOf(none)).status).toBe(415);
    expect((await post(body(), { 'content-type': 'Application/JSON; charset=utf-8' })).status).toBe(200);
    for (const broken of ['{', '', '{"persons": [{"bsn": "123456782"}', `{"${MARK}`, 'nul']) {
      const problem = await problemOf(await post(broken));
      expect(problem.code).toBe('malformed');
      expect(JSON.stringify(problem)).not.toMatch(/123456782|merkteken/);
    }
    for (const other of ['null', '[]', '"text"', '1'])
      expect((await problemOf(await post(other))).status).toBe(400);
  });

  it('refuses a body that is too large, also one that does not say how long it is', async () => {
    const large = JSON.stringify(body({ caseReference: 'x'.repeat(LIMITS.jsonBytes) }));
    const told = await post(large, { 'content-length': String(large.length) });
    expect((await problemOf(told)).code).toBe('body-too-large');
    expect(told.status).toBe(413);
    const streamed = await call('/v1/lookups', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new Blob([large]).stream(),
      duplex: 'half',
    });
    expect((await problemOf(streamed)).code).toBe('body-too-large');
  });

  const wrongs: [string, object, string[], string][] = [
    ['no persons', { persons: [] }, ['persons'], 'field-invalid'],
    [
      'too many persons',
      { persons: Array.from({ length: 33 }, () => ({ bsn: known })) },
      ['persons'],
      'field-invalid',
    ],
    [
      'a number that is one digit off',
      { persons: [{ bsn: known }, { bsn: '123456789' }] },
      ['persons.1.bsn'],
      'bsn-invalid',
    ],
    ['a number as a JSON number', { persons: [{ bsn: 123456782 }] }, ['persons.0.bsn'], 'field-invalid'],
    ['a person without anything', { persons: [{}] }, ['persons.0'], 'person-without-token'],
    [
      'a name without a birth date',
      { persons: [{ name: { surname: MARK } }] },
      ['persons.0.birthDate'],
      'person-without-token',
    ],
    [
      'a birth date without a name',
      { persons: [{ birthDate: '1990-01-01' }] },
      ['persons.0.name'],
      'person-without-token',
    ],
    [
      'a birth date that is none',
      { persons: [{ name: { surname: MARK }, birthDate: '31-02-1990' }] },
      ['persons.0.birthDate'],
      'birth-date-invalid',
    ],
    [
      'several kinds of mistakes',
      { persons: [{ bsn: '123456789', address: { postcode: MARK, number: '12' } }] },
      ['persons.0.bsn', 'persons.0.address.postcode'],
      'field-invalid',
    ],
    [
      'a field that is not known',
      { persons: [{ bsn: known, shoesize: MARK }] },
      ['persons.0'],
      'field-invalid',
    ],
    ['a field that is not known at the top', { reason: MARK }, ['(body)'], 'field-invalid'],
    ['a name that is a text', { persons: [{ name: MARK }] }, ['persons.0.name'], 'field-invalid'],
    [
      'a token type that is not known',
      { persons: [{ identifiers: { [MARK]: MARK } }] },
      ['persons.0.identifiers'],
      'field-invalid',
    ],
    ['an unknown purpose', { purpose: MARK }, ['purpose'], 'unknown-purpose'],
    ['the purpose of the canary', { purpose: 'canary' }, ['purpose'], 'unknown-purpose'],
    ['no purpose', { purpose: undefined }, ['purpose'], 'field-invalid'],
    ['an empty case reference', { caseReference: '   ' }, ['caseReference'], 'field-invalid'],
    [
      'an unknown register',
      { registers: ['politie/incidenten', `${MARK}/x`] },
      ['registers.1'],
      'unknown-register',
    ],
    [
      'a register twice',
      { registers: ['politie/incidenten', 'politie/incidenten'] },
      ['registers.1'],
      'unknown-register',
    ],
    ['no registers', { registers: [] }, ['registers'], 'field-invalid'],
  ];

  it.each(wrongs)('refuses %s, names the field and repeats nothing', async (_, change, fields, code) => {
    const before = gateway.deliveries.length;
    const problem = await problemOf(await post(body(change)));
    expect(problem.code).toBe(code);
    expect(problem.status).toBe(400);
    expect(problem.fields?.map(({ field }) => field)).toEqual(fields);
    expect(problem.detail.length).toBeGreaterThan(5);
    expect(JSON.stringify(problem)).not.toMatch(/merkteken|123456789|123456782|31-02-1990/);
    expect(gateway.deliveries.length).toBe(before);
  });

  it('describes itself: every route, with its problems', async () => {
    const document = (await (await call('/v1/openapi.json')).json()) as {
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
      info: { title: expect.any(String) as string, version: '0.1.0' },
    });
    expect(document.components.securitySchemes).toHaveProperty('key');
    const routes = app.routes
      .filter(({ method, path }) => method !== 'ALL' && path !== '/v1/openapi.json')
      .map(({ method, path }) => `${method.toLowerCase()} ${path}`);
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
    const roster = (await (await call('/v1/roster')).json()) as object;
    expect(roster).toMatchObject({ version: gateway.version, agencies: [{ id: 'politie' }] });
    expect(JSON.stringify(roster)).not.toMatch(/identityKey|sessionKey/);
  });
});
