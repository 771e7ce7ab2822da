import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HitError, bytesToHex } from '@hitmachine/protocol';
import { sqlEpochStore } from '../../node-agent/src/adapters/sql/epoch-store.ts';
import { sqlStateStore } from '../../node-agent/src/adapters/sql/state-store.ts';
import type { EpochStore, StoredEpoch } from '../../node-agent/src/ports/epoch-store.ts';
import type { PseudonymStore, StoredPseudonym } from '../../node-agent/src/ports/pseudonym-store.ts';
import type { StateStore } from '../../node-agent/src/ports/state-store.ts';
import { overDatabases } from './support/agent-databases.ts';

/** The stores of one agent, opened as one process opens them. */
interface Stores {
  readonly pseudonyms: PseudonymStore;
  readonly epochs: EpochStore;
  readonly state: StateStore;
  close(): Promise<void>;
}

const T0 = Date.UTC(2026, 2, 2);
const KEY = 'a'.repeat(43);
const MADE_WITH = { evaluationKey: KEY, nodeKey: 'n'.repeat(16) };
const pseudonym = (number: number): StoredPseudonym => ({
  element: Uint8Array.from({ length: 32 }, (_, i) => (number * 31 + i * 7) & 0xff),
  maskedHash: (number * 257) & 0xffff,
});
const some = (from: number, to: number): StoredPseudonym[] =>
  Array.from({ length: to - from }, (_, i) => pseudonym(from + i));

async function contentOf(
  store: PseudonymStore,
  register: string,
  tokenType = 'bsn',
  day = 0,
): Promise<string[]> {
  const found: string[] = [];
  for await (const { elements, maskedHashes } of store.pages(register, tokenType, day))
    maskedHashes.forEach((hash, i) =>
      found.push(`${bytesToHex(elements.subarray(i * 32, i * 32 + 32))} ${hash}`),
    );
  return found;
}
const keysOf = (pseudonyms: readonly StoredPseudonym[]): string[] =>
  pseudonyms.map(({ element, maskedHash }) => `${bytesToHex(element)} ${maskedHash}`).sort();

