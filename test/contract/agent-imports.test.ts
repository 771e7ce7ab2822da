import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { bytesToHex } from '@hitmachine/protocol';
import type { StoredPseudonym } from '../../node-agent/src/ports/pseudonym-store.ts';
import { freshDatabase, overImports } from './support/agent-databases.ts';

const T0 = Date.UTC(2026, 2, 2);
const MADE_WITH = { evaluationKey: 'a'.repeat(43), nodeKey: '' };
const some = (from: number, to: number): StoredPseudonym[] =>
  Array.from({ length: to - from }, (_, i) => ({
    element: new Uint8Array(32).fill(from + i),
    maskedHash: from + i,
  }));
const keysOf = (pseudonyms: readonly StoredPseudonym[]): string[] =>
  pseudonyms.map(({ element }) => bytesToHex(element)).sort();

overImports('pseudonyms, with several imports or writers at once,', (databases) => {
  const opened = freshDatabase(databases);

  const importAll = async (pseudonyms: readonly StoredPseudonym[]): Promise<void> => {
    const stage = await opened.pseudonyms.beginImport('zaken');
    await stage.add('bsn', pseudonyms);
    await stage.commit(pseudonyms.length, MADE_WITH, T0);
  };
  const contentOf = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const { elements } of opened.pseudonyms.pages('zaken', 'bsn', 0))
      for (let at = 0; at < elements.length; at += 32) found.push(bytesToHex(elements.subarray(at, at + 32)));
    return found.sort();
  };

  it('can be made of what is held and a difference, in which an end that changes is both gone and new', async () => {
    await importAll(some(0, 10));
    const stage = await opened.pseudonyms.beginImport('zaken');
    await stage.addHeld();
    expect(await stage.preview()).toEqual({ added: 0, removed: 0, unchanged: 10 });
    const elements = [...some(0, 3), ...some(200, 201)].map(({ element }) => element);
    await stage.remove('bsn', elements);
    await stage.remove('address', elements);
    await stage.add('bsn', [{ ...some(2, 3)[0]!, until: 20_000 }, ...some(10, 11)]);
    expect(await stage.preview()).toEqual({ added: 1, removed: 2, unchanged: 8 });
    expect(await stage.commit(9, MADE_WITH, T0)).toEqual({ added: 1, removed: 2, unchanged: 8 });
    expect(await contentOf()).toEqual(keysOf(some(2, 11)));
    expect(await opened.pseudonyms.count('zaken', 'bsn', 20_001)).toBe(8);
    // Without being taken out first, it is until the later of the ends, as of everything that comes twice.
    for (const [until, ended] of [
      [19_000, 1],
      [21_000, 0],
    ] as const) {
      const later = await opened.pseudonyms.beginImport('zaken');
      await later.addHeld();
      await later.add('bsn', [{ ...some(2, 3)[0]!, until }]);
      expect(await later.commit(9, MADE_WITH, T0)).toEqual({ added: 0, removed: 0, unchanged: 9 });
      expect(await opened.pseudonyms.count('zaken', 'bsn', 20_001)).toBe(9 - ended);
    }
  });

  it('of two imports that end at once are those of one or the other, and the difference is told right', async () => {
    await importAll(some(0, 10));
    const stages = [some(5, 20), some(0, 3)].map(async (pseudonyms) => {
      const stage = await opened.pseudonyms.beginImport('zaken');
      await stage.add('bsn', pseudonyms);
      return stage;
    });
    const [a, b] = await Promise.all(stages);
    const changes = await Promise.all([a!.commit(15, MADE_WITH, T0), b!.commit(3, MADE_WITH, T0)]);
    const kept = await contentOf();
    const aWasLast = kept.length === 15;
    expect(kept).toEqual(keysOf(aWasLast ? some(5, 20) : some(0, 3)));
    expect(changes).toEqual(
      aWasLast
        ? [
            { added: 15, removed: 3, unchanged: 0 },
            { added: 0, removed: 7, unchanged: 3 },
          ]
        : [
            { added: 10, removed: 5, unchanged: 5 },
            { added: 3, removed: 15, unchanged: 0 },
          ],
    );
    expect((await opened.pseudonyms.imports())[0]).toMatchObject({
      generation: 3,
      clients: aWasLast ? 15 : 3,
    });
  });

  if (databases.sqlite && databases.durable)
    it('are gathered and compared while others write', async () => {
      await importAll(some(0, 10));
      const stage = await opened.pseudonyms.beginImport('zaken');
      const other = new DatabaseSync(join(opened.place, 'agent.sqlite'));
      other.exec('BEGIN IMMEDIATE');
      const began = performance.now();
      await stage.add('bsn', some(5, 20));
      expect(await stage.preview()).toEqual({ added: 10, removed: 5, unchanged: 5 });
      // Who waits for a lock waits for ten seconds.
      expect(performance.now() - began).toBeLessThan(5_000);
      const committed = stage.commit(15, MADE_WITH, T0);
      other.exec('COMMIT');
      other.close();
      expect(await committed).toEqual({ added: 10, removed: 5, unchanged: 5 });
    });
});
