import { ERRORS, HitError, LIMITS } from '@hitmachine/protocol';
import { describe, expect, it } from 'vitest';
import { MemoryAuditLog } from '../../gateway/src/adapters/memory/audit-log.ts';
import { RESPONSE_HEADERS } from '../../gateway/src/routes/headers.ts';
import { problem } from './support/fixtures.ts';
import { TestGateway } from './support/gateway.ts';

interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown> };
  openapi: string;
}
interface Operation {
  operationId: string;
  parameters?: { name: string; in: string; required: boolean }[];
  responses: Record<string, { description: string; content?: Record<string, { schema: unknown }> }>;
}

describe('every response', () => {
  it.each([
    ['GET', '/', 200],
    ['GET', '/healthz', 200],
    ['GET', '/readyz', 200],
    ['GET', '/v1/roster', 200],
    ['GET', '/v1/openapi.json', 200],
    ['GET', '/nothing', 404],
    ['GET', '/v1/roster/', 404],
    ['DELETE', '/v1/roster', 405],
    ['POST', '/v1/lookups', 415],
    ['GET', '/v1/connect', 400],
  ])('to %s %s (%i) has the security headers and the version', async (method, path, status) => {
    const gateway = await TestGateway.make();
    const response = await gateway.request(path, { method });
    expect(response.status).toBe(status);
    for (const [name, value] of Object.entries(RESPONSE_HEADERS))
      expect(response.headers.get(name)).toBe(value);
    if (status >= 400) expect(await problem(response)).toMatchObject({ status });
  });
});

describe('a refusal', () => {
  it('names the methods that an address takes', async () => {
    const gateway = await TestGateway.make();
    for (const [method, path, allow] of [
      ['POST', '/v1/roster', 'GET, HEAD'],
      ['GET', '/v1/lookups', 'POST'],
      ['PATCH', '/v1/registers', 'PUT'],
      ['PUT', '/v1/lookups/abc/questions', 'POST'],
    ] as const) {
      const response = await gateway.request(path, { method });
      expect(response.headers.get('allow')).toBe(allow);
      expect(await problem(response)).toMatchObject({ status: 405, code: 'method-not-allowed' });
    }
  });

  it('of a wrong content type says which is wanted', async () => {
    const gateway = await TestGateway.make();
    const response = await gateway.request('/v1/enrolments', {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: '{}',
    });
    expect(await problem(response)).toMatchObject({ status: 415, code: 'unsupported-media-type' });
  });

  it('of malformed JSON is a problem document', async () => {
    const gateway = await TestGateway.make();
    for (const body of ['{', '', '\xff']) {
      const headers = { 'content-type': 'application/json; charset=utf-8' };
      const response = await gateway.request('/v1/enrolments', { method: 'POST', headers, body });
      expect(await problem(response)).toMatchObject({ status: 400, code: 'malformed' });
    }
    const politie = await gateway.enrolled('politie');
    const signed = await politie.call('PUT', '/v1/registers', new TextEncoder().encode('[}'));
    expect(await problem(signed)).toMatchObject({ status: 400, code: 'malformed' });
  });

  it('of a body that is too large comes before it is read', async () => {
    const gateway = await TestGateway.make();
    let read = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        read += 65_536;
        controller.enqueue(new Uint8Array(65_536));
      },
    });
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: endless, duplex: 'half' } as RequestInit;
    expect(await problem(await gateway.request('/v1/enrolments', init))).toMatchObject({
      status: 413,
      code: 'body-too-large',
    });
    expect(read).toBeLessThan(4 * LIMITS.jsonBytes);
    const announced = await gateway.request('/v1/enrolments', {
      method: 'POST',
      headers: { ...headers, 'content-length': String(LIMITS.jsonBytes + 1) },
      body: '{}',
    });
    expect(await problem(announced)).toMatchObject({ status: 413, code: 'body-too-large' });
  });

  it('that nobody foresaw shows nothing of its cause, and logs it', async () => {
    const gateway = await TestGateway.make({
      deps: {
        nonces: {
          use() {
            throw new Error('inner detail');
          },
        },
      },
    });
    const politie = await gateway.enrolled('politie');
    const refused = await problem(await politie.call('PUT', '/v1/registers', { registers: [] }));
    expect(refused).toEqual({
      type: 'urn:hitmachine:error:internal',
      status: 500,
      title: ERRORS.internal.title,
      detail: ERRORS.internal.title,
      code: 'internal',
    });
    expect(JSON.stringify(gateway.lines.filter(({ event }) => event === 'request-failed'))).toContain(
      'inner detail',
    );
  });
});

describe('readiness', () => {
  it('is gone when nothing can be logged, and when the gateway stops', async () => {
    class FullAuditLog extends MemoryAuditLog {
      override probe(): Promise<void> {
        return Promise.reject(new HitError('storage-failed'));
      }
    }
    const full = await TestGateway.make({ auditLog: new FullAuditLog() });
    expect(await problem(await full.request('/readyz'))).toMatchObject({
      status: 503,
      code: 'storage-failed',
    });
    expect((await full.request('/healthz')).status).toBe(200);
    const stopping = await TestGateway.make({ deps: { stopping: () => true } });
    expect(await problem(await stopping.request('/readyz'))).toMatchObject({
      status: 503,
      code: 'not-ready',
    });
  });
});

describe('the OpenAPI document', () => {
  const document = async (): Promise<{ gateway: TestGateway; document: Document }> => {
    const gateway = await TestGateway.make();
    return { gateway, document: (await (await gateway.request('/v1/openapi.json')).json()) as Document };
  };

  it('lists every route, and only routes', async () => {
    const { gateway, document: api } = await document();
    const mounted = gateway.app.routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    const listed = Object.entries(api.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(listed.length).toBeGreaterThanOrEqual(10);
    expect(listed.sort()).toEqual([...new Set(mounted)].sort());
  });

  it('is complete: identifiers, parameters, problems and schemas', async () => {
    const { document: api } = await document();
    expect(api.openapi).toMatch(/^3\.1\./);
    const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
      Object.values(methods).map((operation) => ({ path, operation })),
    );
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length);
    for (const { path, operation } of operations) {
      const parameters = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const described =
        operation.parameters?.filter((one) => one.in === 'path').map(({ name }) => name) ?? [];
      expect(described).toEqual(parameters);
      for (const [status, response] of Object.entries(operation.responses))
        if (Number(status) >= 400)
          expect(response.content).toEqual({
            'application/problem+json': {
              schema: { $ref: '#/components/schemas/Problem' },
              examples: expect.any(Object) as object,
            },
          });
    }
    const references = [...JSON.stringify(api).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
      (match) => match[1],
    );
    expect(references.length).toBeGreaterThan(10);
    for (const name of references) expect(Object.keys(api.components.schemas)).toContain(name);
  });
});
