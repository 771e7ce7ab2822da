import { setTimeout as delay } from 'node:timers/promises';
import { signalsSchema } from '@hitmachine/protocol';
import { describe, expect, it } from 'vitest';
import { MemoryAuditLog } from '../../gateway/src/adapters/memory/audit-log.ts';
import { Admission } from '../../gateway/src/domain/admission.ts';
import { TestAgency } from './support/agency.ts';
import { TestGateway } from './support/gateway.ts';
import { POLICY, SETTINGS, problem } from './support/fixtures.ts';

const PLENTY = { agency: { day: 1_000_000 }, professional: { day: 1_000_000 } };
const UNLIMITED = {
  ...POLICY,
  quotas: PLENTY,
  // Nobody is slowed down for asking much: that is another rule.
  signals: signalsSchema.parse({ burst: 1_000_000, atNight: 1_000_000, slowDownSeconds: 0 }),
  settings: { ...SETTINGS, lookupProof: false },
};
const LIMITS = { atOnce: 2, ofOne: 4, ofStrangers: 2, waiting: 6, waitAtMostMs: 60_000 };

/** Work that ends when it is told to. */
function held(): { readonly work: () => Promise<void>; readonly end: () => void; begun: boolean } {
  let end = (): void => undefined;
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  const one = { work: () => ((one.begun = true), over), end: () => end(), begun: false };
  return one;
}
const theirs = async (): Promise<boolean> => true;
const code = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'done',
    (error: { code: string; retryAfter: number }) => `${error.code} ${error.retryAfter}`,
  );

describe('what the gateway lets in', () => {
  it('is so much at once; agencies take turns, whoever came with how much', async () => {
    const admission = new Admission(LIMITS);
    const order: string[] = [];
    const running = [held(), held()];
    const first = running.map((one) => admission.run('greedy', one.work, theirs));
    const rest = ['greedy', 'greedy', 'ggz', 'politie', 'ggz'].map((agency) =>
      admission.run(agency, async () => void order.push(agency), theirs),
    );
    await delay(5);
    expect(order).toEqual([]);
    running.forEach(({ end }) => end());
    await Promise.all([...first, ...rest]);
    expect(order).toEqual(['greedy', 'ggz', 'politie', 'greedy', 'ggz']);
  });

  it('turns away an agency with more than its share, and the rest when too much waits, without beginning it', async () => {
    const admission = new Admission(LIMITS);
    const all = Array.from({ length: 12 }, held);
    const said = all.map((one, i) => code(admission.run(i < 6 ? 'greedy' : `a${i}`, one.work, theirs)));
    // Two are worked on, six wait; of the greedy one four in all.
    for (const i of [4, 5]) expect(await said[i]).toBe('agency-busy 1');
    for (const i of [10, 11]) expect(await said[i]).toBe('overloaded 1');
    expect(() => admission.requireRoom('a1')).toThrow('overloaded');
    for (const { end } of all) end();
    await Promise.all(said);
    expect(all.filter(({ begun }) => begun)).toHaveLength(8);
    expect(() => admission.requireRoom('a1')).not.toThrow();
    // Seen to come with too much, it is turned away unseen for a second.
    expect(() => admission.requireRoom('greedy')).toThrow('agency-busy');
    await expect
      .poll(() => code((async () => admission.requireRoom('greedy'))()), { timeout: 3_000 })
      .toBe('done');
  });

  it('is not decided by others: whoever names an agency with too much does not have it turned away unseen', async () => {
    const admission = new Admission(LIMITS);
    const all = Array.from({ length: 4 }, held);
    const said = all.map((one) => admission.run('ggz', one.work, theirs));
    let looked = 0;
    const notTheirs = async (): Promise<boolean> => {
      looked++;
      await delay(5);
      return false;
    };
    const forged = Array.from({ length: 50 }, () => code(admission.run('ggz', held().work, notTheirs)));
    expect(new Set(await Promise.all(forged))).toEqual(new Set(['agency-busy 1']));
    // One at a time was looked at, and not all of them.
    expect(looked).toBe(1);
    expect(() => admission.requireRoom('ggz')).not.toThrow();
    expect(await code(admission.run('ggz', held().work, theirs))).toBe('agency-busy 1');
    expect(() => admission.requireRoom('ggz')).toThrow('agency-busy');
    for (const { end } of all) end();
    await Promise.all(said);
  });

  it('is little of those that name no agency of the roster, all together', async () => {
    const admission = new Admission(LIMITS);
    const all = Array.from({ length: 5 }, held);
    const said = all.map((one) => code(admission.run(undefined, one.work, theirs)));
    expect(await Promise.all(said.slice(2))).toEqual(Array(3).fill('agency-busy 1'));
    const own = held();
    const other = code(admission.run('ggz', own.work, theirs));
    for (const { end } of [...all, own]) end();
    expect(await Promise.all([...said.slice(0, 2), other])).toEqual(['done', 'done', 'done']);
  });

  it('does not begin what waited for too long', async () => {
    const admission = new Admission({ ...LIMITS, atOnce: 1, waitAtMostMs: 20 });
    const [slow, late] = [held(), held()];
    const first = code(admission.run('ggz', slow.work, theirs));
    const second = code(admission.run('politie', late.work, theirs));
    await delay(60);
    slow.end();
    expect(await Promise.all([first, second])).toEqual(['done', 'overloaded 1']);
    expect(late.begun).toBe(false);
  });

  it('is nothing while the process is late with what it has', () => {
    let late = 0;
    const admission = new Admission(LIMITS, () => late);
    admission.requireRoom('ggz');
    late = 1_000;
    expect(() => admission.requireRoom('ggz')).toThrow('overloaded');
  });
});

