import { once } from 'node:events';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createSuite, encodeBase64, loadSodium, randomScalar } from '@hitmachine/protocol';
import { runCli } from '../../gateway/src/cli/program.ts';
import { secureRandom } from '../../node-agent/src/random.ts';
import { CONTENT, HandOverSetting, KEY } from './support/hand-over-setting.ts';
import { numbers } from './support/node.ts';

const clients = numbers(340, 420_000_000);
const row = (bsn: string, until = ''): string => `K${bsn};${bsn};${until}`;
const rows = (from: number, to: number): string[] => clients.slice(from, to).map((bsn) => row(bsn));

describe('an import on another machine of the agency, at a real gateway', () => {
  let setting: HandOverSetting;

  beforeAll(async () => {
    setting = await HandOverSetting.start();
  });
  beforeEach(() => setting.settings());
  afterAll(() => setting.close());

  it('makes the agent answer as if it had been done there, and a difference costs no evaluation', async () => {
    expect(await setting.run(rows(0, 300))).toMatchObject({ clients: 300, all: 300 });
    expect(setting.elements).toBe(301);
    expect(await setting.answer(clients[7])).toBe('known');
    expect(await setting.answer(clients[301])).toBe('not-known');
    const before = setting.held();
    expect(await setting.run(rows(0, 300))).toMatchObject({ added: 0, removed: 0, unchanged: 300 });
    expect(setting.elements).toBe(0);
    expect(setting.held()).toBe(before);
    expect(await setting.run(rows(5, 302))).toMatchObject({ added: 2, removed: 5, unchanged: 295 });
    expect(setting.elements).toBe(2);
    expect(await setting.answer(clients[0])).toBe('not-known');
    expect(await setting.answer(clients[301])).toBe('known');
    // The same as an import of the same clients by the agent itself.
    const made = setting.held();
    const file = join(setting.folder, 'same.csv');
    writeFileSync(file, ['bsn', ...clients.slice(5, 302)].join('\n'));
    await setting.agency.run('import', file, '--register', 'zaken');
    expect(setting.held()).toBe(made);
    // Now the register holds what this machine did not hand over: all is sent, and nothing evaluated but the canary.
    expect(await setting.run(rows(5, 302))).toMatchObject({ all: 297 });
    expect(setting.held()).toBe(made);
    expect(setting.elements).toBe(1);
  });

  it('keeps ends and protected clients on this machine, and passes on what comes of them', async () => {
    await setting.run(rows(0, 20), '--allow-shrink');
    expect(await setting.run([...rows(0, 19), row(clients[19]!, '2020-01-01')])).toMatchObject({
      ended: 1,
      removed: 1,
    });
    const lasting = [...rows(0, 18), row(clients[18]!, '2999-12-31')];
    expect(await setting.run(lasting)).toMatchObject({ added: 0, removed: 0, unchanged: 19 });
    expect(setting.held()).toContain('2999-12-31');
    expect(await setting.run(rows(0, 19))).toMatchObject({ added: 0, removed: 0 });
    expect(setting.held()).not.toContain('2999-12-31');
    writeFileSync(join(setting.folder, 'protected.txt'), `K${clients[3]}\n`);
    setting.settings('zaken', '    protected: { file: protected.txt }\n');
    expect(await setting.run(rows(0, 19))).toMatchObject({ protected: 1, removed: 1 });
    expect(await setting.answer(clients[3])).toBe('not-known');
  });

  it('changes nothing in a trial, nor when too many would be gone, here or at the agent', async () => {
    await setting.run(rows(0, 50), '--allow-shrink');
    const before = setting.held();
    expect(await setting.run(rows(10, 60), '--dry-run')).toMatchObject({
      added: 10,
      removed: 10,
      unchanged: 40,
    });
    const { code, err } = await setting.tryRun(rows(0, 10));
    expect([code, err]).toEqual([1, expect.stringMatching(/holds 50 clients and the source has 10/)]);
    const { value } = await setting.send('GET', CONTENT);
    const forced = { type: 'begin', evaluationKey: value['evaluationKey'], base: value['base'] };
    const few = { ...forced, difference: false, clients: 1, allowShrink: false };
    expect(
      await setting.send('PUT', CONTENT, `${JSON.stringify(few)}\n{"type":"end","elements":0}\n`),
    ).toMatchObject({
      status: 400,
      value: { code: 'import-invalid' },
    });
    expect(setting.held()).toBe(before);
    expect(await setting.run(rows(10, 60))).toMatchObject({ added: 10, removed: 10, unchanged: 40 });
  });

  it('changes nothing when it is cut off, comes twice, or is for another content', async () => {
    await setting.run(rows(0, 50), '--allow-shrink');
    const before = setting.held();
    const { value } = await setting.send('GET', CONTENT);
    const { base, evaluationKey } = value;
    const begin = { type: 'begin', evaluationKey, base, difference: true, clients: 50, allowShrink: true };
    const element = evaluationKey as string;
    const lines = [
      JSON.stringify({ ...begin }),
      JSON.stringify({ type: 'add', tokenType: 'bsn', elements: element, until: [null] }),
      JSON.stringify({ type: 'end', elements: 1 }),
    ];
    const whole = `${lines.join('\n')}\n`;
    for (const cut of [0, 10, lines[0]!.length + 1, whole.length - 30, whole.length - 1])
      expect(await setting.send('PUT', CONTENT, whole.slice(0, cut))).toMatchObject({
        status: 400,
        value: { code: 'malformed' },
      });
    for (const elements of [Buffer.alloc(32, 0xff), Buffer.alloc(32), Buffer.alloc(31, 1)]) {
      const wrong = whole.replace(
        `"elements":"${element}"`,
        `"elements":"${elements.toString('base64url')}"`,
      );
      expect(await setting.send('PUT', CONTENT, wrong)).toMatchObject({ status: 400 });
    }
    // Lines without end would fill the disk that the agency's log needs.
    const { value: refused } = await setting.send(
      'PUT',
      CONTENT,
      whole.replace('"clients":50', '"clients":0'),
    );
    expect(refused['detail']).toMatch(/^more than 0 elements of bsn/);
    expect(refused['code']).toBe('import-invalid');
    expect(setting.held()).toBe(before);
    // A connection that is lost in the middle.
    const abort = new AbortController();
    const lost = fetch(`${setting.url}${CONTENT}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/x-ndjson' },
      body: new ReadableStream({
        start: (controller) => controller.enqueue(Buffer.from(whole.slice(0, -30))),
      }),
      duplex: 'half',
      signal: abort.signal,
    });
    setTimeout(() => abort.abort(), 300);
    await expect(lost).rejects.toThrow();
    await delay(300);
    expect(setting.held()).toBe(before);
    // The agent may not have noticed yet that the other one is gone.
    let taken = await setting.send('PUT', CONTENT, whole);
    while (/is under way/.test(String(taken.value['detail']))) {
      await delay(50);
      taken = await setting.send('PUT', CONTENT, whole);
    }
    expect(taken).toMatchObject({ status: 200 });
    expect(await setting.send('PUT', CONTENT, whole)).toMatchObject({
      status: 503,
      value: { code: 'not-ready' },
    });
    // What this machine did not hand over goes with the next one.
    expect(await setting.run(rows(0, 50))).toMatchObject({ all: 50 });
    expect(setting.held()).toBe(before);
  });

  it('tells whoever has the key not who is in the register: what is answered does not depend on it', async () => {
    await setting.run(rows(0, 50), '--allow-shrink');
    // As a thief of the key has it: elements of a client and of a stranger.
    const database = new DatabaseSync(join(setting.folder, 'cache', 'zaken.handed-over'), { readOnly: true });
    expect(database.prepare('SELECT count(*) AS n FROM elements').get()).toEqual({ n: 50 });
    database.close();
    const answers: unknown[] = [];
    for (const bsn of [clients[3]!, clients[333]!]) {
      const element = await setting.elementOf(bsn);
      const { value } = await setting.send('GET', CONTENT);
      const begin = { type: 'begin', evaluationKey: value['evaluationKey'], base: value['base'] };
      const one = { ...begin, difference: true, clients: 50, allowShrink: true };
      for (const extra of [{ dryRun: true }, {}]) {
        const lines = [
          { ...one, ...extra },
          { type: 'remove', tokenType: 'bsn', elements: element },
          { type: 'end', elements: 1 },
        ];
        const said = await setting.send(
          'PUT',
          CONTENT,
          lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
        );
        // The time of the new CONTENT, and the name of the request, differ each time.
        expect(Object.keys(said.value).sort()).toEqual(
          said.status === 200 ? ['base', 'register'] : expect.arrayContaining(['code', 'status']),
        );
        answers.push([bsn, said.status, said.value['code']]);
      }
      const { value: after } = await setting.send('GET', CONTENT);
      answers.push([bsn, after['clients']]);
    }
    const of = (bsn: string | undefined) =>
      (answers as [string, ...unknown[]][]).filter(([whose]) => whose === bsn).map(([, ...said]) => said);
    expect(of(clients[3])).toEqual(of(clients[333]));
    expect(of(clients[3])).toEqual([[400, 'field-invalid'], [200, undefined], [50]]);
    await setting.run(rows(0, 50));
  });

  it("makes nothing with a key that the agent, or whoever stands before it, puts in the place of the gateway's", async () => {
    const suite = createSuite('voprf', await loadSodium());
    const own = suite.backend.group.multiplyBase(randomScalar(suite, secureRandom));
    const asked: string[] = [];
    const between = createServer((request, response) => {
      asked.push(request.method ?? '');
      void setting
        .send('GET', CONTENT)
        .then(({ value }) => response.end(JSON.stringify({ ...value, evaluationKey: encodeBase64(own) })));
    });
    await once(between.listen(0, '127.0.0.1'), 'listening');
    try {
      setting.settings('zaken', '', `http://127.0.0.1:${(between.address() as AddressInfo).port}`);
      const { code, err } = await setting.tryRun(rows(0, 50));
      expect([code, err]).toEqual([1, expect.stringMatching(/evaluationKeys.*\(key-changed\)/)]);
      expect(asked).toEqual(['GET']);
    } finally {
      between.close();
    }
  });

  it('lets nobody in without the key, and with it to nothing else', async () => {
    for (const method of ['GET', 'PUT'])
      expect(
        (await setting.send(method, CONTENT, method === 'PUT' ? '' : undefined, 'x'.repeat(44))).status,
      ).toBe(401);
    for (const path of ['/v1/status', '/v1/roster', '/v1/lookups', '/v1/registers/zaken/clients/K-1'])
      expect(
        await setting.send(
          path === '/v1/lookups' ? 'POST' : 'GET',
          path,
          path === '/v1/lookups' ? '{}' : undefined,
        ),
      ).toMatchObject({ status: 403, value: { code: 'not-allowed' } });
    writeFileSync(join(setting.folder, 'key'), 'y'.repeat(44), { mode: 0o600 });
    const { code, err } = await setting.tryRun(rows(0, 50));
    expect([code, err]).toEqual([1, expect.stringMatching(/unauthorised/)]);
    writeFileSync(join(setting.folder, 'key'), KEY, { mode: 0o600 });
    expect((await setting.send('GET', '/v1/registers/nergens/content')).status).toBe(404);
  });

  it('says what is wrong with a register, the settings or the key, and what to do', async () => {
    expect(await setting.send('GET', '/v1/registers/andere/content')).toMatchObject({
      status: 403,
      value: { detail: expect.stringMatching(/has a source of its own/) as string },
    });
    const elsewhere = await setting.federation.agency('gemeente').fetch('GET', '/v1/registers/hulp/content');
    expect([elsewhere.status, await elsewhere.text()]).toEqual([404, expect.stringMatching(/no handOver/)]);
    const file = join(setting.folder, 'hand-over.yaml');
    const sound = readFileSync(file, 'utf8');
    const key = join(setting.folder, 'key');
    const said = async (): Promise<string> => {
      const { code, err } = await setting.tryRun(rows(0, 50));
      expect(code).toBe(1);
      return err;
    };
    for (const [settingsOf, complaint] of [
      [
        sound.replace('http://127.0.0.1', 'http://agent.example'),
        /https:\/\/; http:\/\/ is for this machine/,
      ],
      [sound.replace('id: zaken', 'id: andere'), /has no register zaken; it has andere/],
      [sound.replace('csv: { file: clients.csv }', 'push: {}'), /without push/],
      [sound.replace('agent:', 'agnet:'), /agnet/],
      [sound.replace(new URL(setting.url).port, '1'), /gave no answer/],
    ] as const) {
      writeFileSync(file, settingsOf);
      expect(await said()).toMatch(complaint);
    }
    rmSync(file);
    expect(await said()).toMatch(/hand-over\.yaml.*An import on another machine/);
    writeFileSync(file, sound);
    writeFileSync(key, 'short');
    expect(await said()).toMatch(/at least 32 characters.*openssl rand/);
    rmSync(key);
    expect(await said()).toMatch(/there is no such file; make one with/);
    writeFileSync(key, KEY, { mode: 0o644 });
    expect(await said()).toMatch(/chmod 600/);
    rmSync(key);
    writeFileSync(key, KEY, { mode: 0o600 });
  });

  it('keeps nothing on this machine that somebody could read, and no key of the agency', async () => {
    await setting.run(rows(0, 30), '--allow-shrink');
    const bytes = readdirSync(join(setting.folder, 'cache')).map((name) =>
      readFileSync(join(setting.folder, 'cache', name)),
    );
    expect(bytes).toHaveLength(2);
    const [[, stored]] = JSON.parse(setting.held()) as [[string, { element: string }[]]];
    for (const file of bytes) {
      for (const bsn of clients.slice(0, 30)) expect(file.includes(bsn)).toBe(false);
      for (const { element } of stored) expect(file.includes(Buffer.from(element, 'hex'))).toBe(false);
    }
    // Damaged or gone, all is evaluated and handed over again.
    const before = setting.held();
    writeFileSync(join(setting.folder, 'cache', 'zaken.handed-over'), 'no database');
    expect(await setting.run(rows(0, 30))).toMatchObject({ all: 30 });
    rmSync(join(setting.folder, 'cache'), { recursive: true });
    expect(await setting.run(rows(0, 30))).toMatchObject({ all: 30 });
    expect(setting.elements).toBe(31);
    expect(setting.held()).toBe(before);
  });

  describe('over a change of keys', { timeout: 120_000 }, () => {
    const until = async (isSo: () => Promise<boolean>): Promise<void> => {
      for (const deadline = Date.now() + 60_000; !(await isSo()); await delay(100))
        expect(Date.now()).toBeLessThan(deadline);
    };
    const hitGateway = async (...argv: string[]): Promise<string> => {
      let said = '';
      const say = (line: string): void => void (said += `${line}\n`);
      const context = { environment: {}, print: say, explain: say };
      expect([
        await runCli([...argv, '--dir', setting.federation.gatewayFolder], context),
        said,
      ]).toMatchObject([0, {}]);
      return said;
    };

    it('of the node goes on with differences, and evaluates nothing again', async () => {
      await setting.run(rows(0, 60), '--allow-shrink');
      await setting.agency.ready();
      await setting.agency.run('keys', 'rotate', '--node-key');
      await until(async () =>
        (await setting.agency.run('keys', 'show')).includes('former one is not needed any more'),
      );
      expect(await setting.run(rows(1, 61))).toMatchObject({ added: 1, removed: 1, unchanged: 59 });
      expect(setting.elements).toBe(1);
      expect(await setting.answer(clients[60])).toBe('known');
      expect(await setting.answer(clients[0])).toBe('not-known');
    });

    it('of the gateway evaluates all again, finds the same, and refuses what was begun before', async () => {
      await setting.run(rows(0, 60), '--allow-shrink');
      const { value: before } = await setting.send('GET', CONTENT);
      await hitGateway('keys', 'rotate');
      await setting.federation.stopGateway();
      await setting.federation.startGateway();
      await setting.agency.ready();
      await setting.federation.agency('gemeente').ready();
      await hitGateway('keys', 'rotate', '--activate');
      await until(async () => {
        const { value } = await setting.send('GET', CONTENT);
        return value['evaluationKey'] !== before['evaluationKey'];
      });
      const { code, err } = await setting.tryRun(rows(0, 60));
      expect([code, err]).toEqual([1, expect.stringMatching(/evaluationKeys.*hit-gateway keys show/)]);
      expect(setting.elements).toBe(0);
      await setting.pin();
      const late = { type: 'begin', evaluationKey: before['evaluationKey'], base: before['base'] };
      const rest = { difference: true, clients: 60, allowShrink: true };
      const lines = `${JSON.stringify({ ...late, ...rest })}\n{"type":"end","elements":0}\n`;
      expect(await setting.send('PUT', CONTENT, lines)).toMatchObject({
        status: 409,
        value: { code: 'key-changed' },
      });
      const asked = JSON.stringify({
        elements: before['evaluationKey'],
        evaluationKey: before['evaluationKey'],
      });
      expect(
        await setting.send('POST', '/v1/registers/zaken/evaluations', asked, KEY, 'application/json'),
      ).toMatchObject({ status: 409, value: { code: 'key-changed' } });
      expect(await setting.run(rows(0, 60))).toMatchObject({ all: 60 });
      expect(setting.elements).toBe(61);
      expect(await setting.run(rows(1, 61))).toMatchObject({ added: 1, removed: 1, unchanged: 59 });
      expect(await setting.answer(clients[60])).toBe('known');
      expect(await setting.answer(clients[0])).toBe('not-known');
    });
  });
});
