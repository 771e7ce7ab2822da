import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { bytesToHex } from '@hitmachine/protocol';
import { sqlKeyChangeStore } from '../../node-agent/src/adapters/sql/key-change-store.ts';
import type { PseudonymStore, StoredPseudonym } from '../../node-agent/src/ports/pseudonym-store.ts';
import { SQLITE_ON_DISK, freshDatabase, overImports } from './support/agent-databases.ts';
import { madeUp } from './support/made-up-pseudonyms.ts';

const T0 = Date.UTC(2026, 2, 2);
const MADE_WITH = { evaluationKey: 'a'.repeat(43), nodeKey: '' };
/** So many that they are not written in one piece. */
const MANY = 8_000;
/** Of a difference: so many that all of them with all others would take longer than a test has. */
const LARGE = 40_000;
const KILLS = 6;
const IMPORT_PROCESS = fileURLToPath(new URL('support/import-process.ts', import.meta.url));

/** Stands for a content, whatever its order. */
function digestOf(elements: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const element of elements.map((one) => bytesToHex(one)).sort()) hash.update(element);
  return `${elements.length} ${hash.digest('hex')}`;
}
const digestOfMany = (seed: string, count = MANY): string =>
  digestOf(madeUp(seed, count).map(({ element }) => element));
const NOTHING = digestOf([]);

/** Whether another connection could write at once. */
function wrote(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN IMMEDIATE; COMMIT');
    return true;
  } catch (error) {
    expect(String(error)).toContain('database is locked');
    return false;
  }
}

async function contentOf(pseudonyms: PseudonymStore): Promise<string> {
  const found: Uint8Array[] = [];
  for await (const { elements } of pseudonyms.pages('zaken', 'bsn', 0))
    for (let at = 0; at < elements.length; at += 32) found.push(elements.subarray(at, at + 32));
  return digestOf(found);
}

overImports('a large content of a register', (databases) => {
  const opened = freshDatabase(databases);

  const gather = async (pseudonyms: readonly StoredPseudonym[]) => {
    const stage = await opened.pseudonyms.beginImport('zaken');
    await stage.add('bsn', pseudonyms);
    return stage;
  };
  const importAll = async (seed: string, count = MANY): Promise<unknown> =>
    (await gather(madeUp(seed, count))).commit(count, MADE_WITH, T0);
  const rows = async (): Promise<unknown> =>
    (await opened.database.run('SELECT count(*) AS n FROM pseudonyms')).rows[0]?.['n'];

  it('takes the place of nothing, and of another one, and leaves nothing behind', async () => {
    expect(await importAll('first')).toEqual({ added: MANY, removed: 0, unchanged: 0 });
    expect(await contentOf(opened.pseudonyms)).toBe(digestOfMany('first'));
    expect(await importAll('second', MANY + 1)).toEqual({ added: MANY + 1, removed: MANY, unchanged: 0 });
    expect(await contentOf(opened.pseudonyms)).toBe(digestOfMany('second', MANY + 1));
    expect(await importAll('second')).toEqual({ added: 0, removed: 1, unchanged: MANY });
    expect(await contentOf(opened.pseudonyms)).toBe(digestOfMany('second'));
    expect(await rows()).toBe(MANY);
    expect((await opened.pseudonyms.imports())[0]).toMatchObject({ generation: 3, clients: MANY });
  });

  it('is that of one or the other when two imports end at once', async () => {
    await importAll('former');
    const seeds = ['left', 'right'] as const;
    const stages = await Promise.all(seeds.map((seed) => gather(madeUp(seed, MANY))));
    const changes = await Promise.all(stages.map((stage) => stage.commit(MANY, MADE_WITH, T0)));
    for (const change of changes) expect(change).toEqual({ added: MANY, removed: MANY, unchanged: 0 });
    expect(seeds.map((seed) => digestOfMany(seed))).toContain(await contentOf(opened.pseudonyms));
    expect(await rows()).toBe(MANY);
  });

  it('comes while keys are being changed', async () => {
    await importAll('former');
    const keys = sqlKeyChangeStore(opened.database);
    await keys.adopt('one');
    await keys.want({ nodeKey: 'two' });
    const stage = await gather(madeUp('next', MANY));
    await stage.commit(MANY, { ...MADE_WITH, nodeKey: 'one' }, T0);
    expect(await contentOf(opened.pseudonyms)).toBe(digestOfMany('next'));
    expect(await rows()).toBe(MANY);
  });

  if (!databases.sqlite || !databases.durable) return;

  it('is written while others write, who see the former content until the new one is whole', async () => {
    await importAll('former');
    const stage = await gather(madeUp('next', 3 * MANY));
    const other = new DatabaseSync(join(opened.place, 'agent.sqlite'), { timeout: 0 });
    const reader = await databases.open(opened.place);
    const over = new AbortController();
    const committed = stage.commit(3 * MANY, MADE_WITH, T0).finally(() => over.abort());
    const seen = new Set<number>();
    let written = 0;
    while (!over.signal.aborted) {
      // A piece that is being written on another thread is no failure; the next one leaves room.
      if (wrote(other)) written++;
      seen.add(await reader.pseudonyms.count('zaken', 'bsn', 0));
      await delay(1);
    }
    other.close();
    await reader.database.close();
    await committed;
    // In one piece it would be one or two times; each piece leaves room for others.
    expect(written).toBeGreaterThan(6);
    expect([...seen].filter((count) => count !== MANY && count !== 3 * MANY)).toEqual([]);
  });
});

