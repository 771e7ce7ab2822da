import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Logged } from '@hitmachine/protocol';
import { HitError, decodeBase64, decodeEntry } from '@hitmachine/protocol';
import { logStatusOf } from '../../node-agent/src/domain/own-log/log-status.ts';
import { openLogStores } from '../../node-agent/src/open-log-watch.ts';
import type { LookupEntry } from './support/gateway.ts';
import { StandInGateway, backend } from './support/gateway.ts';
import { TestNode, numbers, wordOf } from './support/node.ts';
import { grow } from './support/watching.ts';

const [known] = numbers(1, 172_000_000) as [string];
const MINUTE = 60_000;

describe('looking up in the log what was asked and answered', () => {
  let gateway: StandInGateway;
  let police: TestNode;
  let asker: TestNode;

  beforeEach(async () => {
    gateway = new StandInGateway();
    police = await TestNode.join(gateway, 'politie');
    asker = await TestNode.join(gateway, 'gemeente', { registers: [] });
    await police.import([known]);
    await police.upkeep();
    await asker.roster.accept(gateway.sign());
  });

  afterEach(async () => {
    await police.close();
    await asker.close();
  });

  const ask = async (): Promise<void> => {
    gateway.now += 1_000;
    const [result] = await asker.ask([known], { registers: ['politie/incidenten'] });
    expect(wordOf(result!['politie/incidenten'])).toBe('known');
  };
  const receipts = () =>
    asker.database.prepare('SELECT lookup_id, state FROM receipts ORDER BY at').all() as {
      lookup_id: string;
      state: string;
    }[];
  const states = (): string[] => receipts().map(({ state }) => state);
  const alarms = async (node: TestNode): Promise<string[]> =>
    (await node.watch.store.alarms(true)).map(({ kind }) => kind);
  /** Time goes by, the log grows, and the agents see a checkpoint before and after. */
  const later = async (): Promise<void> => {
    for (let i = 0; i < 2; i++) {
      gateway.now += 2 * MINUTE;
      grow(gateway.log, 1);
      for (const node of [police, asker]) {
        await node.watch.handler.published(new TextEncoder().encode(gateway.logFor(node.id).checkpoint));
        await node.watch.view.checkPending();
      }
    }
  };

  /** Of this lookup the gateway shows nothing that would settle it. */
  const spoil = (how: (logged: Logged) => Logged): { lookupId: string } => {
    const spoilt = { lookupId: '' };
    gateway.changeLogged = (logged) => {
      const { lookupId } = decodeEntry(decodeBase64(logged.entry)) as LookupEntry;
      return lookupId === spoilt.lookupId ? how(logged) : logged;
    };
    return spoilt;
  };
  const fail = (): never => {
    throw new HitError('internal');
  };

  it.each<readonly [string, (logged: Logged) => Logged]>([
    ['fails', fail],
    ['gives a proof of nothing', ({ entry }) => ({ entry, receipt: 'trust me' })],
  ])('goes on with the other lookups when the gateway %s about one', async (_, how) => {
    const spoilt = spoil(how);
    for (let i = 0; i < 3; i++) await ask();
    spoilt.lookupId = receipts()[0]!.lookup_id;
    await later();
    await Promise.allSettled([police.watch.round(), asker.watch.round()]);
    expect(states()).toEqual(['kept', 'settled', 'settled']);
    // The node has only the first one left to look for, and remembers that over a restart.
    const [first] = (await police.agencyLog.read(0, 100)).filter(({ event }) => event === 'answered');
    expect((await police.watch.settling.waiting()).since).toBe(first!.at);
    expect(await police.watch.store.comparedUpTo()).toBe(first!.sequence - 1);
    spoilt.lookupId = '';
    await police.restart();
    await police.watch.round();
    await asker.watch.round();
    expect(states()).toEqual(['settled', 'settled', 'settled']);
    expect((await police.watch.settling.waiting()).since).toBeUndefined();
    expect([...(await alarms(asker)), ...(await alarms(police))]).toEqual([]);
  });

  it('asks about many lookups with one request', async () => {
    for (let i = 0; i < 3; i++) await ask();
    await later();
    let requests = 0;
    gateway.beforeShowing = async () => void requests++;
    await police.watch.round();
    // The checkpoint, and all that was answered.
    expect(requests).toBe(2);
    expect((await police.watch.settling.waiting()).since).toBeUndefined();
  });

  it('leaves a gateway of an earlier version alone, which knows no such request, without an alarm', async () => {
    const spoilt = spoil(() => {
      throw new HitError('not-found');
    });
    await ask();
    spoilt.lookupId = receipts()[0]!.lookup_id;
    await later();
    await expect(police.watch.round()).rejects.toMatchObject({ code: 'not-found' });
    expect((await police.watch.settling.waiting()).since).toBeDefined();
    expect(await alarms(police)).toEqual([]);
  });

  it('goes on behind two hundred that wait', async () => {
    await ask();
    const [{ lookup_id: lookupId, at }] = asker.database
      .prepare('SELECT lookup_id, at FROM receipts')
      .all() as unknown as [{ lookup_id: string; at: number }];
    const { receiptStore } = openLogStores(asker.stores, backend, asker.keys);
    const { receipt, leaf } = (await receiptStore.find(lookupId))!;
    for (let i = 0; i < 250; i++)
      await receiptStore.keep({ lookupId: `AAAA${i}`, at: at - 1_000 + i, leaf, receipt });
    await asker.watch.round();
    expect(states().filter((state) => state === 'settled')).toHaveLength(1);
    expect(await alarms(asker)).toEqual([]);
  });

  it('finds a missing entry behind one that waits, and gives one alarm for it, also after a restart', async () => {
    const spoilt = spoil(fail);
    await ask();
    spoilt.lookupId = receipts()[0]!.lookup_id;
    asker.watch.receipts.accept = async () => undefined;
    const whole = gateway.log;
    const aside = gateway.log.copy();
    gateway.logFor = (agency) => (agency === 'gemeente' ? aside : whole);
    await ask();
    await later();
    for (let i = 0; i < 2; i++) {
      await police.watch.round().catch(() => undefined);
      expect(await alarms(police)).toEqual(['entry-missing']);
      // It goes on answering: told, and no reason to take it for one that cannot.
      const { problems, notices } = await logStatusOf(police.watch, police.clock);
      expect([problems, notices]).toEqual([[], [expect.stringMatching(/\(entry-missing\)/)]]);
      await police.restart();
      await later();
    }
    // The gateway may have been killed between the answer and its entry; the words say whom to ask.
    expect((await police.watch.store.alarms(true))[0]!.detail).toMatch(
      /gateway stopped while the question was on its way.*hit-gateway audit reconcile/,
    );
  });
});
