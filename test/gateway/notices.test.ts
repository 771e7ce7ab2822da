import type { Logged, SignalReport } from '@hitmachine/protocol';
import { REVIEWS_PATH, SIGNALS_PATH, decodeBase64, decodeEntry, encodeBase64 } from '@hitmachine/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import type { TestAgency } from './support/agency.ts';
import { POLICY, URGENT, problem } from './support/fixtures.ts';
import { TestGateway } from './support/gateway.ts';

const who = (n: number): string => encodeBase64(new Uint8Array(16).fill(n));
const signals = { ...POLICY.signals, burst: 5, atNight: 2, slowDownSeconds: 30, slowDownMinutes: 10 };

let gateway: TestGateway;
let politie: TestAgency;

beforeEach(async () => {
  gateway = await TestGateway.make({ policy: { ...POLICY, signals } });
  politie = await gateway.enrolled('politie');
});

const ask = (change: object = {}, agency = politie): Promise<Response> =>
  agency.call('POST', '/v1/lookups', agency.lookup(gateway.version, { professional: who(1), ...change }));
const told = async (): Promise<object[]> =>
  (await gateway.audit()).filter(({ event }) => event === 'signal' || event === 'lookup-refused');

describe('a professional who asks about many', () => {
  it('is told of in the log, once, and has to wait between two lookups for a while', async () => {
    expect((await ask({ persons: 4 })).status).toBe(200);
    expect(await told()).toEqual([]);
    expect((await ask({ persons: 2 })).status).toBe(200);
    expect(await told()).toMatchObject([
      { event: 'signal', agency: 'politie', professional: who(1), signal: 'burst', count: 6 },
    ]);
    const refused = await ask();
    expect(refused.headers.get('retry-after')).toBe('30');
    expect(await problem(refused)).toMatchObject({
      status: 429,
      code: 'quota-exceeded',
      rule: 'slowed-down',
    });
    expect(await told()).toMatchObject([
      { event: 'signal' },
      { code: 'quota-exceeded', rule: 'slowed-down' },
    ]);
    gateway.clock.time += 30_000;
    expect((await ask()).status).toBe(200);
    expect((await ask()).status).toBe(429);
    gateway.clock.time += 10 * 60_000;
    for (let i = 0; i < 3; i++) expect((await ask()).status).toBe(200);
    expect((await told()).filter((entry) => 'signal' in entry)).toHaveLength(1);
  });

  it('does not slow down colleagues, others of the same pseudonym, or the watch over registers', async () => {
    const ggz = await gateway.enrolled('ggz');
    for (let i = 0; i < 2; i++) await ask({ persons: 4 });
    expect((await ask()).status).toBe(429);
    expect((await ask({ professional: who(2) })).status).toBe(200);
    expect((await ask({}, ggz)).status).toBe(200);
    const canary = { purpose: 'canary', role: 'agent', persons: 1, registers: ['politie/incidenten'] };
    expect((await ask(canary)).status).toBe(200);
  });

  it('is told of for the night, by the clock on the wall', async () => {
    gateway.clock.time = Date.UTC(2026, 6, 15, 21, 30);
    for (let i = 0; i < 3; i++) await ask({ professional: who(i % 2) });
    await ask({ professional: who(0) });
    expect(await told()).toMatchObject([{ signal: 'at-night', professional: who(0), count: 3 }]);
  });

  it('is left alone where the policy says so', async () => {
    const exempt = { ...signals, exempt: ['casusoverleg'] };
    gateway = await TestGateway.make({ policy: { ...POLICY, signals: exempt } });
    politie = await gateway.enrolled('politie');
    for (let i = 0; i < 3; i++) expect((await ask({ persons: 4 })).status).toBe(200);
    expect(await told()).toEqual([]);
  });
});

describe('POST /v1/signals', () => {
  const report: SignalReport = { professional: who(1), signal: 'without-hits', count: 40 };

  it('enters what an agency tells in the log, signed', async () => {
    const response = await politie.call('POST', SIGNALS_PATH, report);
    expect(response.status).toBe(200);
    const { entry } = (await response.json()) as Logged;
    expect(decodeEntry(decodeBase64(entry))).toMatchObject({
      event: 'signal-reported',
      agency: 'politie',
      body: JSON.stringify(report),
    });
    const [found] = await gateway.deps.search.find(
      { professional: who(1), status: 'without-hits' },
      undefined,
      5,
    );
    expect(found?.entry.event).toBe('signal-reported');
  });

  it('takes what is well-formed alone, and not without end', async () => {
    const wrong = await politie.call('POST', SIGNALS_PATH, { ...report, subject: '999990019' });
    expect(await problem(wrong)).toMatchObject({ status: 400, code: 'field-invalid' });
    expect(JSON.stringify(await gateway.audit())).not.toContain('999990019');
    for (let i = 0; i < 20; i++) expect((await politie.call('POST', SIGNALS_PATH, report)).status).toBe(200);
    expect(await problem(await politie.call('POST', SIGNALS_PATH, report))).toMatchObject({ status: 429 });
    expect((await gateway.audit()).at(-1)).toMatchObject({ event: 'signal-refused', code: 'quota-exceeded' });
  });
});

describe('POST /v1/reviews', () => {
  const urgent = { purpose: URGENT.code, breakGlass: true, professional: who(1) } as const;
  const review = (lookupId: string, change: object = {}, agency = politie): Promise<Response> =>
    agency.call('POST', REVIEWS_PATH, { lookupId, verdict: 'justified', reviewer: who(9), ...change });

  it('enters the review of a lookup in need in the log, once', async () => {
    const { lookupId } = await politie.opened(gateway.version, urgent);
    expect((await review(lookupId)).status).toBe(200);
    expect((await gateway.audit()).at(-1)).toMatchObject({ event: 'review', agency: 'politie' });
    const again = await review(lookupId, { verdict: 'not-justified' });
    expect(await problem(again)).toMatchObject({ status: 409, code: 'already-exists' });
  });

  it('takes one of two at the same moment', async () => {
    const { lookupId } = await politie.opened(gateway.version, urgent);
    const statuses = await Promise.all([review(lookupId), review(lookupId)]);
    expect(statuses.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  it('is for a lookup in need of one’s own agency, by somebody else', async () => {
    const ggz = await gateway.enrolled('ggz');
    const { lookupId } = await politie.opened(gateway.version, urgent);
    const plain = await politie.opened(gateway.version);
    expect(await problem(await review(lookupId, {}, ggz))).toMatchObject({ code: 'unknown-lookup' });
    expect(await problem(await review(plain.lookupId))).toMatchObject({
      code: 'not-allowed',
      fields: [{ field: 'lookupId' }],
    });
    expect(await problem(await review(lookupId, { reviewer: who(1) }))).toMatchObject({
      code: 'not-allowed',
      fields: [{ field: 'reviewer' }],
    });
    expect((await review(lookupId)).status).toBe(200);
  });
});
