import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestAgency } from '../harness/agency.ts';
import { knownAt } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';
import { numbers } from './support/node.ts';
import { Program } from './support/program.ts';

const [one, two, three, hidden] = numbers(4, 430_000_000) as [string, string, string, string];

describe('clients that a system pushes, with real agents', { timeout: 120_000 }, () => {
  let federation: Federation;
  let police: TestAgency;
  let asker: TestAgency;
  let evaluations = 0;

  beforeAll(async () => {
    federation = await Federation.start({
      tap: true,
      agencies: {
        politie: [
          { id: 'zaken', tokenTypes: ['bsn', 'address'] },
          { id: 'andere', tokenTypes: ['bsn'] },
        ],
        gemeente: [],
      },
    });
    federation.tap!.meddle = (heard) => {
      if (heard.what === 'POST /v1/evaluations' && heard.direction === 'to-gateway') evaluations++;
      return heard.bytes;
    };
    police = federation.agency('politie');
    asker = federation.agency('gemeente');
    const config = join(police.folder, 'agent.yaml');
    const text = readFileSync(config, 'utf8');
    const changed = text.replace(
      /^(\s*)-?\s*id: zaken$/m,
      (line, indent: string) =>
        `${line}\n${line.trimStart().startsWith('-') ? `${indent}  ` : indent}source: { push: { pauseSeconds: 1 } }`,
    );
    expect(changed).not.toBe(text);
    writeFileSync(config, changed);
    await police.start();
    await asker.start();
  });

  afterAll(async () => {
    await asker.stop();
    await police.stop();
    await federation.close();
  });

  const path = (reference: string, register = 'zaken') =>
    `/v1/registers/${register}/clients/${encodeURIComponent(reference)}`;
  const put = (reference: string, client: object, register?: string) =>
    police.fetch('PUT', path(reference, register), client);
  const generation = async (): Promise<string | undefined> => {
    const { registers } = (await police.call('GET', '/v1/status')) as {
      registers: { id: string; importedAt?: string; clients?: number }[];
    };
    return registers.find(({ id }) => id === 'zaken')?.importedAt;
  };
  /** Resolves once what was pushed by then is answered from. */
  const applied = async (work: () => Promise<unknown>): Promise<void> => {
    const before = await generation();
    await work();
    for (const deadline = Date.now() + 30_000; (await generation()) === before; await delay(100))
      if (Date.now() > deadline) throw new Error('it was not applied');
    await police.ready();
  };
  const ask = async (bsn: string) => knownAt(await asker.lookup([{ bsn }], { registers: ['politie/zaken'] }));

  it('are known with the next tables, replaced, and gone when they are removed', async () => {
    await applied(async () => {
      const answer = await put('K-1', { bsn: one, address: { postcode: '6511 PP', number: 1 } });
      expect([answer.status, await answer.json()]).toEqual([200, { register: 'zaken', reference: 'K-1' }]);
      expect((await put('K-2', { bsn: two, until: '2000-01-01' })).status).toBe(200);
    });
    expect([await ask(one), await ask(two)]).toEqual([['politie/zaken'], []]);
    await applied(() => put('K-1', { bsn: three }));
    expect([await ask(one), await ask(three)]).toEqual([[], ['politie/zaken']]);
    await applied(async () => {
      expect((await police.fetch('DELETE', path('K-1'))).status).toBe(204);
      expect((await police.fetch('DELETE', path('K-1'))).status).toBe(204);
    });
    expect(await ask(three)).toEqual([]);
  });

  it('never match when they are protected, and the gateway hears nothing of them', async () => {
    await applied(async () => {
      expect((await put('K-8', { bsn: one })).status).toBe(200);
    });
    const before = evaluations;
    const answer = await put('K-9', { bsn: hidden, protected: true });
    expect([answer.status, await answer.json()]).toEqual([200, { register: 'zaken', reference: 'K-9' }]);
    expect(evaluations).toBe(before);
    await delay(2_500);
    await police.ready();
    expect([await ask(one), await ask(hidden)]).toEqual([['politie/zaken'], []]);
    const { registers } = (await police.call('GET', '/v1/status')) as {
      registers: { id: string; clients: number }[];
    };
    expect(registers.find(({ id }) => id === 'zaken')!.clients).toBe(1);
    // Once known, then protected: gone.
    await applied(() => put('K-8', { bsn: one, protected: true }));
    expect(await ask(one)).toEqual([]);
  });

  it.each<[string, string, object, number, RegExp]>([
    ['a number that is none', 'K-3', { bsn: '123456789' }, 400, /bsn-invalid.*11-test/],
    ['nothing to match by', 'K-3', {}, 400, /person-without-token/],
    ['a field that is not known', 'K-3', { bsn: one, shoe: 1 }, 400, /field-invalid.*shoe/],
    ['a last day that is no day', 'K-3', { bsn: one, until: '2026-02-30' }, 400, /field-invalid.*until/],
    ['a reference that could be a number of a person', one, { bsn: one }, 400, /"field":"reference"/],
    ['a reference with a slash', 'a/b', { bsn: one }, 400, /"field":"reference"/],
  ])('are refused by field with %s', async (_, reference, client, status, message) => {
    const answer = await put(reference, client);
    const text = await answer.text();
    expect(answer.status).toBe(status);
    expect(text).toMatch(message);
    expect(text).not.toContain(one);
    expect(text).not.toContain('123456789');
  });

  it('come to registers that are pushed to, with the key of the agent, and no import puts an end to them', async () => {
    expect((await put('K-1', { bsn: one }, 'andere')).status).toBe(404);
    const open = await fetch(new URL(path('K-1'), (await police.fetch('GET', '/healthz')).url), {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(open.status).toBe(401);
    const file = join(police.folder, '..', 'clients.csv');
    writeFileSync(file, `bsn;postcode;huisnummer\n${one};;\n`);
    const { code, err } = await police.tryRun('import', file, '--register', 'zaken');
    expect([code, err]).toEqual([1, expect.stringContaining('zaken is pushed to')]);
  });

  it('survive a kill -9 right after the answer', async () => {
    await police.stop();
    const start = () => new Program(police.folder, 'serve', '--listen', '127.0.0.1:0');
    const first = start();
    const [, url] = await first.says(/"url":"(http:[^"]+)"/);
    const key = readFileSync(join(police.folder, 'api-key'), 'utf8').trim();
    const answer = await fetch(new URL(path('K-77'), url), {
      method: 'PUT',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ bsn: two }),
    });
    expect(answer.status).toBe(200);
    await first.kill('SIGKILL');
    await police.start();
    for (const deadline = Date.now() + 60_000; ; await delay(300)) {
      await police.ready();
      if ((await ask(two)).length > 0) break;
      if (Date.now() > deadline) throw new Error('the pushed client was lost');
    }
  });

  it('do not take the place of what was not made of them, until the operator says so', async () => {
    const agree = () => police.tryRun('import', '--register', 'zaken', '--allow-shrink');
    await police.stop();
    for (const end of ['', '-wal', '-shm'])
      rmSync(join(police.folder, `pushed.sqlite${end}`), { force: true });
    expect(await agree()).toMatchObject({
      code: 1,
      err: expect.stringContaining('nothing was pushed to zaken yet') as string,
    });
    await police.start();
    expect((await put('K-8', { bsn: one })).status).toBe(200);
    const problems = async () =>
      ((await police.call('GET', '/v1/status')) as { problems: string[] }).problems.join();
    for (
      const deadline = Date.now() + 30_000;
      !(await problems()).includes('--allow-shrink');
      await delay(100)
    )
      if (Date.now() > deadline) throw new Error('it does not tell');
    await delay(1_500);
    expect([await ask(one), await ask(two)]).toEqual([[], ['politie/zaken']]);
    const { code, out } = await agree();
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/^zaken holds 1 client; 1 client that was pushed/),
    ]);
    await applied(async () => {
      await police.stop();
      await police.start();
    });
    expect([await ask(one), await ask(two)]).toEqual([['politie/zaken'], []]);
  });

  it('are kept in a file that shows neither numbers nor references, nor who is protected', () => {
    const bytes = readFileSync(join(police.folder, 'pushed.sqlite'));
    for (const text of [one, two, three, hidden, 'K-8', 'K-9', 'K-77'])
      expect(bytes.includes(text)).toBe(false);
  });
});
