import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bytesToHex } from '@hitmachine/protocol';
import { StandInGateway, T0 } from './support/gateway.ts';
import { TestNode, numbers, wordOf } from './support/node.ts';

const [known] = numbers(1, 160_000_000) as [string];
const REGISTER = 'politie/incidenten';
const HOUR = 3_600_000;

describe('sessions between two agencies', () => {
  const gateway = new StandInGateway();
  let police: TestNode;
  let asker: TestNode;

  beforeAll(async () => {
    police = await TestNode.join(gateway, 'politie', { kem: 'mlkem768-x25519', canaryStaleMs: 100 * HOUR });
    asker = await TestNode.join(gateway, 'gemeente', { registers: [] });
    await police.import([known]);
    await police.upkeep();
  });

  afterEach(() => {
    gateway.changeReport = (report) => report;
    gateway.nodes.set('politie', (delivery) => police.answer(delivery));
  });

  afterAll(async () => {
    await police.close();
    await asker.close();
  });

  const sessionsOf = (from: number) =>
    new Set(gateway.deliveries.slice(from).map(({ question }) => bytesToHex(question.sessionId)));
  const ask = async () => wordOf((await asker.ask([known]))[0]![REGISTER]);

  it('opens one session when many lookups come at once, and numbers the questions', async () => {
    const from = gateway.deliveries.length;
    const words = await Promise.all(Array.from({ length: 10 }, ask));
    expect(new Set(words)).toEqual(new Set(['known']));
    expect(sessionsOf(from).size).toBe(1);
    const counters = gateway.deliveries.slice(from).map(({ question }) => question.counter);
    expect(new Set(counters).size).toBe(10);
  });

  it('sends the opening along until the node has answered, and no longer', async () => {
    await ask();
    expect(gateway.deliveries.at(-1)!.question.opening).toBeUndefined();
    await asker.restart();
    gateway.nodes.delete('politie');
    expect(await ask()).toBe('no-answer: not-connected');
    gateway.nodes.set('politie', (delivery) => police.answer(delivery));
    expect(await ask()).toBe('known');
    expect(gateway.deliveries.at(-1)!.question.opening).toBeDefined();
    await ask();
    expect(gateway.deliveries.at(-1)!.question.opening).toBeUndefined();
  });

  it('renews a session before it expires, and never uses a number twice in one', async () => {
    await ask();
    const first = [...sessionsOf(gateway.deliveries.length - 1)][0];
    gateway.now += HOUR - 61_000;
    expect(await ask()).toBe('known');
    expect([...sessionsOf(gateway.deliveries.length - 1)][0]).toBe(first);
    gateway.now += 2_000;
    expect(await ask()).toBe('known');
    expect([...sessionsOf(gateway.deliveries.length - 1)][0]).not.toBe(first);
    const used = gateway.deliveries.map(
      ({ question }) => `${bytesToHex(question.sessionId)} ${question.counter}`,
    );
    expect(new Set(used).size).toBe(used.length);
  });

  it('renews only once when many lookups come at the moment of renewal', async () => {
    gateway.now += HOUR;
    const from = gateway.deliveries.length;
    await Promise.all(Array.from({ length: 5 }, ask));
    expect(sessionsOf(from).size).toBe(1);
  });

  it('asks again by itself, once, when the node was restarted', async () => {
    await ask();
    await police.restart();
    await police.canary();
    const from = gateway.deliveries.length;
    expect(await ask()).toBe('known');
    expect(gateway.deliveries.length - from).toBe(2);
    expect(sessionsOf(from).size).toBe(2);
  });

  it('opens one new session when several lookups find out at once that the node was restarted', async () => {
    await ask();
    await police.restart();
    await police.canary();
    const from = gateway.deliveries.length;
    const words = await Promise.all(Array.from({ length: 6 }, ask));
    expect(new Set(words)).toEqual(new Set(['known']));
    expect(sessionsOf(from).size).toBe(2);
  });

  it('gives up after the second time when the node keeps saying that it does not know the session', async () => {
    const from = gateway.deliveries.length;
    gateway.changeReport = ({ node }) => ({ node, outcome: 'session-unknown', ciphertext: undefined });
    expect(await ask()).toBe('no-answer: rejected');
    expect(gateway.deliveries.length - from).toBe(2);
  });

  it('holds a bounded number of sessions of one asker, and none of the others is pushed out', async () => {
    const other = await TestNode.join(gateway, 'reclassering', { registers: [] });
    await police.roster.accept(gateway.sign());
    await other.ask([known]);
    const theirs = gateway.deliveries.at(-1)!.question.sessionId;
    for (let i = 0; i < 40; i++) {
      await asker.restart();
      expect(await ask()).toBe('known');
    }
    await other.ask([known]);
    expect(gateway.deliveries.at(-1)!.question.sessionId).toEqual(theirs);
    await expect(
      police.incoming.find('gemeente', gateway.deliveries.at(-60)!.question.sessionId, undefined),
    ).rejects.toMatchObject({ code: 'session-unknown' });
    await other.close();
  });

  it('takes numbers out of order, but none twice and none that is far behind', async () => {
    const { outgoing } = await asker.outgoing.next('politie');
    const session = await police.incoming.find('gemeente', outgoing.session.id, outgoing.opening);
    for (const counter of [90, 70, 80, 5_000]) police.incoming.use(session, counter);
    for (const counter of [70, 80, 90, 5_000, 100])
      expect(() => police.incoming.use(session, counter)).toThrow(/replayed/);
    police.incoming.use(session, 4_999);
    for (let counter = 5_001; counter < 30_000; counter++) police.incoming.use(session, counter);
    expect(() => police.incoming.use(session, 4_998)).toThrow(/replayed/);
  });

  it('throws away an expired session, and takes no question in it', async () => {
    await asker.restart();
    await ask();
    const { sessionId } = gateway.deliveries.at(-1)!.question;
    gateway.now += HOUR + 1;
    await expect(police.incoming.find('gemeente', sessionId, undefined)).rejects.toMatchObject({
      code: 'session-unknown',
    });
    expect(await ask()).toBe('known');
    gateway.now = T0 + 48 * HOUR;
  });
});