describe('a large difference', () => {
  const opened = freshDatabase(SQLITE_ON_DISK);

  // Compared row by row with all others it took a minute and more, and many times that for a register of a million.
  it('is found in a time that grows with it, and not with its square', async () => {
    const [kept, gone, fresh] = ['kept', 'gone', 'fresh'].map((seed) => madeUp(seed, LARGE)) as [
      StoredPseudonym[],
      StoredPseudonym[],
      StoredPseudonym[],
    ];
    const whole = await opened.pseudonyms.beginImport('zaken');
    await whole.add('bsn', [...kept, ...gone]);
    await whole.commit(2 * LARGE, MADE_WITH, T0);
    const stage = await opened.pseudonyms.beginImport('zaken');
    await stage.addHeld();
    await stage.remove(
      'bsn',
      gone.map(({ element }) => element),
    );
    await stage.add('bsn', fresh);
    const change = await stage.commit(2 * LARGE, MADE_WITH, T0 + 1);
    expect(change).toEqual({ added: LARGE, removed: LARGE, unchanged: LARGE });
    expect(await contentOf(opened.pseudonyms)).toBe(
      digestOf([...kept, ...fresh].map(({ element }) => element)),
    );
  });
});

describe('a large content of a register, written by a process that is killed', () => {
  const opened = freshDatabase(SQLITE_ON_DISK);

  it('stands whole or not at all, and comes with the next import', async () => {
    const look = new DatabaseSync(join(opened.place, 'agent.sqlite'));
    const noted = look.prepare("SELECT count(*) AS n FROM state WHERE name = 'import-beside zaken'");
    let held = NOTHING;
    for (let kill = 0; kill < KILLS; kill++) {
      const seed = `content ${kill}`;
      const child = spawn(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', IMPORT_PROCESS, opened.place, seed, String(MANY)],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      const gone = once(child, 'close');
      await Promise.race([once(child.stdout, 'data'), gone]);
      // At any moment of the commit, and every other time surely while it is written beside the former one.
      const isOver = (): boolean => child.exitCode !== null;
      if (kill % 2 === 0) while (!isOver() && (noted.get() as { n: number }).n === 0) await delay(1);
      await delay(Math.random() * 150);
      child.kill('SIGKILL');
      await gone;
      const now = await contentOf(opened.pseudonyms);
      expect([held, digestOfMany(seed)]).toContain(now);
      held = now;
    }
    look.close();
    const last = madeUp('last', MANY);
    const stage = await opened.pseudonyms.beginImport('zaken');
    await stage.add('bsn', last);
    await stage.commit(MANY, MADE_WITH, T0);
    expect(await contentOf(opened.pseudonyms)).toBe(digestOfMany('last'));
    const { rows } = await opened.database.run('SELECT count(*) AS n FROM pseudonyms');
    expect(rows[0]?.['n']).toBe(MANY);
  }, 120_000);
});
