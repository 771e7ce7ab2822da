import { copyFileSync, cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadSodium, openKeystore, sealKeystore } from '@hitmachine/protocol';
import { CanaryWatch } from '../../node-agent/src/domain/answering/canary-watch.ts';
import { secureRandom } from '../../node-agent/src/random.ts';
import type { TestAgency } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';

const BEFORE = { bsn: '999990019' };
const AFTER = { bsn: '999990020' };
const GONE = { bsn: '999990032' };

interface Status {
  readonly problems: readonly string[];
  readonly notices: readonly string[];
  readonly registers: readonly { readonly id: string; readonly state: string }[];
}

describe('an agent that was restored from a backup', () => {
  let federation: Federation;
  let politie: TestAgency;
  let ggz: TestAgency;

  beforeEach(async () => {
    federation = await Federation.start({
      agencies: {
        politie: [{ id: 'incidenten', tokenTypes: ['bsn'] }],
        ggz: [{ id: 'clienten', tokenTypes: ['bsn'] }],
      },
    });
    [politie, ggz] = [federation.agency('politie'), federation.agency('ggz')];
    await politie.import('incidenten', [BEFORE]);
    await ggz.import('clienten', [BEFORE, GONE]);
    await federation.serveAll();
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    await federation.close();
  });

  const file = (): string => join(federation.folder, 'ggz.backup');
  const answerOf = async (person: object) =>
    (await politie.lookup([person], { registers: ['ggz/clienten'] })).persons[0]?.registers[0];
  const status = async (): Promise<Status> => (await ggz.call('GET', '/v1/status')) as Status;

  /** The machine is lost: what is left is the backup, and the copies of the keys that lay elsewhere. */
  async function loseMachine(): Promise<string> {
    await ggz.stop();
    const safe = join(federation.folder, 'safe');
    mkdirSync(safe, { mode: 0o700 });
    for (const name of ['key-file', 'keystore.json']) copyFileSync(join(ggz.folder, name), join(safe, name));
    rmSync(ggz.folder, { recursive: true });
    mkdirSync(ggz.folder, { mode: 0o700 });
    copyFileSync(join(safe, 'key-file'), join(ggz.folder, 'key-file'));
    return safe;
  }

  /** A key store with the seeds of another, but for some. */
  async function otherKeystore(from: string, ...others: string[]): Promise<void> {
    const backend = await loadSodium();
    const unlock = { type: 'key-file', key: readFileSync(join(ggz.folder, 'key-file')) } as const;
    const sealed: unknown = JSON.parse(readFileSync(from, 'utf8'));
    const seeds = await openKeystore(backend, unlock, sealed);
    const changed = { ...seeds, ...Object.fromEntries(others.map((name) => [name, secureRandom(32)])) };
    const again = await sealKeystore(backend, unlock, changed, secureRandom);
    writeFileSync(join(ggz.folder, 'keystore.json'), JSON.stringify(again), { mode: 0o600 });
  }

  it('answers nothing until its registers are said to be up to date, and tells which entries of its log are gone', async () => {
    await ggz.run('backup', file());
    expect((await answerOf(BEFORE))?.status).toBe('known');
    // After the backup a client leaves, another comes, and a commitment tells how far the log had come.
    await ggz.import('clienten', [BEFORE, AFTER]);
    await ggz.ready();
    expect((await answerOf(GONE))?.status).toBe('not-known');

    const safe = await loseMachine();
    copyFileSync(join(safe, 'keystore.json'), join(ggz.folder, 'keystore.json'));
    const said = await ggz.run('restore', file());
    expect(said).toMatch(/clienten: 2 clients, imported at 20/);
    expect(said).toMatch(/hit-agent answering on/);
    await ggz.start();
    await vi.waitFor(
      async () => expect((await status()).registers[0]).toMatchObject({ state: 'answering' }),
      30_000,
    );
    // Who left must not be known again, and nobody may be called unknown by what is old.
    for (const person of [GONE, AFTER, BEFORE])
      expect(['refused', 'no-answer']).toContain((await answerOf(person))?.status);
    const { notices } = await status();
    expect(notices.join('\n')).toMatch(/nothing is answered since .*restored from a backup of 20/);
    expect(notices.join('\n')).toMatch(/entries? \d+ to \d+ of this agency's own log are missing/);

    await ggz.import('clienten', [BEFORE, AFTER]);
    await ggz.run('answering', 'on');
    await ggz.ready();
    // What was asked within a minute of the restore may have been answered before it: it is not answered again.
    expect(await answerOf(AFTER)).toMatchObject({ status: 'no-answer' });
    await ggz.stop();
    pretendRestoredAgo(ggz.folder, 120_000);
    await ggz.start();
    await ggz.ready();
    expect((await answerOf(AFTER))?.status).toBe('known');
    expect((await answerOf(GONE))?.status).toBe('not-known');
  });

  it('an old copy that was put back by hand is found as well, before it answers', async () => {
    await ggz.stop();
    const copy = join(federation.folder, 'copy');
    cpSync(ggz.folder, copy, { recursive: true });
    await ggz.start();
    await ggz.ready();
    await answerOf(BEFORE);
    await ggz.import('clienten', [BEFORE, AFTER]);
    await ggz.ready();
    await ggz.stop();
    rmSync(ggz.folder, { recursive: true });
    cpSync(copy, ggz.folder, { recursive: true });
    await ggz.start();
    await vi.waitFor(
      async () => expect((await status()).registers[0]).toMatchObject({ state: 'answering' }),
      30_000,
    );
    for (const person of [GONE, AFTER]) expect(await answerOf(person)).toMatchObject({ status: 'refused' });
    expect((await status()).notices.join('\n')).toMatch(/the database is an old copy/);
    expect(federation.logs.text()).toContain('log-entries-missing');
  });

  it('with another k_n: the canary finds it before anything is answered; without that, a client would be "not known"', async () => {
    await ggz.run('backup', file());
    const safe = await loseMachine();
    // The key store comes after the restore, which therefore cannot compare it.
    await ggz.run('restore', file());
    await otherKeystore(join(safe, 'keystore.json'), 'node');
    await ggz.run('answering', 'on');
    pretendRestoredAgo(ggz.folder, 120_000);

    // The database says with which key it was made.
    await ggz.start();
    expect(await answerOf(BEFORE)).toMatchObject({ status: 'no-answer' });
    expect((await status()).problems.join('\n')).toMatch(
      /a node key that this key store does not have: .*restore/,
    );
    await ggz.stop();
    // One of an earlier version does not: there it is the canary alone.
    forgetNodeKey(ggz.folder);
    const answers: (string | undefined)[] = [];
    await ggz.start();
    await vi.waitFor(async () => {
      answers.push((await answerOf(BEFORE))?.status);
      expect((await status()).registers[0]).toMatchObject({ state: 'canary-failed' });
    }, 30_000);
    answers.push((await answerOf(BEFORE))?.status);
    expect(new Set(answers)).toEqual(new Set(['no-answer']));
    const reason = /register clienten does not answer: .*Put back the keystore\.json that belongs to this/;
    expect((await status()).problems.join('\n')).toMatch(reason);
    const ready = await ggz.fetch('GET', '/readyz');
    expect(ready.status).toBe(503);
    expect(JSON.stringify(await ready.json())).toMatch(reason);

    await ggz.stop();
    vi.spyOn(CanaryWatch.prototype, 'obstacle').mockReturnValue(undefined);
    await ggz.start();
    await vi.waitFor(
      async () => expect(await answerOf(BEFORE)).toMatchObject({ status: 'not-known' }),
      30_000,
    );
  });

  it('with other keys otherwise: is refused by restore, does not start, or is not ready, each with the cure', async () => {
    await ggz.import('clienten', [BEFORE]);
    await ggz.ready();
    await answerOf(BEFORE);
    await ggz.run('backup', file());
    const safe = await loseMachine();
    await otherKeystore(join(safe, 'keystore.json'), 'node');
    const { code, err } = await ggz.tryRun('restore', file());
    expect(code).toBe(1);
    expect(err).toMatch(
      /not the keys that the backup belongs to \(other: the half of the pseudonyms \(k_n\)\)/,
    );
    expect(readdirSync(ggz.folder).sort()).toEqual(['key-file', 'keystore.json']);
    rmSync(join(ggz.folder, 'keystore.json'));
    await ggz.run('restore', file());

    await otherKeystore(join(safe, 'keystore.json'), 'log');
    await expect(ggz.start()).rejects.toThrow(/put back the keystore\.json that belongs to this database/);
    expect((await ggz.tryRun('doctor')).out).toMatch(/WRONG.*keystore\.json that belongs to this database/);

    await otherKeystore(join(safe, 'keystore.json'), 'identity', 'session');
    await ggz.run('answering', 'on');
    await ggz.start();
    const ready = await ggz.fetch('GET', '/readyz');
    expect(ready.status).toBe(503);
    expect(JSON.stringify(await ready.json())).toMatch(/other keys .* than keystore\.json: put back the/);
    expect(await answerOf(BEFORE)).toMatchObject({ status: 'no-answer' });
  });
});

function forgetNodeKey(folder: string): void {
  const database = new DatabaseSync(join(folder, 'agent.sqlite'));
  database.exec("DELETE FROM state WHERE name = 'node-key'; UPDATE imports SET node_key = ''");
  database.close();
}

/** As if the restore had been longer ago than anything that may be under way. */
function pretendRestoredAgo(folder: string, ms: number): void {
  const database = new DatabaseSync(join(folder, 'agent.sqlite'));
  const value = JSON.stringify({ takenAt: Date.now() - ms, restoredAt: Date.now() - ms });
  database.prepare("UPDATE state SET value = ? WHERE name = 'restored'").run(value);
  database.close();
}