describe('a lookup that is turned away', () => {
  const ask = (agency: TestAgency, version: number): Promise<Response> =>
    agency.call('POST', '/v1/lookups', agency.lookup(version));

  it('gets 429 or 503 with Retry-After, costs no quota and leaves nothing in the log', async () => {
    let late = 0;
    const lookups = new Admission({ ...LIMITS, atOnce: 1, ofOne: 1 }, () => late);
    const gateway = await TestGateway.make();
    Object.assign(gateway.deps, { admission: { ...gateway.deps.admission, lookups } });
    const politie = await gateway.enrolled('politie');
    const before = (await gateway.audit()).length;
    const responses = await Promise.all([ask(politie, gateway.version), ask(politie, gateway.version)]);
    const refused = responses.find(({ status }) => status !== 200) as Response;
    expect(responses.map(({ status }) => status).sort()).toEqual([200, 429]);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect((await problem(refused)).code).toBe('agency-busy');
    late = 1_000;
    const busy = await ask(politie, gateway.version);
    expect([busy.status, busy.headers.get('retry-after')]).toEqual([503, '1']);
    expect((await problem(busy)).code).toBe('overloaded');
    expect((await gateway.audit()).slice(before).map(({ event }) => event)).toEqual(['lookup']);
  });

  it('is one in a name that is on no roster, when many such come at once; an agency is answered meanwhile', async () => {
    const auditLog = new MemoryAuditLog();
    const gateway = await TestGateway.make({ auditLog });
    const politie = await gateway.enrolled('politie');
    const strangers = ['nobody', 'noone', 'nowhere'].map(
      (id) => new TestAgency(id, (path, init) => gateway.request(path, init), gateway.clock.now),
    );
    // A directory that is slow, so that what comes has to wait.
    const agency = gateway.deps.directory.agency.bind(gateway.deps.directory);
    gateway.deps.directory.agency = async (id) => {
      await delay(50);
      return agency(id);
    };
    const body = politie.lookup(gateway.version);
    const flood = Array.from({ length: 60 }, (_, i) =>
      (strangers[i % 3] as TestAgency).call('POST', '/v1/lookups', body),
    );
    const own = await politie.call('POST', '/v1/lookups', body);
    expect(own.status).toBe(200);
    const statuses = (await Promise.all(flood)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 429)).toHaveLength(44);
    expect(statuses.filter((status) => status === 401)).toHaveLength(16);
  });

  it('is one of an agency that asks too much at once: another one is answered before most of those', async () => {
    const auditLog = new MemoryAuditLog();
    const gateway = await TestGateway.make({ auditLog, policy: UNLIMITED });
    const [greedy, modest] = [await gateway.enrolled('greedy'), await gateway.enrolled('modest')];
    // A disk that is slow, so that what comes has to wait.
    const append = auditLog.append.bind(auditLog);
    auditLog.append = async (...entry) => {
      await delay(50);
      return append(...entry);
    };
    const body = greedy.lookup(gateway.version);
    let done = 0;
    const flood = Array.from({ length: 300 }, async () => {
      const { status } = await greedy.call('POST', '/v1/lookups', body);
      done++;
      return status;
    });
    const other = await modest.call('POST', '/v1/lookups', modest.lookup(gateway.version));
    const before = done;
    const statuses = await Promise.all(flood);
    expect(other.status).toBe(200);
    expect(statuses.filter((status) => status === 429)).toHaveLength(44);
    expect(statuses.filter((status) => status === 200)).toHaveLength(256);
    // Those that were worked on already, and those that were turned away at once.
    expect(before).toBeLessThan(44 + 128);
  });
});
