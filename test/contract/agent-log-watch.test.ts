import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret, loadSodium } from '@hitmachine/protocol';
import type { AgentDatabase } from '../../node-agent/src/adapters/database.ts';
import type { AgencyKeys } from '../../node-agent/src/domain/keys.ts';
import { openLogStores } from '../../node-agent/src/open-log-watch.ts';
import type { LogStore, NewAlarm, SeenHead, SignedHead } from '../../node-agent/src/ports/log-store.ts';
import type { ReceiptStore } from '../../node-agent/src/ports/receipt-store.ts';
import { overDatabases } from './support/agent-databases.ts';

const backend = await loadSodium();
const T0 = Date.UTC(2026, 2, 2);
const keys = { logKey: new Secret(new Uint8Array(32).fill(3)) } as unknown as AgencyKeys;
const head = (size: number, fill = size): SignedHead => ({
  size,
  root: new Uint8Array(32).fill(fill),
  note: `note ${size} ${fill}\n`,
});
const alarm = (kind: NewAlarm['kind'], detail: string = kind): NewAlarm => ({
  kind,
  at: T0,
  detail,
  evidence: ['een', 'twee'],
});

overDatabases("what an agent keeps of the gateway's log", (databases) => {
  let place: string;
  let database: AgentDatabase;
  let store: LogStore;
  let receipts: ReceiptStore;

  const open = async (): Promise<void> => {
    ({ database } = await databases.open(place));
    ({ store, receiptStore: receipts } = openLogStores(database, backend, keys));
  };
  /** What a process finds that starts after this one. */
  const reopen = async (): Promise<void> => {
    if (!databases.durable) return;
    await database.close();
    await open();
  };

  beforeEach(async () => {
    place = await databases.place();
    await open();
  });

  afterEach(async () => {
    await database.close();
    databases.remove(place);
  });

  describe('heads', () => {
    it('are none at first, and then those that were advanced to', async () => {
      expect(await store.heads()).toEqual({ newest: undefined, cosigned: undefined, offered: undefined });
      expect(await store.advance(undefined, { newest: head(3) })).toBe(true);
      expect(await store.advance(head(3), { newest: head(5), cosigned: head(4) })).toBe(true);
      await store.offer(head(9));
      await reopen();
      expect(await store.heads()).toEqual({ newest: head(5), cosigned: head(4), offered: head(9) });
    });

    it('never let the cosigned one go back, nor to another log of its size', async () => {
      await store.advance(undefined, { newest: head(9), cosigned: head(7) });
      for (const cosigned of [head(6), head(7, 1)])
        expect(await store.advance(head(9), { cosigned })).toBe(false);
      expect((await store.heads()).cosigned).toEqual(head(7));
      expect(await store.advance(head(9), { cosigned: head(7) })).toBe(true);
    });

    it('are not moved by who does not know the newest one', async () => {
      await store.advance(undefined, { newest: head(3) });
      for (const expected of [undefined, head(2), head(3, 9)])
        expect(await store.advance(expected, { newest: head(5), cosigned: head(5) })).toBe(false);
      expect(await store.heads()).toMatchObject({ newest: head(3), cosigned: undefined });
    });

    it('are not moved while there is an alarm about the log; one about an entry does not matter', async () => {
      await store.raise(alarm('entry-missing'));
      expect(await store.advance(undefined, { newest: head(3) })).toBe(true);
      await store.raise(alarm('fork'));
      expect(await store.advance(head(3), { newest: head(5) })).toBe(false);
    });

    it('wait to be compared, each once, oldest first', async () => {
      const seen = (size: number, at: number): SeenHead => ({ ...head(size), from: 'answer', at });
      for (const waiting of [seen(7, 2), seen(5, 1), seen(7, 3)]) await store.keepPending(waiting);
      await reopen();
      expect(await store.pending()).toEqual([seen(5, 1), seen(7, 2)]);
      await store.dropPending(head(7, 1));
      await store.dropPending(head(5));
      expect(await store.pending()).toEqual([seen(7, 2)]);
    });
  });

  describe('alarms', () => {
    it('are numbered, kept with their evidence, and seen newest first', async () => {
      expect(await store.raise(alarm('fork', 'a'))).toEqual({
        ...alarm('fork', 'a'),
        number: 1,
        resolvedAt: undefined,
      });
      await store.raise(alarm('entry-differs', 'b'));
      await reopen();
      expect((await store.alarms(true)).map(({ number, detail }) => [number, detail])).toEqual([
        [2, 'b'],
        [1, 'a'],
      ]);
      expect((await store.alarms(true))[0]!.evidence).toEqual(['een', 'twee']);
    });

    it('are settled by an administrator, and stay to be seen', async () => {
      await store.advance(undefined, { newest: head(5) });
      await store.keepPending({ ...head(6), from: 'answer', at: T0 });
      await store.raise(alarm('entry-missing'));
      await store.trust(undefined, T0 + 1);
      // An alarm about an entry says nothing about the log.
      expect((await store.heads()).newest).toEqual(head(5));
      expect(await store.pending()).toHaveLength(1);
      await store.raise(alarm('rollback'));
      await store.offer(head(4));
      await store.trust(head(4), T0 + 2);
      await reopen();
      expect(await store.heads()).toEqual({ newest: head(4), cosigned: head(4), offered: undefined });
      expect(await store.pending()).toEqual([]);
      expect(await store.alarms(true)).toEqual([]);
      expect((await store.alarms(false)).map(({ resolvedAt }) => resolvedAt)).toEqual([T0 + 2, T0 + 1]);
    });
  });

  describe('receipts', () => {
    const keep = (lookupId: string, at: number): Promise<void> =>
      receipts.keep({ lookupId, at, leaf: new TextEncoder().encode(lookupId), receipt: `proof ${lookupId}` });

    it('are kept, settled and given up', async () => {
      for (const [i, lookupId] of ['a', 'b', 'c'].entries()) await keep(lookupId, T0 - i);
      expect((await receipts.unsettled(2)).map(({ lookupId }) => lookupId)).toEqual(['c', 'b']);
      expect(await receipts.waiting()).toEqual({ count: 3, since: T0 - 2 });
      await receipts.settle('b', 'better');
      await receipts.giveUp('c');
      await receipts.giveUp('b');
      await reopen();
      expect(await receipts.find('b')).toMatchObject({ state: 'settled', receipt: 'better', at: T0 - 1 });
      expect(await receipts.find('c')).toMatchObject({ state: 'given-up', receipt: 'proof c' });
      expect(await receipts.find('d')).toBeUndefined();
      expect(await receipts.waiting()).toEqual({ count: 1, since: T0 });
      await store.trust(head(4), T0);
      expect((await receipts.find('a'))?.state).toBe('given-up');
      expect((await receipts.find('b'))?.state).toBe('settled');
      expect(await receipts.waiting()).toEqual({ count: 0, since: undefined });
    });

    it('stand once, and go when it is time', async () => {
      await keep('a', T0);
      await expect(keep('a', T0)).rejects.toThrow(expect.objectContaining({ code: 'storage-failed' }));
      await keep('b', T0 + 1);
      await receipts.removeBefore(T0 + 1);
      expect(await receipts.find('a')).toBeUndefined();
      expect(await receipts.find('b')).toBeDefined();
    });

    it('do not open in the place of another', async () => {
      await keep('a', T0);
      await keep('b', T0);
      await database.run(
        "UPDATE receipts SET sealed = (SELECT sealed FROM receipts WHERE lookup_id = 'b') WHERE lookup_id = 'a'",
      );
      await expect(receipts.find('a')).rejects.toThrow(
        expect.objectContaining({ code: 'decryption-failed' }),
      );
    });
  });

  it('begins to compare what was answered with the entry that is the last when it is first asked', async () => {
    expect(await store.comparedUpTo()).toBe(0);
    await store.setComparedUpTo(17);
    await reopen();
    expect(await store.comparedUpTo()).toBe(17);
  });
});
