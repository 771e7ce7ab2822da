import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { serve } from '@hono/node-server';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from '@hono/zod-openapi';
import type { Answer, AnswerLine, Question } from '@hitmachine/client';
import { HitmachineClient, ProblemError } from '@hitmachine/client';
import { JwtAccessTokens } from '../../node-agent/src/adapters/oauth/access-tokens.ts';
import { CaseSystems } from '../../node-agent/src/domain/asking/case-systems.ts';
import type { LookupInput, LookupLine, LookupResult } from '../../node-agent/src/routes/lookup-schemas.ts';
import type { TestClient } from '../support/authorisation-server.ts';
import { AUDIENCE, TestAuthorisationServer, makeClient } from '../support/authorisation-server.ts';
import { KEY, TestApi, body, known, problemOf } from './support/api.ts';
import { ROLE } from './support/policy.ts';

// The client's messages are those of the API: this does not compile when they are not.
type Fits<T extends U, U> = T;
type Changeable<T> = T extends object ? { -readonly [K in keyof T]: Changeable<T[K]> } : T;
export type Checks = [
  Fits<z.infer<typeof LookupResult>, Answer>,
  Fits<Exclude<z.infer<typeof LookupLine>, { type: 'begun' }>, AnswerLine>,
  Fits<Changeable<Question>, z.input<typeof LookupInput>>,
];

let api: TestApi;
let server: TestAuthorisationServer;
let listening: ReturnType<typeof serve>;
let agentUrl: string;
let [good, stranger, unknown] = [] as unknown as [TestClient, TestClient, TestClient];

beforeAll(async () => {
  [good, stranger, unknown] = [
    await makeClient('case-system'),
    await makeClient('not-in-agent-yaml'),
    await makeClient('not-at-the-server'),
  ];
  server = await TestAuthorisationServer.start([good, stranger]);
  api = await TestApi.open(
    new CaseSystems(new JwtAccessTokens({ issuer: server.issuer, audience: AUDIENCE }), 'lookups', [
      { clientId: good.clientId, name: 'Zaaksysteem', roles: [ROLE], purposes: ['casusoverleg-zvh'] },
    ]),
  );
  api.gateway.beforeOpening = () => {
    opened++;
    return Promise.resolve();
  };
  listening = serve({ fetch: api.app.fetch, hostname: '127.0.0.1', port: 0 });
  await new Promise((resolve) => {
    listening.once('listening', resolve);
  });
  agentUrl = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
});

afterAll(async () => {
  listening.close();
  await server.stop();
});

const clientOf = (client: TestClient, more: { scope?: string; audience?: string } = { scope: 'lookups' }) =>
  new HitmachineClient({
    agentUrl,
    credentials: {
      issuer: server.issuer,
      clientId: client.clientId,
      privateKey: client.privateKey,
      audience: AUDIENCE,
      ...more,
    },
  });
const question = (change: object = {}): Question => body(change);
let opened = 0;
const lookups = (): number => opened;

describe('a case system with client credentials', () => {
  it('asks, and gets the answers at once or as they come', async () => {
    const client = clientOf(good);
    const answer = await client.ask(question());
    expect(answer.persons[0]?.registers.map(({ status }) => status)).toEqual(['known']);
    const lines = [];
    for await (const line of client.askStreaming(question())) lines.push(line.type);
    expect(lines).toEqual(['begun', 'opened', 'register', 'end']);
  });

  it('stands in the agency’s log by its name', async () => {
    await clientOf(good).ask(question({ caseReference: 'ZVH-LOG' }));
    const records = await api.node.agencyLog.read(0, 10_000);
    const asking = records.filter(({ event }) => event === 'asking');
    expect(JSON.stringify(asking.at(-1))).toContain('"caseSystem":"Zaaksysteem"');
  });

  it('reads the roster, and nothing else', async () => {
    const client = clientOf(good);
    expect(await client.roster()).toMatchObject({ agencies: expect.any(Array) as unknown });
    const token = await tokenOf(good);
    const response = await api.call('/v1/status', {}, `Bearer ${token}`);
    expect(response.status).toBe(403);
    expect(await problemOf(response)).toMatchObject({ code: 'not-allowed' });
  });

  it.each([
    ['role', { role: 'privacy-officer' }],
    ['purpose', { purpose: 'subject-access' }],
    ['approval.role', { approval: { professional: 'p.peters', role: 'privacy-officer' } }],
  ])(
    'is refused a %s that agent.yaml does not give it, before the policy is looked at',
    async (field, change) => {
      const before = lookups();
      const error: unknown = await clientOf(good)
        .ask(question(change))
        .catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(ProblemError);
      expect((error as ProblemError).problem).toMatchObject({
        code: 'not-allowed',
        rule: 'case-system',
        fields: [{ field }],
      });
      expect(lookups()).toBe(before);
    },
  );

  it.each([
    ['a client that agent.yaml does not name', () => clientOf(stranger), 'not-allowed'],
    ['a token without the scope', () => clientOf(good, {}), 'not-allowed'],
    [
      'a token for another audience',
      () => clientOf(good, { scope: 'lookups', audience: 'https://elsewhere.example' }),
      'unauthorised',
    ],
  ])('refuses %s', async (_, client, code) => {
    const before = lookups();
    await expect(client().ask(question())).rejects.toMatchObject({ problem: { code } });
    expect(lookups()).toBe(before);
  });

  it('does not get a token for a key that the server does not know', async () => {
    await expect(clientOf(unknown).ask(question())).rejects.toThrow();
    await expect(clientOf({ ...good, privateKey: unknown.privateKey }).ask(question())).rejects.toThrow();
  });

  it('refuses a token whose signature, or whose algorithm, was changed', async () => {
    const [head = '', claims = '', signature = ''] = (await tokenOf(good)).split('.');
    const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
    const flipped = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
    for (const token of [
      `${head}.${claims}.${flipped}`,
      `${none}.${claims}.`,
      `${none}.${claims}.${signature}`,
    ]) {
      const response = await api.post(body(), { authorization: `Bearer ${token}` });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toContain('Bearer');
    }
  });

  it('says that the server is away, which is no verdict on the token', async () => {
    const away = await TestApi.open(
      new CaseSystems(
        new JwtAccessTokens({ issuer: 'http://127.0.0.1:9', audience: AUDIENCE }),
        undefined,
        [],
      ),
    );
    const response = await away.post(body(), { authorization: `Bearer ${await tokenOf(good)}` });
    expect(response.status).toBe(503);
    expect(await problemOf(response)).toMatchObject({ code: 'not-ready' });
  });

  it('lets the key of the agent in as before', async () => {
    const response = await api.post(body());
    expect(response.status).toBe(200);
  });
});

