import { setTimeout as delay } from 'node:timers/promises';
import { HitError } from '@hitmachine/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryAuditLog } from '../../gateway/src/adapters/memory/audit-log.ts';
import { MemoryDirectory } from '../../gateway/src/adapters/memory/directory.ts';
import { keepFollowingDirectory } from '../../gateway/src/domain/membership.ts';
import { removeAgency } from '../../gateway/src/domain/removal.ts';
import { AgentSocket } from './support/agent-socket.ts';
import type { TestAgency } from './support/agency.ts';
import { POLICY, SETTINGS, problem, random } from './support/fixtures.ts';
import { TestGateway } from './support/gateway.ts';
import { questionsRequest, reports } from './support/questions.ts';
import { SocketGateway } from './support/running-gateway.ts';

describe('an agency that was taken off while the gateway runs', () => {
  let gateway: SocketGateway;
  let politie: TestAgency;
  let ggz: TestAgency;

  beforeEach(async () => {
    // An answer may take its time here.
    const settings = { ...SETTINGS, answerTimeoutMs: 10_000 };
    gateway = await new SocketGateway({ policy: { ...POLICY, settings } }).start();
    politie = await gateway.enrolled('politie');
    ggz = await gateway.enrolled('ggz', ['volwassenen']);
  });
  afterEach(() => gateway.remove());

  /** As `hit-gateway agency remove` does it, beside the gateway. */
  const remove = (id: string) => removeAgency({ ...gateway.store, runtime: { now: Date.now, random } }, id);

  /** A question of the police that has reached the clinic's agent; the reports come when the lookup is over. */
  async function underWay() {
    const agent = await AgentSocket.open(gateway.url, ggz);
    const mine = await AgentSocket.open(gateway.url, politie);
    const waiting = new Promise<number>((resolve) => {
      agent.onDelivery = ({ delivery }) => void resolve(delivery);
    });
    const opened = await politie.opened(await gateway.version(), { registers: ['ggz/volwassenen'] });
    const path = `/v1/lookups/${opened.lookupId}/questions`;
    const asked = politie.send(path, questionsRequest(opened, ['ggz'])).then(reports);
    return { agent, mine, asked, delivery: await waiting };
  }

  it('loses its connection and its place on the roster, and the others hear of it', async () => {
    const [gone, stays] = [
      await AgentSocket.open(gateway.url, politie),
      await AgentSocket.open(gateway.url, ggz),
    ];
    const version = await gateway.version();
    await remove('politie');
    const since = performance.now();
    expect(await gone.closed).toBe(1008);
    // A second on a machine that is not busy.
    expect(performance.now() - since).toBeLessThan(10_000);
    expect((await stays.heard('roster-changed')).rosterVersion).toBe(version + 1);
    expect(stays.socket.readyState).toBe(stays.socket.OPEN);
    stays.socket.terminate();
  });

  it('is refused at once, as a stranger is', async () => {
    await remove('politie');
    for (const [method, path, body] of [
      ['PUT', '/v1/registers', { registers: [] }],
      ['POST', '/v1/lookups', politie.lookup(await gateway.version())],
    ] as const)
      expect(await problem(await politie.call(method, path, body))).toMatchObject({
        status: 401,
        code: 'signature-invalid',
      });
    expect((await ggz.call('PUT', '/v1/registers', { registers: [] })).status).toBe(200);
  });

  it('puts no more questions in a lookup that it had opened', async () => {
    const agent = await AgentSocket.open(gateway.url, ggz);
    const opened = await politie.opened(await gateway.version(), { registers: ['ggz/volwassenen'] });
    await remove('politie');
    const path = `/v1/lookups/${opened.lookupId}/questions`;
    const refused = await politie.send(path, questionsRequest(opened, ['ggz']));
    expect(await problem(refused)).toMatchObject({ status: 401, code: 'unauthorised' });
    expect(agent.frames.filter(({ type }) => type === 'delivery')).toEqual([]);
    agent.socket.terminate();
  });

  it('hears nothing more of a lookup that is under way', async () => {
    const { agent, mine, asked, delivery } = await underWay();
    await remove('politie');
    expect(await mine.closed).toBe(1008);
    agent.reply(delivery, { outcome: 'answered', ciphertext: new Uint8Array([7]) });
    expect(await asked).toEqual([]);
    expect((await gateway.audit()).find(({ event }) => event === 'answer')).toMatchObject({
      outcome: 'abandoned',
    });
    agent.socket.terminate();
  });

  it('hears nothing more of it while the gateway stops either', async () => {
    const { agent, mine, asked, delivery } = await underWay();
    const before = await gateway.version();
    // While the question is under way the gateway waits, and its database stays open.
    const stopped = gateway.stop();
    await remove('politie');
    const { directory } = gateway.store;
    await expect
      .poll(async () => (await directory.latestRoster())?.version, { timeout: 5_000 })
      .toBe(before + 1);
    expect(await mine.closed).toBe(1008);
    agent.reply(delivery, { outcome: 'answered', ciphertext: new Uint8Array([7]) });
    expect(await asked).toEqual([]);
    await stopped;
    agent.socket.terminate();
  });

  it('is no longer waited for as a node in a lookup that is under way', async () => {
    const { asked } = await underWay();
    await remove('ggz');
    expect(await asked).toEqual([{ node: 'ggz', outcome: 'connection-lost', ciphertext: undefined }]);
  });

  it('keeps its entries in the log, and can be invited again', async () => {
    await remove('politie');
    const events = (await gateway.audit()).filter((entry) => 'agency' in entry && entry.agency === 'politie');
    expect(events).toMatchObject([
      { event: 'agency-invited', again: false },
      { event: 'enrolment', identityKey: politie.identityKey },
      { event: 'agency-removed', enrolled: true },
    ]);
    const again = await gateway.enrolled('politie');
    expect((await again.call('PUT', '/v1/registers', { registers: [] })).status).toBe(200);
    expect((await politie.call('PUT', '/v1/registers', { registers: [] })).status).toBe(401);
  });
});

