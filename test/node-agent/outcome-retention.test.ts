import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkLog } from '../../node-agent/src/domain/own-log/log-check.ts';
import { recordsBetween } from '../../node-agent/src/domain/own-log/log-records.ts';
import { dailyRetention } from '../../node-agent/src/domain/asking/retention.ts';
import { PURPOSE, StandInGateway } from './support/gateway.ts';
import { TestNode, numbers, registerOf } from './support/node.ts';
import { purposeFile } from './support/policy.ts';

const DAY = 86_400_000;
const [known, stranger] = numbers(2, 500_000_000) as [string, string];

describe('what came out of a lookup', () => {
  let gateway: StandInGateway;
  let police: TestNode;
  let asker: TestNode;
  let retention: () => Promise<void>;

  beforeEach(async () => {
    gateway = new StandInGateway();
    const answerDays = (days: number) => ({ retention: { lookupDays: 1_826, answerDays: days } });
    gateway.changePolicy({
      purposes: [purposeFile(PURPOSE, answerDays(3)), purposeFile('jeugdbescherming', answerDays(10))],
    });
    police = await TestNode.join(gateway, 'politie', { registers: [registerOf('zaken', ['bsn'])] });
    await police.import([known]);
    asker = await TestNode.join(gateway, 'gemeente', { registers: [] });
    await police.roster.accept(gateway.sign());
    await police.upkeep();
    const { agencyLog, clock, log } = asker;
    retention = dailyRetention({ agencyLog, retentionDays: 1_826, clock, log });
    await asker.ask([known, stranger]);
    await asker.ask([known], { purpose: 'jeugdbescherming' });
  });

  afterEach(() => Promise.all([asker.close(), police.close()]));

  const outcomes = async () =>
    (await asker.agencyLog.read(0, 20))
      .filter(({ event }) => event === 'asked')
      .map(({ detail }) => (detail as { outcomes: unknown }).outcomes);
  const both = [
    [{ 'politie/zaken': 'known' }, { 'politie/zaken': 'not-known' }],
    [{ 'politie/zaken': 'known' }],
  ];

  it('is kept as long as its purpose allows, and gone then, while that it was asked stays', async () => {
    gateway.now += 3 * DAY;
    await retention();
    expect(await outcomes()).toEqual(both);
    gateway.now += DAY;
    await retention();
    expect(await outcomes()).toEqual([[], both[1]]);
    gateway.now += 7 * DAY;
    await retention();
    expect(await outcomes()).toEqual([[], []]);
    const records = await recordsBetween(asker.agencyLog, 0, gateway.now + 1);
    expect(records).toMatchObject([
      {
        kind: 'asked',
        status: 'complete',
        outcomes: undefined,
        outcomesRemoved: true,
        detail: { professional: 'j.jansen' },
      },
      { kind: 'asked', status: 'complete', outcomes: undefined, outcomesRemoved: true },
    ]);
  });

  it('leaves the chain as it was written, with and without the key', async () => {
    const head = await asker.agencyLog.head();
    gateway.now += 30 * DAY;
    await retention();
    expect(await outcomes()).toEqual([[], []]);
    expect(await asker.agencyLog.head()).toEqual(head);
    for (const opener of [asker.agencyLog, undefined]) {
      const check = await checkLog(asker.agencyLog, { opener, anchors: [head] });
      expect([check.fault, check.removed]).toEqual([undefined, 0]);
    }
  });

  it('cannot be read by who has the file and the agency’s keys: what opens it is gone from the disk', async () => {
    const keys = asker.database.prepare('SELECT key FROM outcome_keys').all() as { key: Uint8Array }[];
    expect(keys).toHaveLength(2);
    const held = () => {
      asker.database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      const bytes = Buffer.concat([readFileSync(asker.file)]);
      return keys.map(({ key }) => bytes.includes(Buffer.from(key)));
    };
    expect(held()).toEqual([true, true]);
    gateway.now += 30 * DAY;
    await retention();
    expect(held()).toEqual([false, false]);
  });

  it('makes a problem of a log that is kept for less time than the policy wants', async () => {
    expect((await asker.status()).problems).toEqual([]);
    gateway.changePolicy({ logRetentionDays: 31 });
    await asker.roster.accept(gateway.sign());
    expect((await asker.status()).problems).toEqual([
      "log.retentionDays in agent.yaml is 30, and the federation's policy wants at least 31",
    ]);
  });
});
