import { beforeEach, expect, it } from 'vitest';
import { ASKED_ABOUT_REGISTER, bytesToHex } from '@hitmachine/protocol';
import { sqlAskedAboutStore } from '../../node-agent/src/adapters/sql/asked-about.ts';
import { sqlKeyChangeStore } from '../../node-agent/src/adapters/sql/key-change-store.ts';
import type { KeyChangeStore, MakeAnew } from '../../node-agent/src/ports/key-change-store.ts';
import type { StoredPseudonym } from '../../node-agent/src/ports/pseudonym-store.ts';
import { freshDatabase, overDatabases } from './support/agent-databases.ts';

const T0 = Date.UTC(2026, 2, 2);
const [FORMER, NEXT] = ['k'.repeat(16), 'n'.repeat(16)];
const WANTED = { nodeKey: NEXT };
const made = (nodeKey: string) => ({ evaluationKey: 'a'.repeat(43), nodeKey });

const pseudonym = (number: number, until?: number): StoredPseudonym => {
  const element = new Uint8Array(32);
  new DataView(element.buffer).setUint32(0, (number * 2_654_435_761) >>> 0);
  return { element, maskedHash: number & 0xffff, until };
};
const some = (from: number, to: number): StoredPseudonym[] =>
  Array.from({ length: to - from }, (_, i) => pseudonym(from + i));
/** Stands for the arithmetic: the last byte is turned over, and the hash. */
const anew = ({ element, maskedHash, until }: StoredPseudonym): StoredPseudonym => ({
  element: Uint8Array.from(element, (byte, i) => (i === 31 ? byte ^ 0xff : byte)),
  maskedHash: maskedHash ^ 0xffff,
  until,
});
const make: MakeAnew = async ({ elements, maskedHashes }) => ({
  elements: Uint8Array.from(elements, (byte, i) => (i % 32 === 31 ? byte ^ 0xff : byte)),
  maskedHashes: maskedHashes.map((hash) => hash ^ 0xffff),
});
const written = (pseudonyms: readonly StoredPseudonym[]): string[] =>
  pseudonyms.map(({ element, maskedHash }) => `${bytesToHex(element)} ${maskedHash}`).sort();

