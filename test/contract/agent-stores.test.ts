import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HitError, bytesToHex } from '@hitmachine/protocol';
import { openDatabase } from '../../node-agent/src/adapters/sqlite/database.ts';
import { sqliteEpochStore } from '../../node-agent/src/adapters/sqlite/epoch-store.ts';
import { sqlitePseudonymStore } from '../../node-agent/src/adapters/sqlite/pseudonym-store.ts';
import { sqliteStateStore } from '../../node-agent/src/adapters/sqlite/state-store.ts';
import type { EpochStore, StoredEpoch } from '../../node-agent/src/ports/epoch-store.ts';
import type { PseudonymStore, StoredPseudonym } from '../../node-agent/src/ports/pseudonym-store.ts';
import type { StateStore } from '../../node-agent/src/ports/state-store.ts';

/** The stores of one agent, opened as one process opens them. */
interface Stores {
  readonly pseudonyms: PseudonymStore;
  readonly epochs: EpochStore;
  readonly state: StateStore;
  close(): void;
}

/** Every adapter, and whether another process can open what it left. */
const ADAPTERS: Record<string, { readonly open: (folder: string) => Stores; readonly durable: boolean }> = {
  'SQLite on disk': { open: (folder) => sqlite(openDatabase(join(folder, 'agent.sqlite'))), durable: true },
  'SQLite in memory': { open: () => sqlite(openDatabase(':memory:')), durable: false },
};

function sqlite(database: DatabaseSync): Stores {
  return {
    pseudonyms: sqlitePseudonymStore(database),
    epochs: sqliteEpochStore(database),
    state: sqliteStateStore(database),
    close: () => database.close(),
  };
}

const T0 = Date.UTC(2026, 2, 2);
const KEY = 'a'.repeat(43);
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

