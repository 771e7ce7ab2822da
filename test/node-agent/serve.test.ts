import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TestAgency } from '../harness/agency.ts';
import { STATEMENTS, knownAt } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';
import { numbers } from './support/node.ts';
import { Program } from './support/program.ts';

const [known] = numbers(1, 240_000_000) as [string];

interface Line {
  readonly event: string;
  readonly [field: string]: unknown;
}

describe('hit-agent serve, as a process at a real gateway', () => {
  let federation: Federation;
  let police: TestAgency;
  let asker: TestAgency;
  const programs: Program[] = [];

  beforeAll(async () => {
    federation = await Federation.start({
      agencies: { politie: [{ id: 'zaken', tokenTypes: ['bsn'] }], gemeente: [] },
    });
    police = federation.agency('politie');
    asker = federation.agency('gemeente');
    await police.import('zaken', [{ bsn: known }]);
    await asker.start();
    await asker.ready();
  });

  afterEach(async () => {
    await Promise.all(programs.splice(0).map((program) => program.kill('SIGKILL')));
  });

  afterAll(() => federation.close());

  async function serve(...options: string[]): Promise<{ program: Program; url: string }> {
    const program = new Program(police.folder, 'serve', ...options);
    programs.push(program);
    const [, url] = await program.says(/"event":"listening","url":"([^"]+)"/);
    return { program, url: url! };
  }
  const linesOf = ({ out }: Program): Line[] =>
    out
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line);
  async function untilReady(url: string): Promise<void> {
    for (let i = 0; i < 200; i++) {
      if ((await fetch(`${url}/readyz`)).ok) return;
      await delay(50);
    }
    throw new Error(`not ready: ${await (await fetch(`${url}/readyz`)).text()}`);
  }
  const ask = async () => knownAt(await asker.lookup([{ bsn: known }], { registers: ['politie/zaken'] }));
  const reasonOf = async () => {
    const result = await asker.lookup([{ bsn: known }], { registers: ['politie/zaken'] });
    return result.persons[0]!.registers[0]!.reason;
  };
  const key = (): string => readFileSync(join(police.folder, 'api-key'), 'utf8').trim();

  it('gets ready, answers, and tells so in lines of JSON without secrets', async () => {
    const { program, url } = await serve();
    await untilReady(url);
    expect(await ask()).toEqual(['politie/zaken']);
    expect(linesOf(program).map(({ event }) => event)).toEqual(
      expect.arrayContaining(['listening', 'gateway-connected', 'epoch-switched']),
    );
    expect(linesOf(program).filter(({ event }) => event === 'listening')).toHaveLength(1);
    expect(program.err).toBe('');
    expect(program.out).not.toContain(key());
    expect(program.out).not.toContain(known);
    expect(statSync(join(police.folder, 'running.json')).mode & 0o077).toBe(0);
  });

  it('is seen by the commands beside it', async () => {
    const { url } = await serve();
    await untilReady(url);
    const status = await police.tryRun('status');
    expect(status.code).toBe(0);
    expect(status.out).toMatch(/politie, gateway .*: connected since/);
    expect(status.out).toMatch(/zaken +answering +1 /);
    const persons = join(police.folder, 'persons.json');
    writeFileSync(persons, JSON.stringify([{ ref: 'kind', bsn: known }]));
    const words = [
      '--purpose',
      'casusoverleg-zvh',
      '--case',
      'Z-1',
      '--professional',
      'j.jansen',
      '--role',
      'case-worker',
      '--confirm',
      'all',
    ];
    const lookup = await police.tryRun('lookup', persons, ...words);
    expect(lookup.code).toBe(0);
    expect(lookup.out).toMatch(
      /^Persoon kind\n● bekend {2}Organisatie politie {2}Registratie zaken {2}Team zaken 024 000 00 00 \(op BSN\)/,
    );
    expect(lookup.err).toMatch(/^(U bevestigt \((problemen|leefgebieden|overlast|domeinen)\): .+\n){4}$/);
    const officer = words.with(1, 'subject-access').with(7, 'privacy-officer');
    const access = await police.tryRun('lookup', persons, ...officer);
    expect(access.out).toMatch(
      /^Persoon kind\n(· +Organisatie (politie|gemeente) +heeft niet naar deze persoon gevraagd \(tot en met \d{4}-\d\d-\d\d\)\n){2}$/,
    );
    const wrong = await police.tryRun('lookup', persons, ...words.with(1, 'nergens-voor'));
    expect(wrong.code).toBe(1);
    expect(wrong.err).toMatch(/purpose: is not part of the policy; known are .* \(unknown-purpose\)/);
  });

  it('ends on SIGTERM with everything closed, and can start again at once', async () => {
    const { program, url } = await serve();
    await untilReady(url);
    const started = performance.now();
    expect(await program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(performance.now() - started).toBeLessThan(15_000);
    expect(linesOf(program).at(-1)!.event).toBe('stopped');
    expect(linesOf(program).filter(({ level }) => Number(level) >= 50)).toEqual([]);
    expect(existsSync(join(police.folder, 'running.json'))).toBe(false);
    expect(await reasonOf()).toBe('not-connected');
    const { url: next } = await serve();
    await untilReady(next);
    expect(await ask()).toEqual(['politie/zaken']);
  });

  it('lets a lookup that runs come to its end', async () => {
    const { program, url } = await serve();
    await untilReady(url);
    const running = fetch(`${url}/v1/lookups`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key()}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        purpose: 'casusoverleg-zvh',
        caseReference: 'Z-1',
        professional: 'j.jansen',
        role: 'case-worker',
        statements: STATEMENTS['casusoverleg-zvh'],
        persons: Array.from({ length: 32 }, () => ({ bsn: known })),
      }),
    });
    await delay(60);
    const exit = program.kill('SIGTERM');
    const response = await running;
    expect(response.status).toBe(200);
    expect(((await response.json()) as { persons: unknown[] }).persons).toHaveLength(32);
    expect(await exit).toEqual({ code: 0, signal: null });
  });

  it('does not wait forever for somebody who holds a connection open', async () => {
    const { program, url } = await serve();
    const { port } = new URL(url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('POST /v1/lookups HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n');
    await delay(100);
    expect(await program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    socket.destroy();
  });

  it('leaves the questions to the agent that runs from the same directory', async () => {
    const { url } = await serve('--listen', '127.0.0.1:0');
    await untilReady(url);
    const address = new URL(url).host;
    const second = new Program(police.folder, 'serve', '--listen', '127.0.0.1:0');
    programs.push(second);
    expect(await second.exit).toEqual({ code: 1, signal: null });
    expect(second.err).toContain(`an agent serves from ${police.folder} already`);
    expect(second.err).toContain(address);
    expect(second.out).not.toContain('gateway-connected');
    expect(await ask()).toEqual(['politie/zaken']);
    expect((await police.tryRun('status')).code).toBe(0);
  });

  it('ends when another program listens where it should', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => {
      other.listen(0, '127.0.0.1', resolve);
    });
    const address = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    const program = new Program(police.folder, 'serve', '--listen', address);
    programs.push(program);
    expect(await program.exit).toEqual({ code: 1, signal: null });
    expect(program.err).toContain(
      `listen: ${address}: another program listens there already (config-invalid)`,
    );
    expect(program.out).not.toContain('gateway-connected');
    other.close();
  });

  it('says nothing but mistakes when agent.yaml says so', async () => {
    const file = join(police.folder, 'agent.yaml');
    const yaml = readFileSync(file, 'utf8');
    writeFileSync(file, `${yaml}logLevel: error\n`);
    rmSync(join(police.folder, 'running.json'), { force: true });
    const program = new Program(police.folder, 'serve', '--listen', '127.0.0.1:0');
    programs.push(program);
    for (let i = 0; !existsSync(join(police.folder, 'running.json')) && i < 200; i++) await delay(25);
    writeFileSync(file, yaml);
    expect(await program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(program.out).toBe('');
  });

  it('is told apart from one that was killed', async () => {
    const { program, url } = await serve();
    await untilReady(url);
    await program.kill('SIGKILL');
    expect(existsSync(join(police.folder, 'running.json'))).toBe(true);
    const { code, out, err } = await police.tryRun('status');
    expect(code).toBe(1);
    expect(err).toMatch(/no agent serves from/);
    expect(out).toMatch(/politie, enrolled at http.*\nzaken: 1 client, imported 20/);
  });

  it('answers after kill -9 from where it was, with a number that is higher', async () => {
    const epochs: number[] = [];
    for (let i = 0; i < 3; i++) {
      await police.import('zaken', [
        { bsn: known },
        ...numbers(20 + i, 250_000_000 + i).map((bsn) => ({ bsn })),
      ]);
      const program = new Program(police.folder, 'serve', '--listen', '127.0.0.1:0');
      programs.push(program);
      const [, url] = await program.says(/"event":"listening","url":"([^"]+)"/);
      if (i < 2) await delay(Math.random() * 300);
      else await untilReady(url!);
      const response = await fetch(`${url}/v1/status`, { headers: { authorization: `Bearer ${key()}` } });
      const { epoch } = (await response.json()) as { epoch?: { number: number } };
      if (epoch !== undefined) epochs.push(epoch.number);
      if (i < 2) await program.kill('SIGKILL');
    }
    expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
    expect(await ask()).toEqual(['politie/zaken']);
  });

  it('comes back by itself when the gateway was away, and says in between that it is not ready', async () => {
    const { program, url } = await serve();
    await untilReady(url);
    await federation.stopGateway();
    for (let i = 0; (await fetch(`${url}/readyz`)).ok && i < 100; i++) await delay(20);
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    const away = await asker.fetch('POST', '/v1/lookups', {
      purpose: 'casusoverleg-zvh',
      caseReference: 'Z-1',
      professional: 'j.jansen',
      role: 'case-worker',
      statements: STATEMENTS['casusoverleg-zvh'],
      persons: [{ bsn: known }],
    });
    expect(away.status).toBe(502);
    expect(await away.json()).toMatchObject({ code: 'gateway-unreachable' });
    await delay(1_000);
    await federation.startGateway();
    await untilReady(url);
    await asker.ready();
    expect(await ask()).toEqual(['politie/zaken']);
    // While it was away, the log was not flooded.
    expect(linesOf(program).length).toBeLessThan(40);
  });

  it('does not take another server for its gateway', async () => {
    const stranger = createServer((_, response) => response.writeHead(200).end('{}'));
    stranger.on('upgrade', (_, socket) =>
      socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n'),
    );
    await federation.stopGateway();
    await new Promise<void>((resolve) => {
      stranger.listen(0, '127.0.0.1', resolve);
    });
    const { port } = stranger.address() as AddressInfo;
    const database = new DatabaseSync(join(police.folder, 'agent.sqlite'));
    const { value } = database.prepare("SELECT value FROM state WHERE name = 'membership'").get() as {
      value: string;
    };
    const set = database.prepare("UPDATE state SET value = ? WHERE name = 'membership'");
    set.run(JSON.stringify({ ...(JSON.parse(value) as object), gatewayUrl: `http://127.0.0.1:${port}` }));
    const { program, url } = await serve();
    await program.says(/refused the connection with status 401/);
    const ready = (await (await fetch(`${url}/readyz`)).json()) as { problems: string[] };
    expect(ready.problems[0]).toMatch(
      /not connected to the gateway: the gateway refused the connection with status 401/,
    );
    set.run(value);
    database.close();
    await new Promise<void>((resolve) => {
      stranger.close(() => resolve());
      stranger.closeAllConnections();
    });
    await federation.startGateway();
  });
});