describe('a key of the request', () => {
  const post = (key: string, change: object = {}, headers: Record<string, string> = {}) =>
    api.post(body(change), { 'idempotency-key': key, ...headers });

  it('asks once, however often and however fast it is sent', async () => {
    const before = lookups();
    const key = randomUUID();
    const responses = await Promise.all([post(key), post(key), post(key)]);
    const texts = await Promise.all(responses.map((response) => response.text()));
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(texts).size).toBe(1);
    const stream = await post(key, {}, { accept: 'application/x-ndjson' });
    expect(await stream.text()).toContain('"type":"end"');
    expect(lookups()).toBe(before + 1);
  });

  it('goes on asking when the caller has gone', async () => {
    const before = lookups();
    const key = randomUUID();
    const response = await post(key, {}, { accept: 'application/x-ndjson' });
    await response.body?.cancel();
    const again = await post(key);
    expect(((await again.json()) as Answer).complete).toBe(true);
    expect(lookups()).toBe(before + 1);
  });

  it('is not another question', async () => {
    const before = lookups();
    const key = randomUUID();
    await post(key);
    const response = await post(key, { caseReference: 'ZVH-2' });
    expect(response.status).toBe(409);
    expect(await problemOf(response)).toMatchObject({
      code: 'already-exists',
      fields: [{ field: 'Idempotency-Key' }],
    });
    expect(lookups()).toBe(before + 1);
  });

  it('may be used again after a refusal', async () => {
    const key = randomUUID();
    expect((await post(key, { role: 'nobody' })).status).toBe(403);
    expect((await post(key)).status).toBe(200);
  });

  it('is remembered over a restart, and then never asks in silence', async () => {
    const key = randomUUID();
    await post(key);
    const before = lookups();
    // Another process of the same agent: what came out was in memory alone.
    const restarted = api.again();
    const response = await restarted.post(body(), { 'idempotency-key': key });
    expect(response.status).toBe(409);
    expect((await problemOf(response)).detail).toMatch(
      /is being asked by another process of this agent since \d{4}-/,
    );
    expect(lookups()).toBe(before);
  });

  it('is another one for each case system', async () => {
    const before = lookups();
    const key = randomUUID();
    await post(key);
    await clientOf(good).ask(question(), { idempotencyKey: key });
    expect(lookups()).toBe(before + 2);
  });

  it.each(['short', '999990019-------', 'a key with spaces in it', 'x'.repeat(256)])(
    'is refused as %j',
    async (key) => {
      const response = await post(key);
      expect(response.status).toBe(400);
      expect((await problemOf(response)).fields?.[0]?.field).toMatch(/idempotency-key/i);
    },
  );

  it('stands in the database as a pseudonym, and so does the question', async () => {
    const key = randomUUID();
    await post(key);
    const rows = JSON.stringify(api.node.database.prepare('SELECT * FROM idempotency_keys').all());
    expect(rows).not.toContain(key);
    expect(rows).not.toContain(known);
  });
});

async function tokenOf({ clientId, privateKey }: TestClient): Promise<string> {
  const { PrivateKeyJwt, allowInsecureRequests, clientCredentialsGrant, discovery } =
    await import('openid-client');
  const found = await discovery(new URL(server.issuer), clientId, undefined, PrivateKeyJwt(privateKey), {
    execute: [allowInsecureRequests],
  });
  const { access_token } = await clientCredentialsGrant(found, { resource: AUDIENCE, scope: 'lookups' });
  return access_token;
}

describe('the page for developers', () => {
  it('is open to all, runs no scripts, and tells of every address of the API', async () => {
    const response = await api.app.request('/developers');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-security-policy')).toMatch(/default-src 'none'; style-src 'sha256-/);
    const page = await response.text();
    expect(page).not.toContain('<script');
    const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(page) ?? [];
    const hash = createHash('sha256').update(style).digest('base64');
    expect(response.headers.get('content-security-policy')).toContain(`'sha256-${hash}'`);
    const { paths } = (await (await api.app.request('/v1/openapi.json')).json()) as { paths: object };
    for (const path of Object.keys(paths)) expect(page).toContain(path);
  });

  it('has an example that asks', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'example-'));
    writeFileSync(join(folder, 'question.json'), JSON.stringify(body()));
    writeFileSync(join(folder, 'api-key'), KEY);
    const { stdout } = await promisify(execFile)(process.execPath, [
      fileURLToPath(new URL('../../protocol/client/example/ask.ts', import.meta.url)),
      ...['--agent', agentUrl, '--api-key-file', join(folder, 'api-key'), join(folder, 'question.json')],
    ]);
    rmSync(folder, { recursive: true });
    expect(stdout).toMatch(/^lookup \S+\n {2}1 {2}politie\/\S+: known .*\ncomplete\n$/);
  });
});
