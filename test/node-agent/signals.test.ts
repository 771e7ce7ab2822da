import { HitError } from '@hitmachine/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { professionalPseudonym } from '../../node-agent/src/domain/pseudonymise.ts';
import { StandInGateway } from './support/gateway.ts';
import { TestNode, numbers, registerOf } from './support/node.ts';
import { PURPOSE } from './support/gateway.ts';

const MINUTE = 60_000;
const [known] = numbers(1, 500_000_000) as [string];
/** Far enough from each other not to be numbers in a row. */
const strangers = numbers(400, 600_000_000).filter((_, i) => i % 20 === 0);

describe('what does not look like work on a case', () => {
  let gateway: StandInGateway;
  let asker: TestNode;
  let police: TestNode;

  beforeEach(async () => {
    gateway = new StandInGateway();
    gateway.changePolicy({
      signals: { burst: 6, withoutHits: 4, consecutiveNumbers: 5, slowDownSeconds: 30, slowDownMinutes: 60 },
    });
    police = await TestNode.join(gateway, 'politie', { registers: [registerOf('zaken', ['bsn'])] });
    await police.import([known]);
    await police.upkeep();
    asker = await TestNode.join(gateway, 'gemeente', { registers: [] });
    await police.roster.accept(gateway.sign());
  });

  afterEach(() => Promise.all([asker.close(), police.close()]));

  const signals = async (node: TestNode) =>
    (await node.agencyLog.read(0, 200)).filter(({ event }) => event === 'signal').map(({ detail }) => detail);

  it('is seen where nobody else can see it: persons without hits, one after another', async () => {
    for (const bsn of strangers.slice(0, 4)) await asker.ask([bsn]);
    expect(await signals(asker)).toEqual([
      { signal: 'without-hits', side: 'asking', who: 'j.jansen', count: 4 },
    ]);
    await asker.notices.send();
    const professional = professionalPseudonym(asker.keys, 'j.jansen');
    // Another spelling makes nobody a second person.
    expect(professionalPseudonym(asker.keys, ' J.Jansen')).toBe(professional);
    expect(gateway.signals).toEqual([{ agency: 'gemeente', professional, signal: 'without-hits', count: 4 }]);
    // Of the persons not a word, in the log of this agency's own programs either.
    const told = JSON.stringify([gateway.signals, asker.log.lines, await signals(asker)]);
    for (const bsn of strangers.slice(0, 4)) expect(told).not.toContain(bsn);
    expect(JSON.stringify(asker.log.lines)).not.toContain('j.jansen');
  });

  it('is not: an answer that did not come is no person without hits', async () => {
    gateway.nodes.delete('politie');
    for (const bsn of strangers.slice(0, 5)) await asker.ask([bsn]);
    expect(await signals(asker)).toEqual([]);
  });

  it('are numbers in a row, which slow the professional down, and nobody else', async () => {
    await asker.ask(numbers(5, 700_000_000));
    expect(await signals(asker)).toEqual([
      expect.objectContaining({ signal: 'consecutive-numbers', count: 5 }),
      expect.objectContaining({ signal: 'without-hits', count: 5 }),
    ]);
    gateway.now += 10_000;
    await expect(asker.ask([known], { professional: ' J.Jansen' })).rejects.toMatchObject({
      code: 'quota-exceeded',
      rule: 'slowed-down',
      retryAfter: 20,
    });
    await asker.ask([known], { professional: 'p.pietersen' });
    gateway.now += 20_000;
    await asker.ask([known]);
    await expect(asker.ask([known])).rejects.toMatchObject({ rule: 'slowed-down', retryAfter: 30 });
    gateway.now += 60 * MINUTE;
    await asker.ask([known]);
    await asker.ask([known]);
  });

  it('is told only, where the policy slows nobody down', async () => {
    gateway.changePolicy({ signals: { ...gateway.policy.signals, slowDownSeconds: 0 } });
    await police.roster.accept(gateway.sign());
    await asker.ask(numbers(5, 700_000_000));
    await asker.ask([known]);
    expect(await signals(asker)).toHaveLength(2);
  });

  it('is seen at the node by the agency that asks, of whose professionals it knows nothing', async () => {
    for (const professional of ['een', 'twee', 'drie', 'vier'])
      await asker.ask([known, strangers[1]!], { professional });
    expect(await signals(asker)).toEqual([]);
    expect(await signals(police)).toEqual([
      { signal: 'burst', side: 'answering', who: 'gemeente', count: 8 },
    ]);
  });

  it('is not, for a purpose that is exempt', async () => {
    gateway.changePolicy({ signals: { ...gateway.policy.signals, exempt: [PURPOSE] } });
    await police.roster.accept(gateway.sign());
    for (let i = 0; i < 4; i++) await asker.ask([known, strangers[i]!, strangers[i + 5]!]);
    expect([...(await signals(asker)), ...(await signals(police))]).toEqual([]);
  });

  it('waits for a gateway that is away, and is left out by one that will not have it', async () => {
    gateway.beforeNotice = async () => {
      throw new HitError('gateway-unreachable');
    };
    for (const bsn of strangers.slice(0, 4)) await asker.ask([bsn]);
    await asker.notices.send();
    expect([asker.notices.waiting, gateway.signals]).toEqual([1, []]);
    gateway.beforeNotice = async () => undefined;
    await asker.notices.send();
    expect([asker.notices.waiting, gateway.signals.length]).toEqual([0, 1]);
    gateway.beforeNotice = async () => {
      throw new HitError('not-found');
    };
    gateway.now += 61 * MINUTE;
    await police.canary();
    for (const bsn of strangers.slice(5, 9)) await asker.ask([bsn]);
    await asker.notices.send();
    expect([asker.notices.waiting, gateway.signals.length]).toEqual([0, 1]);
    expect(await signals(asker)).toHaveLength(2);
  });
});
