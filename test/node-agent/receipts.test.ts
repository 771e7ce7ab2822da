import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  HitError,
  decodeEntry,
  encodeBase64,
  formatReceipt,
  parseReceipt,
  signCheckpoint,
} from '@hitmachine/protocol';
import type { Logged } from '@hitmachine/protocol';
import type { LookupEntry } from './support/gateway.ts';
import { StandInGateway, backend } from './support/gateway.ts';
import { TestNode, numbers, wordOf } from './support/node.ts';
import { grow } from './support/watching.ts';

const [known] = numbers(1, 171_000_000) as [string];
const MINUTE = 60_000;

describe('what an agent does with receipts', () => {
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
    gateway.deliveries.length = 0;
  });

  afterEach(async () => {
    await police.close();
    await asker.close();
  });

  const ask = async (): Promise<string> => {
    const [result] = await asker.ask([known], { registers: ['politie/incidenten'] });
    return wordOf(result!['politie/incidenten']);
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
      for (const node of [police, asker])
        await node.watch.handler.published(new TextEncoder().encode(gateway.logFor(node.id).checkpoint));
      await police.watch.view.checkPending();
      await asker.watch.view.checkPending();
    }
  };
  const rounds = async (): Promise<void> => {
    await police.watch.round();
    await asker.watch.round();
  };

  describe('when a lookup is opened', () => {
    it('keeps entry and proof before anything is asked', async () => {
      const kept: string[][] = [];
      gateway.changeDelivery = (delivery) => {
        kept.push(states());
        return delivery;
      };
      expect(await ask()).toBe('known');
      expect(kept).toEqual([['kept']]);
    });

    it('asks nothing when the receipt cannot be stored', async () => {
      asker.database.exec('ALTER TABLE receipts RENAME TO away');
      await expect(ask()).rejects.toMatchObject({ code: 'storage-failed' });
      asker.database.exec('ALTER TABLE away RENAME TO receipts');
      expect(gateway.deliveries).toEqual([]);
      expect(await ask()).toBe('known');
    });

    it('checks the receipts of canaries too, and keeps none of them', async () => {
      await police.canary();
      expect(police.database.prepare('SELECT count(*) AS n FROM receipts').get()).toEqual({ n: 0 });
      gateway.changeEntry = (entry) => ({ ...entry, agency: 'gemeente' });
      await expect(police.canary()).rejects.toMatchObject({ code: 'log-proof-invalid' });
    });

    const entries: Record<string, (entry: LookupEntry) => LookupEntry> = {
      'as that of another agency': (entry) => ({ ...entry, agency: 'politie' }),
      'under another identifier': (entry) => ({ ...entry, lookupId: encodeBase64(new Uint8Array(16)) }),
      'for another purpose': (entry) => ({
        ...entry,
        body: entry.body.replace('casusoverleg-zvh', 'jeugdbescherming'),
      }),
      'about more persons': (entry) => ({ ...entry, body: entry.body.replace('"persons":1', '"persons":2') }),
      'as a canary': (entry) => ({ ...entry, event: 'canary' }),
      'back-dated': (entry) => ({ ...entry, at: entry.at - 30 * MINUTE }),
      'without our signature': (entry) => ({
        ...entry,
        evidence: { ...entry.evidence, signature: encodeBase64(new Uint8Array(64)) },
      }),
    };
    it.each(Object.entries(entries))('asks nothing when the log has it %s', async (_, change) => {
      gateway.changeEntry = change;
      await expect(ask()).rejects.toMatchObject({ code: 'log-proof-invalid' });
      expect(gateway.deliveries).toEqual([]);
      expect(receipts()).toEqual([]);
    });

    it('asks nothing when the log has the request of an earlier lookup', async () => {
      let earlier: LookupEntry | undefined;
      gateway.changeEntry = (entry) => {
        const { body, evidence } = (earlier ??= entry);
        return { ...entry, body, evidence };
      };
      expect(await ask()).toBe('known');
      await expect(ask()).rejects.toMatchObject({ code: 'log-proof-invalid' });
    });

    const proofs: Record<string, (logged: Logged) => Logged | Promise<Logged>> = {
      'of another entry': () => gateway.log.logged(0),
      'of another place': ({ entry, receipt }) => {
        const parsed = parseReceipt(receipt);
        return { entry, receipt: formatReceipt({ ...parsed, index: parsed.index - 1 }) };
      },
      'that is cut short': ({ entry, receipt }) => {
        const parsed = parseReceipt(receipt);
        return { entry, receipt: formatReceipt({ ...parsed, proof: parsed.proof.slice(1) }) };
      },
      'under a checkpoint that somebody else signed': async ({ entry, receipt }) => {
        const { origin } = gateway.log;
        const head = { size: 1, root: new Uint8Array(32) };
        const checkpoint = signCheckpoint(backend, new Uint8Array(32).fill(9), origin, head);
        return { entry, receipt: formatReceipt({ ...parseReceipt(receipt), checkpoint }) };
      },
      'that is none': ({ entry }) => ({ entry, receipt: 'trust me' }),
    };
    it.each(Object.entries(proofs))('asks nothing with a proof %s', async (_, change) => {
      gateway.changeLogged = change;
      await expect(ask()).rejects.toMatchObject({ code: 'log-proof-invalid' });
      expect(gateway.deliveries).toEqual([]);
    });

    it('would ask all the same if it did not look (so that the test can fail)', async () => {
      asker.watch.receipts.accept = async () => undefined;
      gateway.changeEntry = (entry) => ({ ...entry, agency: 'politie' });
      expect(await ask()).toBe('known');
    });
  });

  describe('afterwards', () => {
    it('settles each under a checkpoint that fits all others', async () => {
      await ask();
      await ask();
      expect(states()).toEqual(['kept', 'kept']);
      await later();
      await rounds();
      expect(states()).toEqual(['settled', 'settled']);
      expect(await asker.watch.settling.waiting()).toEqual({ receipts: 0, since: undefined });
      expect([...(await alarms(asker)), ...(await alarms(police))]).toEqual([]);
    });

    it('waits while the gateway is away or has published nothing that could hold the entry', async () => {
      await ask();
      gateway.beforeShowing = async () => {
        throw new HitError('gateway-unreachable');
      };
      await later();
      await expect(asker.watch.round()).rejects.toMatchObject({ code: 'gateway-unreachable' });
      expect(states()).toEqual(['kept']);
      gateway.beforeShowing = async () => undefined;
      expect([...(await alarms(asker)), ...(await alarms(police))]).toEqual([]);
      await rounds();
      expect(states()).toEqual(['settled']);
    });

    it('gives an alarm when the gateway does not find an entry that it signed for, and goes on', async () => {
      await ask();
      const [{ lookup_id: lookupId }] = receipts() as unknown as [{ lookup_id: string }];
      await later();
      const { log } = gateway;
      Object.defineProperty(log, 'entries', { get: () => [] });
      await asker.watch.round();
      expect(await alarms(asker)).toEqual(['entry-missing']);
      const [alarm] = await asker.watch.store.alarms(true);
      expect(alarm!.detail).toContain(lookupId);
      // The entry and the proof are the evidence, and nobody but this agency reads them in the file.
      expect(decodeEntry(new TextEncoder().encode(alarm!.evidence[0]))).toMatchObject({ lookupId });
      expect(states()).toEqual(['given-up']);
      await police.canary();
      expect(await ask()).toBe('known');
      await asker.watch.round();
      expect(await alarms(asker)).toEqual(['entry-missing']);
    });

    it('gives no alarm right after a restart, when it cannot know how old the checkpoint is', async () => {
      await ask();
      gateway.now += 10 * MINUTE;
      Object.defineProperty(gateway.log, 'entries', { get: () => [] });
      await asker.restart();
      await asker.watch.round();
      expect(await alarms(asker)).toEqual([]);
      expect((await asker.watch.settling.waiting()).receipts).toBe(1);
    });

    it('gives an alarm at the node for a lookup that the gateway let through without an entry', async () => {
      // The asker is in the plot: it does not look, and the entry stands in a log that nobody else sees.
      asker.watch.receipts.accept = async () => undefined;
      const aside = gateway.log.copy();
      gateway.logFor = (agency) => (agency === 'gemeente' ? aside : gateway.log);
      expect(await ask()).toBe('known');
      await later();
      await police.watch.round();
      expect(await alarms(police)).toEqual(['entry-missing']);
      // And a node that does not look finds nothing.
      expect(await alarms(asker)).toEqual([]);
    });

    it.each([
      ['as that of another agency', { agency: 'iemand' }],
      ['for another request', { request: encodeBase64(new Uint8Array(32)) }],
    ])('gives an alarm at the node for a lookup that is in the log %s', async (_how, change) => {
      gateway.changeAnswerEntry = (entry) => ({ ...entry, ...change });
      expect(await ask()).toBe('known');
      await later();
      await police.watch.round();
      expect(await alarms(police)).toEqual(['entry-differs']);
      await police.watch.round();
      expect(await alarms(police)).toHaveLength(1);
    });

    it('looks for what it answered from the first start on, and not for what was before', async () => {
      await ask();
      police.database.prepare("DELETE FROM state WHERE name = 'log-compared'").run();
      await police.restart();
      await police.upkeep();
      Object.defineProperty(gateway.log, 'entries', { get: () => [] });
      await later();
      await police.watch.round();
      expect(await alarms(police)).toEqual([]);
    });

    it('keeps them as long as the log, and no longer', async () => {
      await ask();
      await later();
      await rounds();
      gateway.now += 30 * 1_440 * MINUTE;
      await asker.watch.round();
      expect(receipts()).toEqual([]);
    });

    it('shows in the file when was asked, and not by whom or why', async () => {
      await ask();
      const rows = asker.database.prepare('SELECT * FROM receipts').all() as { sealed: Uint8Array }[];
      const text = rows.map(({ sealed }) => Buffer.from(sealed).toString('latin1')).join();
      expect(text).not.toMatch(/casusoverleg|gemeente|politie/);
    });
  });

  describe('when the gateway shows two logs', () => {
    /** From now on this agency gets to see a log of its own. */
    const splitFor = (id: string): void => {
      const fork = gateway.log.copy();
      grow(fork, 1, 'fork');
      grow(gateway.log, 1, 'main');
      gateway.logFor = (agency) => (agency === id ? fork : gateway.log);
    };
    const publish = async (node: TestNode, log = gateway.logFor(node.id)): Promise<void> => {
      await node.watch.handler.published(new TextEncoder().encode(log.checkpoint));
      await node.watch.view.checkPending();
    };

    /** The minutes for which a proof that fails is asked for again. */
    const insist = async ({ watch }: TestNode): Promise<void> => {
      for (let i = 0; i < 4; i++, gateway.now += MINUTE) await watch.view.checkPending();
    };

    it('finds it out through a receipt, and asks and answers no more', async () => {
      await publish(asker);
      await publish(police);
      splitFor('gemeente');
      // The witnesses see the one log; only receipts come from the other.
      await publish(asker, gateway.log);
      expect(await ask().catch((error: HitError) => error.code)).toMatch(/known|log-inconsistent/);
      await insist(asker);
      expect(await alarms(asker)).toEqual(['fork']);
      const before = gateway.deliveries.length;
      await expect(ask()).rejects.toMatchObject({ code: 'log-inconsistent' });
      expect(gateway.deliveries).toHaveLength(before);
    });

    it('finds it out through the commitment in the answer of another agency, which the gateway cannot read', async () => {
      splitFor('politie');
      // The node commits to its tables in the log that it is shown; the asker knows the other one.
      await police.import(numbers(2, 171_000_000));
      await police.upkeep();
      await publish(asker);
      await ask().catch(() => undefined);
      await insist(asker);
      expect(await alarms(asker)).toHaveLength(1);
    });

    it('does not find it out so without looking at the commitments of others (so that the test can fail)', async () => {
      splitFor('politie');
      await police.import(numbers(2, 171_000_000));
      await police.upkeep();
      await publish(asker);
      const { view } = asker.watch;
      const seenCheckpoint = view.seenCheckpoint.bind(view);
      view.seenCheckpoint = async (note, from) =>
        from === 'answer' ? undefined : seenCheckpoint(note, from);
      await ask();
      await insist(asker);
      expect(await alarms(asker)).toEqual([]);
    });

    it('gives no answer, and never "not known", while there is an alarm', async () => {
      await publish(police);
      splitFor('gemeente');
      await publish(police);
      expect(await alarms(police)).toEqual([]);
      await police.watch.handler.published(new TextEncoder().encode(gateway.logFor('gemeente').checkpoint));
      expect(await alarms(police)).toEqual(['fork']);
      gateway.logFor = () => gateway.log;
      expect(await ask()).toBe('no-answer: rejected');
      expect(police.log.lines).toContainEqual(
        expect.objectContaining({ event: 'question-rejected', code: 'log-inconsistent' }),
      );
      await expect(police.canary()).rejects.toMatchObject({ code: 'log-inconsistent' });
    });
  });

  it('tells too few partners under the published checkpoints, after five minutes', async () => {
    const wary = await TestNode.join(gateway, 'ggz', { registers: [], minWitnesses: 1 });
    const { published } = wary.watch;
    const problem = (): string | undefined => published.problem();
    expect(problem()).toBeUndefined();
    gateway.now += 6 * MINUTE;
    expect(problem()).toContain('minWitnesses');
    // A partner's agent cosigns.
    const { status, body } = await police.watch.handler.addCheckpoint(await gateway.log.addCheckpoint(0));
    expect(status).toBe(200);
    const note = `${gateway.log.checkpoint}${new TextDecoder().decode(body)}`;
    await wary.roster.accept(gateway.sign());
    await wary.watch.handler.published(new TextEncoder().encode(note));
    expect(published.latest).toMatchObject({ size: gateway.log.size, partners: 1 });
    expect(problem()).toBeUndefined();
    grow(gateway.log, 1);
    await wary.watch.handler.published(new TextEncoder().encode(gateway.log.checkpoint));
    expect(problem()).toBeUndefined();
    gateway.now += 6 * MINUTE;
    expect(problem()).toContain('minWitnesses');
    await wary.close();
  });
});