describe.each(Object.entries(ADAPTERS))('the stores of an agent: %s', (_, { open, durable }) => {
  let folder: string;
  let stores: Stores;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitmachine-stores-'));
    stores = open(folder);
  });

  afterEach(() => {
    stores.close();
    rmSync(folder, { recursive: true });
  });

  /** What a process finds that starts after this one. */
  const reopen = (): void => {
    if (!durable) return;
    stores.close();
    stores = open(folder);
  };

  /** A test with two processes needs a place that both can open. */
  const onDisk = (name: string, run: () => void | Promise<void>): void => {
    if (durable) it(name, run);
  };

  describe('pseudonyms', () => {
    const importAll = (
      pseudonyms: readonly StoredPseudonym[],
      register = 'zaken',
      clients = pseudonyms.length,
    ) => {
      const stage = stores.pseudonyms.beginImport(register);
      stage.add('bsn', pseudonyms);
      return stage.commit(clients, KEY, T0);
    };

    it('are the set difference with what stood there', async () => {
      expect(importAll(some(0, 10))).toEqual({ added: 10, removed: 0, unchanged: 0 });
      expect(importAll(some(4, 12))).toEqual({ added: 2, removed: 4, unchanged: 6 });
      expect(importAll(some(4, 12))).toEqual({ added: 0, removed: 0, unchanged: 8 });
      reopen();
      expect((await contentOf(stores.pseudonyms, 'zaken')).sort()).toEqual(keysOf(some(4, 12)));
    });

    it('stand once when they come twice', async () => {
      const stage = stores.pseudonyms.beginImport('zaken');
      stage.add('bsn', [pseudonym(1), pseudonym(1)]);
      stage.add('bsn', [pseudonym(1)]);
      expect(stage.commit(3, KEY, T0)).toEqual({ added: 1, removed: 0, unchanged: 0 });
      expect(await contentOf(stores.pseudonyms, 'zaken')).toHaveLength(1);
    });

    it('keep registers and token types apart', async () => {
      const stage = stores.pseudonyms.beginImport('zaken');
      stage.add('bsn', some(0, 3));
      stage.add('address', some(0, 2));
      stage.commit(3, KEY, T0);
      importAll(some(1, 2), 'incidenten');
      importAll(some(0, 1), 'zaken');
      expect(await contentOf(stores.pseudonyms, 'zaken')).toHaveLength(1);
      expect(await contentOf(stores.pseudonyms, 'zaken', 'address')).toEqual([]);
      const counts = ['bsn', 'address'].map((type) => stores.pseudonyms.count('zaken', type));
      expect(counts).toEqual([1, 0]);
      expect(stores.pseudonyms.count('niets', 'bsn')).toBe(0);
      expect(await contentOf(stores.pseudonyms, 'incidenten')).toEqual(keysOf(some(1, 2)));
    });

    it('come out in the order of themselves, not in that of the import', async () => {
      const mixed = [7, 3, 9, 1, 5].map(pseudonym);
      importAll(mixed);
      const found = await contentOf(stores.pseudonyms, 'zaken');
      expect(found).toEqual([...found].sort());
    });

    it('come out whole, page by page', async () => {
      const many = Array.from({ length: 5_000 }, (__, i): StoredPseudonym => {
        const element = new Uint8Array(32);
        new DataView(element.buffer).setUint32(0, (i * 2_654_435_761) >>> 0);
        return { element, maskedHash: i };
      });
      importAll(many);
      expect(new Set(await contentOf(stores.pseudonyms, 'zaken'))).toEqual(new Set(keysOf(many)));
      expect(stores.pseudonyms.count('zaken', 'bsn')).toBe(5_000);
    });

    it('end with a day, and no earlier than the last of those that come as one', async () => {
      const ending = (number: number, until: number | undefined): StoredPseudonym => ({
        ...pseudonym(number),
        until,
      });
      const on = async (day: number): Promise<number> => {
        const found = await contentOf(stores.pseudonyms, 'zaken', 'bsn', day);
        expect(stores.pseudonyms.count('zaken', 'bsn', day)).toBe(found.length);
        return found.length;
      };
      const soon = [ending(0, undefined), ending(1, 20_001), ending(2, 20_003), ending(3, 20_001)];
      // As of two at one address: the later end, or none, whichever comes first.
      importAll([...soon, ending(1, 20_000), ending(2, 20_002), ending(3, undefined)]);
      reopen();
      expect(await Promise.all([20_001, 20_002, 20_003, 20_004].map(on))).toEqual([4, 3, 3, 2]);
      expect(stores.pseudonyms.count('zaken', 'bsn')).toBe(4);
      // Another end is a change, and no pseudonym of its own.
      expect(importAll(soon)).toEqual({ added: 0, removed: 0, unchanged: 4 });
      expect(importAll(soon)).toEqual({ added: 0, removed: 0, unchanged: 4 });
      expect(stores.pseudonyms.imports()[0]!.generation).toBe(2);
      expect(await Promise.all([20_001, 20_002, 20_004].map(on))).toEqual([4, 2, 1]);
    });

    it('count a generation only when something changed, but tell of every import', () => {
      importAll(some(0, 3));
      importAll(some(0, 3), 'zaken', 4);
      expect(stores.pseudonyms.imports()).toEqual([
        { register: 'zaken', generation: 1, clients: 4, importedAt: T0, evaluationKey: KEY },
      ]);
      importAll(some(0, 4));
      importAll([], 'andere');
      reopen();
      expect(stores.pseudonyms.imports().map(({ register, generation }) => [register, generation])).toEqual([
        ['andere', 1],
        ['zaken', 2],
      ]);
    });

    it('stay as they were when an import is abandoned, or never committed', async () => {
      importAll(some(0, 3));
      const stage = stores.pseudonyms.beginImport('zaken');
      stage.add('bsn', some(10, 20));
      expect(await contentOf(stores.pseudonyms, 'zaken')).toHaveLength(3);
      stage.abandon();
      expect(await contentOf(stores.pseudonyms, 'zaken')).toHaveLength(3);
      stores.pseudonyms.beginImport('zaken').add('bsn', some(10, 20));
      reopen();
      expect((await contentOf(stores.pseudonyms, 'zaken')).sort()).toEqual(keysOf(some(0, 3)));
      // Nothing of the one that was cut off gets into the next.
      importAll(some(0, 1));
      expect(await contentOf(stores.pseudonyms, 'zaken')).toHaveLength(1);
    });

    onDisk('of two imports in two processes are those of one or the other', async () => {
      const beside = open(folder);
      const [first, second] = [
        stores.pseudonyms.beginImport('zaken'),
        beside.pseudonyms.beginImport('zaken'),
      ];
      first.add('bsn', some(0, 5));
      second.add('bsn', some(3, 9));
      first.commit(5, KEY, T0);
      expect((await contentOf(beside.pseudonyms, 'zaken')).length).toBe(5);
      expect(second.commit(6, KEY, T0)).toEqual({ added: 4, removed: 3, unchanged: 2 });
      expect((await contentOf(stores.pseudonyms, 'zaken')).sort()).toEqual(keysOf(some(3, 9)));
      beside.close();
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
      commitment: number === 5 ? undefined : Uint8Array.of(seed, 0, 255),
      tables: [
        { register: 'incidenten', tokenType: 'bsn', table: table(1, seed) },
        { register: 'zaken', tokenType: 'name+birthdate', table: table(0, seed + 1) },
      ],
    });

    it('are none at first, and then the one that was switched to, whole', () => {
      expect(stores.epochs.current()).toBeUndefined();
      stores.epochs.switchTo(epoch(5, 1));
      stores.epochs.switchTo(epoch(6, 2));
      reopen();
      expect(stores.epochs.current()).toEqual(epoch(6, 2));
    });

    it('stay when a switch fails half-way', () => {
      stores.epochs.switchTo(epoch(5, 1));
      const broken = epoch(6, 2);
      const twice = { ...broken, tables: [...broken.tables, ...broken.tables] };
      expect(() => stores.epochs.switchTo(twice)).toThrow(HitError);
      expect(stores.epochs.current()).toEqual(epoch(5, 1));
      reopen();
      expect(stores.epochs.current()).toEqual(epoch(5, 1));
    });

    it('have numbers that only rise, are never below the clock, and are kept', () => {
      const first = stores.epochs.nextEpoch(T0);
      expect(first).toBeGreaterThanOrEqual(T0);
      const second = stores.epochs.nextEpoch(T0);
      expect(second).toBeGreaterThan(first);
      reopen();
      const third = stores.epochs.nextEpoch(T0 - 60_000);
      expect(third).toBeGreaterThan(second);
      expect(stores.epochs.nextEpoch(T0, third + 5)).toBe(third + 6);
      expect(stores.epochs.nextEpoch(T0 + 86_400_000)).toBeGreaterThanOrEqual(T0 + 86_400_000);
    });

    it('give up numbers that a clock reserved far ahead, and that nothing was answered from', () => {
      const ahead = stores.epochs.nextEpoch(T0 + 86_400_000);
      expect(stores.epochs.nextEpoch(T0)).toBe(T0);
      stores.epochs.switchTo({
        epoch: ahead,
        day: '2026-01-02',
        generations: {},
        commitment: undefined,
        tables: [],
      });
      expect(stores.epochs.nextEpoch(T0)).toBe(ahead + 1);
    });

    onDisk('never have the same number in two processes', () => {
      const beside = open(folder);
      const taken = Array.from({ length: 10 }, (__, i) => (i % 2 ? stores : beside).epochs.nextEpoch(T0));
      expect(new Set(taken).size).toBe(10);
      beside.close();
    });
  });

  describe('small state', () => {
    it('is kept', () => {
      expect(stores.state.membership()).toBeUndefined();
      expect(stores.state.roster()).toBeUndefined();
      const membership = {
        agency: 'politie',
        gatewayUrl: 'https://gateway.example',
        gatewayKey: new Uint8Array(32).fill(7),
      };
      stores.state.setMembership(membership);
      stores.state.setRoster('{"a":1}');
      stores.state.setRoster('{"a":2}');
      stores.state.setPin({ name: 'ggz', fingerprint: 'aaaa' });
      stores.state.setPin({ name: '(gateway)', fingerprint: 'bbbb' });
      stores.state.setPin({ name: 'ggz', fingerprint: 'cccc' });
      reopen();
      expect(stores.state.membership()).toEqual(membership);
      expect(stores.state.roster()).toBe('{"a":2}');
      expect(stores.state.pins()).toEqual([
        { name: '(gateway)', fingerprint: 'bbbb' },
        { name: 'ggz', fingerprint: 'cccc' },
      ]);
    });

    onDisk('has a version that changes when another process writes, and not when this one does', () => {
      const beside = open(folder);
      const before = stores.state.version();
      stores.state.setRoster('mine');
      expect(stores.state.version()).toBe(before);
      beside.state.setRoster('theirs');
      const after = stores.state.version();
      expect(after).not.toBe(before);
      expect(stores.state.version()).toBe(after);
      beside.close();
    });
  });
});