overDatabases('a change of the node key', (databases) => {
  const opened = freshDatabase(databases);
  let store: KeyChangeStore;

  beforeEach(() => {
    store = sqlKeyChangeStore(opened.database);
  });

  async function importAll(pseudonyms: readonly StoredPseudonym[], nodeKey = FORMER, register = 'zaken') {
    const stage = await opened.pseudonyms.beginImport(register);
    await stage.add('bsn', pseudonyms);
    return stage.commit(pseudonyms.length, made(nodeKey), T0);
  }
  async function held(register = 'zaken', day = 0): Promise<string[]> {
    const found: string[] = [];
    for await (const { elements, maskedHashes } of opened.pseudonyms.pages(register, 'bsn', day))
      maskedHashes.forEach((hash, i) =>
        found.push(`${bytesToHex(elements.subarray(i * 32, i * 32 + 32))} ${hash}`),
      );
    expect(await opened.pseudonyms.count(register, 'bsn', day)).toBe(found.length);
    return found.sort();
  }
  const rows = async (): Promise<number> =>
    (await opened.database.run('SELECT count(*) AS n FROM pseudonyms')).rows[0]?.['n'] as number;
  const begin = async (pseudonyms: readonly StoredPseudonym[]): Promise<void> => {
    await importAll(pseudonyms);
    await store.adopt(FORMER);
    await store.want(WANTED);
  };
  const asked = sqlAskedAbout();
  function sqlAskedAbout() {
    return {
      add: (...pseudonyms: StoredPseudonym[]) =>
        sqlAskedAboutStore(opened.database).addCanaries(
          new Map(pseudonyms.map((one, i) => [i === 0 ? 'bsn' : `soort-${i}`, one])),
          made(FORMER),
          T0,
        ),
    };
  }

  it('is none at first, and what was there before it was put on record is adopted', async () => {
    await importAll(some(0, 3), '');
    expect(await store.nodeKeyInUse()).toBeUndefined();
    await store.adopt(FORMER);
    await store.adopt(NEXT);
    expect(await store.nodeKeyInUse()).toBe(FORMER);
    expect((await opened.pseudonyms.imports())[0]?.nodeKey).toBe(FORMER);
    expect([await store.wanted(), await store.isSettled()]).toEqual([undefined, true]);
  });

  it('makes all anew beside those in use, which stay what is read until the switch', async () => {
    const all = some(0, 3_000);
    await begin(all);
    expect(await store.isSettled()).toBe(false);
    const from = await store.bringUp(WANTED, make, 3);
    expect(await store.progress()).toEqual({ done: 3_000, total: 3_000 });
    expect(await held()).toEqual(written(all));
    expect(await store.switchTo(WANTED, from, make)).toBe(true);
    expect(await held()).toEqual(written(all.map(anew)));
    expect((await opened.pseudonyms.imports())[0]).toMatchObject({
      nodeKey: NEXT,
      generation: 2,
      clients: 3_000,
    });
    expect([await store.nodeKeyInUse(), await store.wanted()]).toEqual([NEXT, undefined]);
    expect(await store.isSettled()).toBe(false);
    while (await store.removeFormer());
    expect([await store.isSettled(), await rows()]).toEqual([true, 3_000]);
    expect(await held()).toEqual(written(all.map(anew)));
  });

  it('goes on where it was cut off, and makes nothing twice', async () => {
    await begin(some(0, 5_000));
    let pages = 0;
    const cutOff: MakeAnew = async (page) => {
      if (++pages > 2) throw new Error('killed');
      return make(page);
    };
    await expect(store.bringUp(WANTED, cutOff, 1)).rejects.toThrow('killed');
    const { done } = await store.progress();
    expect(done).toBeGreaterThan(0);
    let again = 0;
    const counting: MakeAnew = async (page) => {
      again += page.maskedHashes.length;
      return make(page);
    };
    const from = await store.bringUp(WANTED, counting, 1);
    expect(again).toBe(5_000 - done);
    expect(await store.switchTo(WANTED, from, make)).toBe(true);
    expect(await held()).toEqual(written(some(0, 5_000).map(anew)));
  });

  it('takes in what imports change meanwhile, ends too, and does not switch before it did', async () => {
    await begin(some(0, 100));
    const from = await store.bringUp(WANTED, make, 2);
    const after = [...some(50, 99), pseudonym(99, 20_000), ...some(100, 150)];
    await importAll(after);
    expect(await store.switchTo(WANTED, from, make)).toBe(false);
    expect(await held()).toEqual(written(after));
    expect(await store.switchTo(WANTED, await store.bringUp(WANTED, make, 2), make)).toBe(true);
    expect(await held()).toEqual(written(after.map(anew)));
    expect(await held('zaken', 20_001)).toHaveLength(after.length - 1);
    while (await store.removeFormer());
    expect(await rows()).toBe(after.length);
  });

  it('refuses to store what was made with another key than the one in use', async () => {
    await begin(some(0, 10));
    const late = await opened.pseudonyms.beginImport('zaken');
    await late.add('bsn', some(0, 20));
    expect(await store.switchTo(WANTED, await store.bringUp(WANTED, make, 1), make)).toBe(true);
    await expect(late.commit(20, made(FORMER), T0)).rejects.toMatchObject({ code: 'key-changed' });
    // One that is imported for the first time has nothing to be compared with but the record.
    await expect(importAll(some(0, 1), FORMER, 'ander')).rejects.toMatchObject({ code: 'key-changed' });
    await expect(asked.add(pseudonym(1))).rejects.toMatchObject({ code: 'key-changed' });
    expect(await held()).toEqual(written(some(0, 10).map(anew)));
  });

  it('after the switch an import is a difference with the new ones, and leaves none of the former', async () => {
    await begin(some(0, 10));
    await store.switchTo(WANTED, await store.bringUp(WANTED, make, 1), make);
    expect(await importAll(some(5, 12).map(anew), NEXT)).toEqual({ added: 2, removed: 5, unchanged: 5 });
    while (await store.removeFormer());
    expect(await rows()).toBe(7);
    expect(await held()).toEqual(written(some(5, 12).map(anew)));
  });

  it('takes persons along who are asked about while it switches', async () => {
    await asked.add(pseudonym(900));
    await begin(some(0, 10));
    const from = await store.bringUp(WANTED, make, 1);
    await asked.add(pseudonym(900), pseudonym(901));
    expect(await store.switchTo(WANTED, from, make)).toBe(true);
    expect(await held(ASKED_ABOUT_REGISTER)).toEqual(written([anew(pseudonym(900))]));
    expect(await opened.pseudonyms.count(ASKED_ABOUT_REGISTER, 'soort-1', 0)).toBe(1);
  });

  it('is one at a time', async () => {
    await begin(some(0, 3));
    await expect(store.want({ nodeKey: FORMER })).rejects.toMatchObject({ code: 'already-exists' });
    expect(await store.wanted()).toEqual(WANTED);
    const from = await store.bringUp(WANTED, make, 1);
    await store.switchTo(WANTED, from, make);
    // Whoever comes late finds it done.
    expect(await store.switchTo(WANTED, from, make)).toBe(false);
    await expect(store.bringUp(WANTED, make, 1)).rejects.toMatchObject({ code: 'key-changed' });
  });
});
