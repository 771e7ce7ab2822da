import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runProgram } from '@hitmachine/node-agent';
import { runCli } from '../../gateway/src/cli/program.ts';
import type { TestAgency } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';
import { freePort } from '../support/free-port.ts';
import { numbers } from './support/node.ts';
import { contentOf } from './support/program.ts';

const clients = numbers(340, 420_000_000);
const KEY = 'k'.repeat(44);

describe('an import on another machine of the agency, at a real gateway', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hitmachine-hand-over-'));
  const url = (): string => `http://127.0.0.1:${port}`;
  let port: number;
  let federation: Federation;
  let agency: TestAgency;
  let elements = 0;

  beforeAll(async () => {
    port = await freePort();
    federation = await Federation.start({
      tap: true,
      agencies: {
        politie: [
          { id: 'zaken', tokenTypes: ['bsn'] },
          { id: 'andere', tokenTypes: ['bsn'] },
        ],
        gemeente: [{ id: 'hulp', tokenTypes: ['bsn'] }],
      },
      agentSettings: (id, at) => {
        if (id !== 'politie') return {};
        writeFileSync(join(at, 'hand-over-key'), `${KEY}\n`, { mode: 0o600 });
        return { handOver: { keyFile: 'hand-over-key' } };
      },
    });
    agency = federation.agency('politie');
    federation.tap!.meddle = (heard) => {
      if (heard.what === 'POST /v1/evaluations' && heard.direction === 'to-gateway') {
        const body = JSON.parse(Buffer.from(heard.bytes).toString()) as {
          elements: string;
          register: string;
        };
        // The agent has its own registers evaluated beside it.
        if (body.register === 'zaken') elements += Buffer.from(body.elements, 'base64url').length / 32;
      }
      return heard.bytes;
    };
    await federation.agency('gemeente').start();
    const config = join(agency.folder, 'agent.yaml');
    const withSource = readFileSync(config, 'utf8').replace(
      /^( *)(-? *)id: andere$/m,
      (line, indent: string, dash: string) =>
        `${line}\n${indent}${' '.repeat(dash.length)}source: { csv: { file: elsewhere.csv } }`,
    );
    expect(withSource).toContain('elsewhere.csv');
    writeFileSync(config, withSource);
    await agency.start(port);
    await agency.knows(['politie/zaken', 'politie/andere']);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'key'), KEY, { mode: 0o600 });
    writeFileSync(join(folder, 'protected.txt'), '');
    settings();
  });

  beforeEach(() => settings());

  afterAll(async () => {
    await federation.close();
    rmSync(folder, { recursive: true });
  });

  const settings = (id = 'zaken', more = ''): void =>
    writeFileSync(
      join(folder, 'hand-over.yaml'),
      `agent: ${url()}\nkeyFile: key\nregisters:\n  - id: ${id}\n    source: { csv: { file: clients.csv } }\n${more}`,
    );
  const tryRun = async (rows: readonly string[], ...options: string[]) => {
    writeFileSync(join(folder, 'clients.csv'), ['reference;bsn;until', ...rows].join('\n'));
    let [out, err] = ['', ''];
    elements = 0;
    const args = [
      'hand-over',
      '--register',
      'zaken',
      '--json',
      '--progress',
      'none',
      '--dir',
      folder,
      ...options,
    ];
    const code = await runProgram(args, {
      terminal: { out: (text) => (out += text), err: (text) => (err += text), interactive: false },
      defaultDirectory: folder,
      stopped: new AbortController().signal,
    });
    return { code, out, err };
  };
  const run = async (rows: readonly string[], ...options: string[]): Promise<Record<string, number>> => {
    const { code, out, err } = await tryRun(rows, ...options);
    expect([code, err]).toEqual([0, '']);
    return JSON.parse(out) as Record<string, number>;
  };
  const row = (bsn: string, until = ''): string => `K${bsn};${bsn};${until}`;
  const rows = (from: number, to: number): string[] => clients.slice(from, to).map((bsn) => row(bsn));
  const held = (): string => contentOf(agency.folder, ['pseudonyms']);
  const answer = async (bsn: string | undefined): Promise<string | undefined> => {
    await agency.ready();
    const town = federation.agency('gemeente');
    const { persons } = await town.lookup([{ bsn: bsn as string }], { registers: ['politie/zaken'] });
    return persons[0]?.registers[0]?.status;
  };
  const send = async (
    method: string,
    path: string,
    body?: string,
    key = KEY,
    type = 'application/x-ndjson',
  ): Promise<{ status: number; value: Record<string, unknown> }> => {
    const response = await fetch(`${url()}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': type },
      ...(body !== undefined && { body }),
    });
    return { status: response.status, value: (await response.json()) as Record<string, unknown> };
  };
  const content = '/v1/registers/zaken/content';

  it('makes the agent answer as if it had been done there, and a difference costs no evaluation', async () => {
    expect(await run(rows(0, 300))).toMatchObject({ clients: 300, added: 301, removed: 0 });
    expect(elements).toBe(301);
    expect(await answer(clients[7])).toBe('known');
    expect(await answer(clients[301])).toBe('not-known');
    const before = held();
    expect(await run(rows(0, 300))).toMatchObject({ added: 0, removed: 0, unchanged: 301 });
    expect(elements).toBe(0);
    expect(held()).toBe(before);
    expect(await run(rows(5, 302))).toMatchObject({ added: 2, removed: 5, unchanged: 296 });
    expect(elements).toBe(2);
    expect(await answer(clients[0])).toBe('not-known');
    expect(await answer(clients[301])).toBe('known');
    // The same as an import of the same clients by the agent itself.
    const made = held();
    const file = join(folder, 'same.csv');
    writeFileSync(file, ['bsn', ...clients.slice(5, 302)].join('\n'));
    await agency.run('import', file, '--register', 'zaken');
    expect(held()).toBe(made);
    // Now the register holds what this machine did not hand over: all is sent, and nothing evaluated but the canary.
    expect(await run(rows(5, 302))).toMatchObject({ added: 0, removed: 0, unchanged: 298 });
    expect(elements).toBe(1);
  });

  it('keeps ends and protected clients on this machine, and passes on what comes of them', async () => {
    await run(rows(0, 20), '--allow-shrink');
    expect(await run([...rows(0, 19), row(clients[19]!, '2020-01-01')])).toMatchObject({
      ended: 1,
      removed: 1,
    });
    const lasting = [...rows(0, 18), row(clients[18]!, '2999-12-31')];
    expect(await run(lasting)).toMatchObject({ added: 0, removed: 0, unchanged: 20 });
    expect(held()).toContain('2999-12-31');
    expect(await run(rows(0, 19))).toMatchObject({ added: 0, removed: 0 });
    expect(held()).not.toContain('2999-12-31');
    writeFileSync(join(folder, 'protected.txt'), `K${clients[3]}\n`);
    settings('zaken', '    protected: { file: protected.txt }\n');
    expect(await run(rows(0, 19))).toMatchObject({ protected: 1, removed: 1 });
    expect(await answer(clients[3])).toBe('not-known');
  });

  it('changes nothing in a trial, nor when too many would be gone, here or at the agent', async () => {
    await run(rows(0, 50), '--allow-shrink');
    const before = held();
    expect(await run(rows(10, 60), '--dry-run')).toMatchObject({ added: 10, removed: 10, unchanged: 41 });
    const { code, err } = await tryRun(rows(0, 10));
    expect([code, err]).toEqual([1, expect.stringMatching(/holds 50 clients and the source has 10/)]);
    const { value } = await send('GET', content);
    const forced = { type: 'begin', evaluationKey: value['evaluationKey'], base: value['base'] };
    const few = { ...forced, difference: false, clients: 1, allowShrink: false, dryRun: false };
    expect(await send('PUT', content, `${JSON.stringify(few)}\n{"type":"end","elements":0}\n`)).toMatchObject(
      {
        status: 400,
        value: { code: 'import-invalid' },
      },
    );
    expect(held()).toBe(before);
    expect(await run(rows(10, 60))).toMatchObject({ added: 10, removed: 10, unchanged: 41 });
  });

  it('changes nothing when it is cut off, comes twice, or is for another content', async () => {
    await run(rows(0, 50), '--allow-shrink');
    const before = held();
    const { value } = await send('GET', content);
    const { base, evaluationKey } = value;
    const begin = { type: 'begin', evaluationKey, base, difference: true, clients: 50, allowShrink: true };
    const element = evaluationKey as string;
    const lines = [
      JSON.stringify({ ...begin, dryRun: false }),
      JSON.stringify({ type: 'add', tokenType: 'bsn', elements: element, until: [null] }),
      JSON.stringify({ type: 'end', elements: 1 }),
    ];
    const whole = `${lines.join('\n')}\n`;
    for (const cut of [0, 10, lines[0]!.length + 1, whole.length - 30, whole.length - 1])
      expect(await send('PUT', content, whole.slice(0, cut))).toMatchObject({
        status: 400,
        value: { code: 'malformed' },
      });
    for (const elements of [Buffer.alloc(32, 0xff), Buffer.alloc(32), Buffer.alloc(31, 1)]) {
      const wrong = whole.replace(
        `"elements":"${element}"`,
        `"elements":"${elements.toString('base64url')}"`,
      );
      expect(await send('PUT', content, wrong)).toMatchObject({ status: 400 });
    }
    expect(held()).toBe(before);
    // A connection that is lost in the middle.
    const abort = new AbortController();
    const lost = fetch(`${url()}${content}`, {
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
    expect(held()).toBe(before);
    // The agent may not have noticed yet that the other one is gone.
    let taken = await send('PUT', content, whole);
    while (/is under way/.test(String(taken.value['detail']))) {
      await delay(50);
      taken = await send('PUT', content, whole);
    }
    expect(taken).toMatchObject({ status: 200, value: { added: 1, removed: 0 } });
    expect(await send('PUT', content, whole)).toMatchObject({ status: 503, value: { code: 'not-ready' } });
    // What this machine did not hand over goes with the next one.
    expect(await run(rows(0, 50))).toMatchObject({ added: 0, removed: 1 });
    expect(held()).toBe(before);
  });

  it('lets nobody in without the key, and with it to nothing else', async () => {
    for (const method of ['GET', 'PUT'])
      expect((await send(method, content, method === 'PUT' ? '' : undefined, 'x'.repeat(44))).status).toBe(
        401,
      );
    for (const path of ['/v1/status', '/v1/roster', '/v1/lookups', '/v1/registers/zaken/clients/K-1'])
      expect(
        await send(path === '/v1/lookups' ? 'POST' : 'GET', path, path === '/v1/lookups' ? '{}' : undefined),
      ).toMatchObject({ status: 403, value: { code: 'not-allowed' } });
    writeFileSync(join(folder, 'key'), 'y'.repeat(44), { mode: 0o600 });
    const { code, err } = await tryRun(rows(0, 50));
    expect([code, err]).toEqual([1, expect.stringMatching(/unauthorised/)]);
    writeFileSync(join(folder, 'key'), KEY, { mode: 0o600 });
    expect((await send('GET', '/v1/registers/nergens/content')).status).toBe(404);
  });

  it('says what is wrong with a register, the settings or the key, and what to do', async () => {
    expect(await send('GET', '/v1/registers/andere/content')).toMatchObject({
      status: 403,
      value: { detail: expect.stringMatching(/has a source of its own/) as string },
    });
    const elsewhere = await federation.agency('gemeente').fetch('GET', '/v1/registers/hulp/content');
    expect([elsewhere.status, await elsewhere.text()]).toEqual([404, expect.stringMatching(/no handOver/)]);
    const file = join(folder, 'hand-over.yaml');
    const sound = readFileSync(file, 'utf8');
    const key = join(folder, 'key');
    const said = async (): Promise<string> => {
      const { code, err } = await tryRun(rows(0, 50));
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
      [sound.replace(String(port), '1'), /gave no answer/],
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
    await run(rows(0, 30), '--allow-shrink');
    const bytes = readdirSync(join(folder, 'cache')).map((name) => readFileSync(join(folder, 'cache', name)));
    expect(bytes).toHaveLength(2);
    const [[, stored]] = JSON.parse(held()) as [[string, { element: string }[]]];
    for (const file of bytes) {
      for (const bsn of clients.slice(0, 30)) expect(file.includes(bsn)).toBe(false);
      for (const { element } of stored) expect(file.includes(Buffer.from(element, 'hex'))).toBe(false);
    }
    // Damaged or gone, all is evaluated and handed over again.
    const before = held();
    writeFileSync(join(folder, 'cache', 'zaken.handed-over'), 'no database');
    expect(await run(rows(0, 30))).toMatchObject({ added: 0, removed: 0, unchanged: 31 });
    rmSync(join(folder, 'cache'), { recursive: true });
    expect(await run(rows(0, 30))).toMatchObject({ added: 0, removed: 0, unchanged: 31 });
    expect(elements).toBe(31);
    expect(held()).toBe(before);
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
      expect([await runCli([...argv, '--dir', federation.gatewayFolder], context), said]).toMatchObject([
        0,
        {},
      ]);
      return said;
    };

    it('of the node goes on with differences, and evaluates nothing again', async () => {
      await run(rows(0, 60), '--allow-shrink');
      await agency.ready();
      await agency.run('keys', 'rotate', '--node-key');
      await until(async () =>
        (await agency.run('keys', 'show')).includes('former one is not needed any more'),
      );
      expect(await run(rows(1, 61))).toMatchObject({ added: 1, removed: 1, unchanged: 60 });
      expect(elements).toBe(1);
      expect(await answer(clients[60])).toBe('known');
      expect(await answer(clients[0])).toBe('not-known');
    });

    it('of the gateway evaluates all again, finds the same, and refuses what was begun before', async () => {
      await run(rows(0, 60), '--allow-shrink');
      const { value: before } = await send('GET', content);
      await hitGateway('keys', 'rotate');
      await federation.stopGateway();
      await federation.startGateway();
      await agency.ready();
      await federation.agency('gemeente').ready();
      await hitGateway('keys', 'rotate', '--activate');
      await until(async () => {
        const { value } = await send('GET', content);
        return value['evaluationKey'] !== before['evaluationKey'];
      });
      const late = { type: 'begin', evaluationKey: before['evaluationKey'], base: before['base'] };
      const rest = { difference: true, clients: 60, allowShrink: true, dryRun: false };
      const lines = `${JSON.stringify({ ...late, ...rest })}\n{"type":"end","elements":0}\n`;
      expect(await send('PUT', content, lines)).toMatchObject({
        status: 409,
        value: { code: 'key-changed' },
      });
      const asked = JSON.stringify({
        elements: before['evaluationKey'],
        evaluationKey: before['evaluationKey'],
      });
      expect(
        await send('POST', '/v1/registers/zaken/evaluations', asked, KEY, 'application/json'),
      ).toMatchObject({ status: 409, value: { code: 'key-changed' } });
      expect(await run(rows(0, 60))).toMatchObject({ added: 0, removed: 0, unchanged: 61 });
      expect(elements).toBe(61);
      expect(await run(rows(1, 61))).toMatchObject({ added: 1, removed: 1, unchanged: 60 });
      expect(await answer(clients[60])).toBe('known');
      expect(await answer(clients[0])).toBe('not-known');
    });
  });
});