overDatabases('the stores of an agent', (databases) => {
  const { durable, sqlite } = databases;
  let place: string;
  let stores: Stores;

  const open = async (): Promise<Stores> => {
    const { database, pseudonyms } = await databases.open(place);
    return {
      pseudonyms,
      epochs: sqlEpochStore(database),
      state: sqlStateStore(database),
      close: () => database.close(),
    };
  };

  beforeEach(async () => {
    place = await databases.place();
    stores = await open();
  });

  afterEach(async () => {
    await stores.close();
    databases.remove(place);
  });

  /** What a process finds that starts after this one. */
  const reopen = async (): Promise<void> => {
    if (!durable) return;
    await stores.close();
    stores = await open();
  };

  /** A test with two processes needs a place that both can open. */
  const onDisk = (name: string, run: () => void | Promise<void>): void => {
    if (durable) it(name, run);
  };

  describe('pseudonyms', () => {
    const importAll = async (
      pseudonyms: readonly StoredPseudonym[],
      register = 'zaken',
      clients = pseudonyms.length,
    ) => {
      const stage = await stores.pseudonyms.beginImport(register);
      await stage.add('bsn', pseudonyms);
      return stage.commit(clients, MADE_WITH, T0);
    };

    it('are the set difference with what stood there', async () => {
      expect(await importAll(some(0, 10))).toEqual({ added: 10, removed: 0, unchanged: 0 });
      expect(await importAll(some(4, 12))).toEqual({ added: 2, removed: 4, unchanged: 6 });
      expect(await importAll(some(4, 12))).toEqual({ added: 0, removed: 0, unchanged: 8 });
      await reopen();
      expect((await contentOf(stores.pseudonyms, 'zaken')).sort()).toEqual(keysOf(some(4, 12)));
    });

    it('stand once when they come twice', async () => {
      const stage = await stores.pseudonyms.beginImport('zaken');
      await stage.add('bsn', [pseudonym(1), pseudonym(1)]);
      await stage.add('bsn', [pseudonym(1)]);
      expect(await stage.commit(3, MADE_WITH, T0)).toEqual({ added: 1, removed: 0, unchanged: 0 });
      expect(await contentOf(stores.pseudonyms, 'zaken')).toHaveLength(1);
    });

    it('keep registers and token types apart', async () => {
      const stage = await stores.pseudonyms.beginImport('zaken');
      await stage.add('bsn', some(0, 3));
      await stage.add('address', some(0, 2));
      await stage.commit(3, MADE_WITH, T0);
      await importAll(some(1, 2), 'incidenten');
      await importAll(some(0, 1), 'zaken');
      expect(await contentOf(stores.pseudonyms, 'zaken')).toHaveLength(1);
      expect(await contentOf(stores.pseudonyms, 'zaken', 'address')).toEqual([]);
      const counts = await Promise.all(
        ['bsn', 'address'].map((type) => stores.pseudonyms.count('zaken', type)),
      );
      expect(counts).toEqual([1, 0]);
      expect(await stores.pseudonyms.count('niets', 'bsn')).toBe(0);
      expect(await contentOf(stores.pseudonyms, 'incidenten')).toEqual(keysOf(some(1, 2)));
    });

    it('come out in the order of themselves, not in that of the import', async () => {
      const mixed = [7, 3, 9, 1, 5].map(pseudonym);
      await importAll(mixed);
      const found = await contentOf(stores.pseudonyms, 'zaken');
      expect(found).toEqual([...found].sort());
    });

    it('come out whole, page by page', async () => {
      const many = Array.from({ length: 5_000 }, (__, i): StoredPseudonym => {
        const element = new Uint8Array(32);
        new DataView(element.buffer).setUint32(0, (i * 2_654_435_761) >>> 0);
        return { element, maskedHash: i };
      });
      await importAll(many);
      expect(new Set(await contentOf(stores.pseudonyms, 'zaken'))).toEqual(new Set(keysOf(many)));
      expect(await stores.pseudonyms.count('zaken', 'bsn')).toBe(5_000);
    });

    it('end with a day, and no earlier than the last of those that come as one', async () => {
      const ending = (number: number, until: number | undefined): StoredPseudonym => ({
        ...pseudonym(number),
        until,
      });
      const on = async (day: number): Promise<number> => {
        const found = await contentOf(stores.pseudonyms, 'zaken', 'bsn', day);
        expect(await stores.pseudonyms.count('zaken', 'bsn', day)).toBe(found.length);
        return found.length;
      };
      const soon = [ending(0, undefined), ending(1, 20_001), ending(2, 20_003), ending(3, 20_001)];
      // As of two at one address: the later end, or none, whichever comes first.
      await importAll([...soon, ending(1, 20_000), ending(2, 20_002), ending(3, undefined)]);
      await reopen();
      expect(await Promise.all([20_001, 20_002, 20_003, 20_004].map(on))).toEqual([4, 3, 3, 2]);
      expect(await stores.pseudonyms.count('zaken', 'bsn')).toBe(4);
      // Another end is a change, and no pseudonym of its own.
      expect(await importAll(soon)).toEqual({ added: 0, removed: 0, unchanged: 4 });
      expect(await importAll(soon)).toEqual({ added: 0, removed: 0, unchanged: 4 });
      expect((await stores.pseudonyms.imports())[0]!.generation).toBe(2);
      expect(await Promise.all([20_001, 20_002, 20_004].map(on))).toEqual([4, 2, 1]);
    });

    it('count a generation only when something changed, but tell of every import', async () => {
      await importAll(some(0, 3));
      await importAll(some(0, 3), 'zaken', 4);
      expect(await stores.pseudonyms.imports()).toEqual([
        { register: 'zaken', generation: 1, clients: 4, importedAt: T0, ...MADE_WITH },
      ]);
      await importAll(some(0, 4));
      await importAll([], 'andere');
      await reopen();
      expect(
        (await stores.pseudonyms.imports()).map(({ register, generation }) => [register, generation]),
      ).toEqual([
        ['andere', 1],
        ['zaken', 2],
      ]);
    });

    it('stay as they were when an import is abandoned, or never committed', async () => {
      await importAll(some(0, 3));
      const stage = await stores.pseudonyms.beginImport('zaken');
      await stage.add('bsn', some(10, 20));
      expect(await contentOf(stores.pseudonyms, 'zaken')).toHaveLength(3);
      await stage.abandon();
      expect(await contentOf(stores.pseudonyms, 'zaken')).toHaveLength(3);
      await (await stores.pseudonyms.beginImport('zaken')).add('bsn', some(10, 20));
      await reopen();
      expect((await contentOf(stores.pseudonyms, 'zaken')).sort()).toEqual(keysOf(some(0, 3)));
      // Nothing of the one that was cut off gets into the next.
      await importAll(some(0, 1));
      expect(await contentOf(stores.pseudonyms, 'zaken')).toHaveLength(1);
    });

    it('of two registers that are imported at the same time are kept apart', async () => {
      const [first, second] = [
        await stores.pseudonyms.beginImport('zaken'),
        await stores.pseudonyms.beginImport('incidenten'),
      ];
      await first.add('bsn', some(0, 5));
      await second.add('bsn', some(3, 9));
      await second.add('address', some(0, 1));
      await first.commit(5, MADE_WITH, T0);
      await second.commit(6, MADE_WITH, T0);
      expect((await contentOf(stores.pseudonyms, 'zaken')).sort()).toEqual(keysOf(some(0, 5)));
      expect((await contentOf(stores.pseudonyms, 'incidenten')).sort()).toEqual(keysOf(some(3, 9)));
      expect(await contentOf(stores.pseudonyms, 'incidenten', 'address')).toHaveLength(1);
    });

    onDisk('of two imports in two processes are those of one or the other', async () => {
      const beside = await open();
      const [first, second] = [
        await stores.pseudonyms.beginImport('zaken'),
        await beside.pseudonyms.beginImport('zaken'),
      ];
      await first.add('bsn', some(0, 5));
      await second.add('bsn', some(3, 9));
      await first.commit(5, MADE_WITH, T0);
      expect((await contentOf(beside.pseudonyms, 'zaken')).length).toBe(5);
      expect(await second.commit(6, MADE_WITH, T0)).toEqual({ added: 4, removed: 3, unchanged: 2 });
      expect((await contentOf(stores.pseudonyms, 'zaken')).sort()).toEqual(keysOf(some(3, 9)));
      await beside.close();
    });
  });

  // SQLite keeps what an import gathers where no other process comes.
  describe.skipIf(sqlite)('an import that another process took for one that was killed', () => {
    it('changes nothing, and says so', async () => {
      const whole = await stores.pseudonyms.beginImport('zaken');
      await whole.add('bsn', some(0, 6));
      await whole.add('bsn', some(3, 8));
      expect(await whole.preview()).toEqual({ added: 8, removed: 0, unchanged: 0 });
      await whole.commit(8, MADE_WITH, T0);
      const beside = await databases.open(place);
      const stage = await stores.pseudonyms.beginImport('zaken');
      await stage.add('bsn', some(0, 5));
      await beside.database.run('UPDATE incoming SET begun = begun - 90000000');
      await (await beside.pseudonyms.beginImport('andere')).abandon();
      await stage.add('bsn', some(5, 8));
      await expect(stage.preview()).rejects.toThrow(/is not whole any more, so nothing was changed/);
      await expect(stage.commit(8, MADE_WITH, T0 + 1)).rejects.toThrow(/is not whole any more/);
      expect((await contentOf(stores.pseudonyms, 'zaken')).sort()).toEqual(keysOf(some(0, 8)));
      expect((await stores.pseudonyms.imports())[0]).toMatchObject({ generation: 1, importedAt: T0 });
      expect((await beside.database.run('SELECT * FROM incoming')).rows).toEqual([]);
      await beside.database.close();
    });
  });

  describe('epochs', () => {
    const table = (bits: number, seed: number) => ({
      bits,
      capacity: 3,
      bytes: Uint8Array.from({ length: 24 * 2 ** bits }, (__, i) => (i * seed) & 0xff),
    });
    const epoch = (number: number, seed: number): StoredEpoch => ({
      epoch: number,
      day: '2026-03-02',
      generations: { incidenten: 3, zaken: seed },
      nodeKey: `merk-${seed}`,
      evaluationKey: KEY,
      commitment: number === 5 ? undefined : Uint8Array.of(seed, 0, 255),
      tables: [
        { register: 'incidenten', tokenType: 'bsn', table: table(1, seed) },
        { register: 'zaken', tokenType: 'name+birthdate', table: table(0, seed + 1) },
      ],
    });

    it('are none at first, and then the one that was switched to, whole', async () => {
      expect(await stores.epochs.current()).toBeUndefined();
      expect(await stores.epochs.switchTo(epoch(5, 1))).toBe(true);
      expect(await stores.epochs.switchTo(epoch(6, 2))).toBe(true);
      await reopen();
      expect(await stores.epochs.newest()).toBe(6);
      expect(await stores.epochs.current()).toEqual(epoch(6, 2));
    });

    it('stay when one that went on for too long comes with an earlier one', async () => {
      await stores.epochs.switchTo(epoch(6, 2));
      expect(await stores.epochs.switchTo(epoch(5, 1))).toBe(false);
      await reopen();
      expect(await stores.epochs.current()).toEqual(epoch(6, 2));
    });

    it('stay when a switch fails half-way', async () => {
      await stores.epochs.switchTo(epoch(5, 1));
      const broken = epoch(6, 2);
      const twice = { ...broken, tables: [...broken.tables, ...broken.tables] };
      await expect(stores.epochs.switchTo(twice)).rejects.toThrow(HitError);
      expect(await stores.epochs.current()).toEqual(epoch(5, 1));
      await reopen();
      expect(await stores.epochs.current()).toEqual(epoch(5, 1));
    });

    it('have numbers that only rise, are never below the clock, and are kept', async () => {
      const first = await stores.epochs.nextEpoch(T0);
      expect(first).toBeGreaterThanOrEqual(T0);
      const second = await stores.epochs.nextEpoch(T0);
      expect(second).toBeGreaterThan(first);
      await reopen();
      const third = await stores.epochs.nextEpoch(T0 - 60_000);
      expect(third).toBeGreaterThan(second);
      expect(await stores.epochs.nextEpoch(T0, third + 5)).toBe(third + 6);
      expect(await stores.epochs.nextEpoch(T0 + 86_400_000)).toBeGreaterThanOrEqual(T0 + 86_400_000);
    });

    it('give up numbers that a clock reserved far ahead, and that nothing was answered from', async () => {
      const ahead = await stores.epochs.nextEpoch(T0 + 86_400_000);
      expect(await stores.epochs.nextEpoch(T0)).toBe(T0);
      await stores.epochs.switchTo({
        epoch: ahead,
        day: '2026-01-02',
        generations: {},
        nodeKey: '',
        evaluationKey: '',
        commitment: undefined,
        tables: [],
      });
      expect(await stores.epochs.nextEpoch(T0)).toBe(ahead + 1);
    });

    onDisk('never have the same number in two processes', async () => {
      const beside = await open();
      const taking = Array.from({ length: 10 }, (__, i) => (i % 2 ? stores : beside).epochs.nextEpoch(T0));
      expect(new Set(await Promise.all(taking)).size).toBe(10);
      await beside.close();
    });
  });

  describe('small state', () => {
    it('is kept', async () => {
      expect(await stores.state.membership()).toBeUndefined();
      expect(await stores.state.roster()).toBeUndefined();
      const membership = {
        agency: 'politie',
        gatewayUrl: 'https://gateway.example',
        gatewayKey: new Uint8Array(32).fill(7),
      };
      await stores.state.setMembership(membership);
      await stores.state.setRoster('{"a":1}');
      await stores.state.setRoster('{"a":2}');
      await stores.state.setPin({ name: 'ggz', fingerprint: 'aaaa' });
      await stores.state.setPin({ name: '(gateway)', fingerprint: 'bbbb' });
      await stores.state.setPin({ name: 'ggz', fingerprint: 'cccc' });
      await reopen();
      expect(await stores.state.membership()).toEqual(membership);
      expect(await stores.state.roster()).toBe('{"a":2}');
      expect(await stores.state.pins()).toEqual([
        { name: '(gateway)', fingerprint: 'bbbb' },
        { name: 'ggz', fingerprint: 'cccc' },
      ]);
    });

    it('knows who logged out, until the session would have ended', async () => {
      await stores.state.endSession('een', T0 + 10, T0);
      await stores.state.endSession('twee', T0 + 30, T0);
      await reopen();
      expect(new Map(await stores.state.endedSessions())).toEqual(
        new Map([
          ['een', T0 + 10],
          ['twee', T0 + 30],
        ]),
      );
      await stores.state.endSession('drie', T0 + 40, T0 + 20);
      expect((await stores.state.endedSessions()).map(([id]) => id).toSorted()).toEqual(['drie', 'twee']);
    });

    onDisk('has a version that changes when another process writes, and not when this one does', async () => {
      const beside = await open();
      const first = await stores.state.version();
      await stores.state.setRoster('mine');
      // PostgreSQL does not know who wrote.
      if (sqlite) expect(await stores.state.version()).toBe(first);
      const before = await stores.state.version();
      expect(await stores.state.version()).toBe(before);
      await beside.state.setRoster('theirs');
      const after = await stores.state.version();
      expect(after).not.toBe(before);
      expect(await stores.state.version()).toBe(after);
      await beside.close();
    });
  });
});
