import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TestAgency } from '../harness/agency.ts';
import { STATEMENTS } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';
import { Collector } from '../support/collector.ts';
import { readExposition } from '../support/exposition.ts';
import { numbers } from './support/node.ts';
import { Program } from './support/program.ts';

const [known, unknown] = numbers(2, 240_000_000) as [string, string];
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('the operation of hit-agent serve', () => {
  let federation: Federation;
  let police: TestAgency;
  const collector = new Collector();
  let endpoint: string;
  const programs: Program[] = [];
  let settings: string;

  beforeAll(async () => {
    endpoint = await collector.start();
    federation = await Federation.start({
      agencies: { politie: [{ id: 'zaken', tokenTypes: ['bsn'] }] },
    });
    police = federation.agency('politie');
    await police.import('zaken', [{ bsn: known }]);
    settings = readFileSync(join(police.folder, 'agent.yaml'), 'utf8');
  });
  afterEach(async () => {
    await Promise.all(programs.splice(0).map((program) => program.kill('SIGKILL')));
    writeFileSync(join(police.folder, 'agent.yaml'), settings);
    collector.reset();
  });
  afterAll(async () => {
    collector.close();
    await federation.close();
  });

  const configure = (change: (config: Record<string, unknown>) => object): void =>
    writeFileSync(
      join(police.folder, 'agent.yaml'),
      stringify(change(parse(settings) as Record<string, unknown>)),
    );
  async function serve(): Promise<{ program: Program; url: string }> {
    const program = new Program(police.folder, 'serve');
    programs.push(program);
    const [, url] = await program.says(/"event":"listening","url":"([^"]+)"/);
    await until(async () => (await fetch(`${url}/readyz`)).ok);
    return { program, url: url! };
  }
  async function until(what: () => Promise<boolean> | boolean): Promise<void> {
    for (let i = 0; i < 300; i++) {
      if (await what()) return;
      await delay(50);
    }
    throw new Error('it did not come to that');
  }
  const ask = (url: string, bsn: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${url}/v1/lookups`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${readFileSync(join(police.folder, 'api-key'), 'utf8').trim()}`,
        'content-type': 'application/json',
        ...headers,
      },
      body: JSON.stringify({
        purpose: 'casusoverleg-zvh',
        caseReference: 'Z-1',
        professional: 'j.jansen',
        role: 'case-worker',
        statements: STATEMENTS['casusoverleg-zvh'],
        persons: [{ bsn }],
      }),
    });
  const metrics = async (url: string) => readExposition(await (await fetch(`${url}/metrics`)).text());

  it('shows metrics that Prometheus can read, in which a hit and a miss look the same', async () => {
    const { url } = await serve();
    const before = await metrics(url);
    expect((await ask(url, known)).status).toBe(200);
    const afterHit = await metrics(url);
    expect((await ask(url, unknown)).status).toBe(200);
    const afterMiss = await metrics(url);
    const ours = (samples: typeof before) =>
      new Map(
        [...samples].filter(([name]) => /hitmachine_agent_(?!.*(seconds_sum|_age_|unproved))/.test(name)),
      );
    const moved = (from: typeof before, to: typeof before): [string, number][] =>
      [...ours(to)]
        .filter(([name, value]) => (from.get(name) ?? 0) !== value && !name.includes('_bucket'))
        .map(([name, value]) => [name, value - (from.get(name) ?? 0)]);
    const counts = new Map(moved(before, afterHit));
    expect(counts.get('hitmachine_agent_lookups_total{outcome="complete"}')).toBe(1);
    expect(counts.get('hitmachine_agent_questions_total{outcome="answered"}')).toBeGreaterThanOrEqual(1);
    expect(new Set(moved(afterHit, afterMiss).map(([name]) => name))).toEqual(new Set(counts.keys()));
    expect(afterMiss.get('hitmachine_agent_ready')).toBe(1);
    expect(afterMiss.get('hitmachine_agent_register_answering{register="zaken"}')).toBe(1);
    const names = [...afterMiss.keys()].join('\n');
    for (const secret of ['j.jansen', 'casusoverleg', 'Z-1', known, unknown, 'politie'])
      expect(names).not.toContain(secret);
  });

  it('is not ready while its database is away, says why, and recovers by itself', async () => {
    const { url } = await serve();
    const file = join(police.folder, 'agent.sqlite');
    renameSync(file, `${file}.away`);
    await until(async () => (await fetch(`${url}/readyz`)).status === 503);
    const { problems } = (await (await fetch(`${url}/readyz`)).json()) as { problems: string[] };
    expect(problems).toEqual([
      expect.stringMatching(
        /^the log cannot be written, so nothing is answered: .*agent\.sqlite: the database is gone/,
      ),
    ]);
    expect((await ask(url, known)).status).toBe(503);
    expect((await metrics(url)).get('hitmachine_agent_ready')).toBe(0);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    renameSync(`${file}.away`, file);
    await until(async () => (await fetch(`${url}/readyz`)).ok);
    expect((await ask(url, known)).status).toBe(200);
  });

  it('takes in at SIGHUP what can be, says what needs a restart, and keeps the old when the new does not hold', async () => {
    const { program, url } = await serve();
    configure((config) => ({
      ...config,
      logLevel: 'debug',
      minWitnesses: 3,
      registers: (config['registers'] as object[]).map((register) => ({
        ...register,
        contact: { name: 'Nieuwe balie', telephone: '024 111 11 11' },
      })),
    }));
    program.child.kill('SIGHUP');
    await program.says(
      /"event":"reloaded","changed":"logLevel, registers\.0\.contact\.name, registers\.0\.contact\.telephone"/,
    );
    await program.says(/"event":"reload-needs-restart","settings":"minWitnesses"/);
    await until(async () => JSON.stringify(await (await ask(url, known)).json()).includes('024 111 11 11'));
    const status = (await police.tryRun('status')).out;
    expect(status).toContain('i settings changed that need a restart of this agent: minWitnesses');
    writeFileSync(join(police.folder, 'agent.yaml'), 'listne: 7\n');
    program.child.kill('SIGHUP');
    await program.says(
      /"event":"reload-refused","reason":"[^"]*agent\.yaml:1:1: not known here: listne; did you mean listen\?"/,
    );
    expect((await fetch(`${url}/readyz`)).ok).toBe(true);
    expect(JSON.stringify(await (await ask(url, known)).json())).toContain('024 111 11 11');
  });

  it('sends traces under the identifier of the lookup, linked to the trace of the caller', async () => {
    writeFileSync(join(police.folder, 'headers'), 'x-key: geheim\n', { mode: 0o600 });
    configure((config) => ({ ...config, telemetry: { otlp: { endpoint, headersFile: 'headers' } } }));
    const { program, url } = await serve();
    const response = await ask(url, known, {
      traceparent: `00-${TRACE}-${SPAN}-01`,
      tracestate: `bsn=${known}`,
    });
    const { lookupIds } = (await response.json()) as { lookupIds: string[] };
    const traceId = Buffer.from(lookupIds[0]!, 'base64url').toString('hex');
    await until(() =>
      collector.spans().some(({ name, traceId: id }) => name === 'hitmachine.ask' && id === traceId),
    );
    const spans = collector.spans();
    expect(collector.headers[0]!['x-key']).toBe('geheim');
    const asked = spans.find((span) => span.traceId === traceId && span.name === 'hitmachine.ask')!;
    expect(asked).toMatchObject({ links: [{ traceId: TRACE, spanId: SPAN }] });
    expect(spans.some(({ name, traceId: id }) => name === 'hitmachine.answer' && id === traceId)).toBe(true);
    const text = JSON.stringify(spans);
    for (const secret of [known, 'j.jansen', 'Z-1', 'known', 'zaken']) expect(text).not.toContain(secret);
    expect(program.out).not.toContain(TRACE);
    expect(program.out).not.toContain('geheim');
  });

  it('asks on when the collector is away, and tells so once', async () => {
    configure((config) => ({ ...config, telemetry: { otlp: { endpoint: 'http://127.0.0.1:9/v1/traces' } } }));
    const { program, url } = await serve();
    expect((await ask(url, known)).status).toBe(200);
    await program.says(/"event":"traces-not-sent"/);
    expect((await ask(url, known)).status).toBe(200);
    expect(await program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(program.out.match(/traces-not-sent/g)).toHaveLength(1);
  });
});