describe('removing', () => {
  it('of an agency that is not there is refused and not logged', async () => {
    const gateway = await TestGateway.make();
    await expect(removeAgency(gateway.deps, 'politie')).rejects.toMatchObject({ code: 'unknown-agency' });
    expect((await gateway.audit()).map(({ event }) => event)).toEqual(['policy', 'roster']);
  });

  it('is not done when it cannot be logged', async () => {
    class FullDisk extends MemoryAuditLog {
      full = false;
      override append(...entry: Parameters<MemoryAuditLog['append']>): ReturnType<MemoryAuditLog['append']> {
        return this.full ? Promise.reject(new HitError('storage-failed')) : super.append(...entry);
      }
    }
    const auditLog = new FullDisk();
    const gateway = await TestGateway.make({ auditLog });
    await gateway.enrolled('politie');
    auditLog.full = true;
    await expect(removeAgency(gateway.deps, 'politie')).rejects.toMatchObject({ code: 'storage-failed' });
    expect(await gateway.deps.directory.agency('politie')).toBeDefined();
  });

  it('is looked for by one look at a time, however long that takes', async () => {
    class Slow extends MemoryDirectory {
      looks = 0;
      most = 0;
      override async agencies(): ReturnType<MemoryDirectory['agencies']> {
        this.most = Math.max(this.most, ++this.looks);
        await delay(1_200);
        this.looks--;
        return super.agencies();
      }
    }
    const gateway = await TestGateway.make();
    const directory = new Slow();
    const following = keepFollowingDirectory({ ...gateway.deps, directory });
    await delay(2_200);
    expect(directory.most).toBe(1);
    await following.stop();
    expect(directory.looks).toBe(0);
  });

  it('goes on being looked for when the directory could not be read for a while, which is logged once', async () => {
    class Flaky extends MemoryDirectory {
      broken = false;
      override agencies(): ReturnType<MemoryDirectory['agencies']> {
        return this.broken ? Promise.reject(new Error('disk gone')) : super.agencies();
      }
    }
    const directory = new Flaky();
    const gateway = await TestGateway.make({ directory });
    await gateway.enrolled('politie');
    directory.broken = true;
    const following = keepFollowingDirectory(gateway.deps);
    const failures = () => gateway.lines.filter(({ event }) => event === 'directory-not-read').length;
    await expect.poll(failures, { timeout: 3_000 }).toBe(1);
    await new Promise((resolve) => {
      setTimeout(resolve, 1_200);
    });
    expect(failures()).toBe(1);
    directory.broken = false;
    await removeAgency(gateway.deps, 'politie');
    await expect.poll(() => gateway.deps.roster.current.roster.agencies, { timeout: 3_000 }).toEqual([]);
    await following.stop();
  });
});
