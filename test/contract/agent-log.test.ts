import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Secret, loadSodium } from '@hitmachine/protocol';
import { sqlAgencyLog } from '../../node-agent/src/adapters/sql/agency-log.ts';
import type { AgentDatabase } from '../../node-agent/src/adapters/database.ts';
import { checkLog } from '../../node-agent/src/domain/own-log/log-check.ts';
import type { AgencyLog, AnsweredDetail } from '../../node-agent/src/ports/agency-log.ts';
import { secureRandom } from '../../node-agent/src/random.ts';
import { overDatabases } from './support/agent-databases.ts';

const backend = await loadSodium();
const NOON = Date.UTC(2026, 2, 2, 12);
const MIDNIGHT = Date.UTC(2026, 2, 3);

const detail = (persons: number, asker = 'gemeente-merkteken'): AnsweredDetail => ({
  asker,
  purpose: 'doel-merkteken',
  persons,
  registers: ['incidenten'],
  epoch: 3,
  evidence: 'bewijs-merkteken',
  evidenceSignature: 'handtekening',
});
const asking = (lookupKey: string) =>
  ({
    event: 'asking',
    lookupKey,
    detail: {
      professional: 'J. Merkteken',
      role: 'rol-merkteken',
      purpose: 'doel-merkteken',
      caseReference: 'ZAAK-merkteken',
      caseSalt: 'zout',
      subjects: [{ bsn: 'pseudoniem-merkteken' }],
      registers: ['politie/incidenten'],
    },
  }) as const;

/** Who opens a log: where the data is, and under which key it is sealed. */
interface Opened {
  readonly log: AgencyLog;
  readonly database: AgentDatabase;
}

overDatabases("the agency's own log", (databases) => {
  const key = new Secret(secureRandom(32));
  let place: string;
  let opened: Opened;

  const open = async (under = key): Promise<Opened> => {
    const { database } = await databases.open(place);
    return { database, log: sqlAgencyLog(database, backend, under, secureRandom) };
  };

  beforeEach(async () => {
    place = await databases.place();
    opened = await open();
  });

  afterEach(async () => {
    await opened.database.close();
    databases.remove(place);
  });

  const reopen = async (): Promise<void> => {
    if (!databases.durable) return;
    await opened.database.close();
    opened = await open();
  };
  const events = async () => (await opened.log.read(0, 1_000)).map(({ event }) => event);
  const answer = (
    id: Uint8Array,
    persons: number,
    options: { limit?: number; total?: number; now?: number; asker?: string } = {},
  ) =>
    opened.log.appendAnswered(
      id,
      detail(persons, options.asker),
      { limit: options.limit ?? 10, total: options.total ?? 1_000 },
      options.now ?? NOON,
    );

  it('gives back what was written, in order, after it was closed', async () => {
    await opened.log.append(asking('een'), NOON);
    await opened.log.append(
      { event: 'asked', lookupKey: 'een', detail: { lookupId: 'x', outcomes: [], failure: undefined } },
      NOON + 1,
    );
    const id = secureRandom(16);
    await answer(id, 2);
    await reopen();
    const entries = await opened.log.read(0, 10);
    expect(entries.map(({ event, at, lookupKey }) => [event, at, lookupKey])).toEqual([
      ['asking', NOON, 'een'],
      ['asked', NOON + 1, 'een'],
      // Its clock had gone back; the log's time does not.
      ['answered', NOON + 1, Buffer.from(id).toString('hex')],
    ]);
    expect(entries[0]!.detail).toEqual(asking('een').detail);
    expect(entries[2]!.detail).toEqual(detail(2));
    expect(await opened.log.read(entries[0]!.sequence, 1)).toEqual([entries[1]]);
  });

  it('lets a lookup be answered once, also after a restart and in another process', async () => {
    const id = secureRandom(16);
    expect(await answer(id, 1)).toBe('logged');
    expect(await answer(id, 1)).toBe('replayed');
    if (!databases.durable) return;
    const beside = await open();
    expect(await beside.log.appendAnswered(id, detail(1), { limit: 10, total: 1_000 }, NOON)).toBe(
      'replayed',
    );
    await beside.database.close();
    await reopen();
    expect(await answer(id, 1)).toBe('replayed');
    expect(await events()).toEqual(['answered']);
  });

  it('knows the very question that it was answered about, also in another process, and charges it once', async () => {
    const id = secureRandom(16);
    const quota = { limit: 10, total: 1_000 };
    const about = (question: string, epoch = 7) => ({ ...detail(6), question, epoch });
    const put = (log: AgencyLog, one: AnsweredDetail) => log.appendAnswered(id, one, quota, NOON);
    await opened.log.append(asking('een'), NOON);
    expect(await put(opened.log, about('een'))).toBe('logged');
    const beside = databases.durable ? await open() : opened;
    for (const log of [opened.log, beside.log]) {
      expect(await put(log, about('een'))).toBe('repeated');
      // Another bucket, or tables of another day: more than was logged.
      expect(await put(log, about('twee'))).toBe('replayed');
      expect(await put(log, about('een', 8))).toBe('replayed');
      expect(await put(log, detail(6))).toBe('replayed');
    }
    if (databases.durable) await beside.database.close();
    expect(await events()).toEqual(['asking', 'answered']);
    expect(await answer(secureRandom(16), 4)).toBe('logged');
  });

  it('lets two that come with one ticket at the same moment have one answer between them', async () => {
    const beside = databases.durable ? await open() : opened;
    const id = secureRandom(16);
    const put = (question: string) => (log: AgencyLog) =>
      log.appendAnswered(id, { ...detail(1), question }, { limit: 10, total: 1_000 }, NOON);
    const told = await Promise.all(
      Array.from({ length: 20 }, (_, i) => put(`vraag ${i}`)((i % 2 ? opened : beside).log)),
    );
    if (databases.durable) await beside.database.close();
    expect(told.toSorted().slice(0, 2)).toEqual(['logged', 'replayed']);
    expect(new Set(told.toSorted().slice(1))).toEqual(new Set(['replayed']));
    expect(await events()).toEqual(['answered']);
  });

  it('counts the persons of all askers together, also after a restart', async () => {
    expect(await answer(secureRandom(16), 4, { total: 9, asker: 'een' })).toBe('logged');
    expect(await answer(secureRandom(16), 4, { total: 9, asker: 'twee' })).toBe('logged');
    await reopen();
    expect(await answer(secureRandom(16), 2, { total: 9, asker: 'drie' })).toBe('node-quota-all');
    expect(await answer(secureRandom(16), 1, { total: 9, asker: 'drie' })).toBe('logged');
    expect(await answer(secureRandom(16), 9, { total: 9, asker: 'drie', now: NOON + 86_400_000 })).toBe(
      'logged',
    );
  });

  it('charges a replayed lookup nothing', async () => {
    const id = secureRandom(16);
    await answer(id, 5);
    for (let i = 0; i < 5; i++) await answer(id, 5);
    expect(await answer(secureRandom(16), 5)).toBe('logged');
  });

  it('counts the persons of a day (UTC) per asker, and not those that it refused', async () => {
    expect(await answer(secureRandom(16), 6)).toBe('logged');
    expect(await answer(secureRandom(16), 5)).toBe('node-quota-agency');
    expect(await answer(secureRandom(16), 4)).toBe('logged');
    expect(await answer(secureRandom(16), 1)).toBe('node-quota-agency');
    expect(await answer(secureRandom(16), 10, { asker: 'andere' })).toBe('logged');
    await reopen();
    expect(await answer(secureRandom(16), 1, { now: MIDNIGHT - 1 })).toBe('node-quota-agency');
    expect(await answer(secureRandom(16), 10, { now: MIDNIGHT })).toBe('logged');
    expect(await answer(secureRandom(16), 1, { now: MIDNIGHT })).toBe('node-quota-agency');
    expect((await events()).filter((event) => event === 'refused')).toHaveLength(4);
    expect((await opened.log.read(0, 10))[1]!.detail).toEqual({ ...detail(5), reason: 'node-quota-agency' });
  });

  it('lets a lookup that was refused be answered when there is room again', async () => {
    const id = secureRandom(16);
    expect(await answer(id, 11)).toBe('node-quota-agency');
    expect(await answer(id, 11)).toBe('node-quota-agency');
    expect(await answer(id, 1)).toBe('logged');
  });

  it('can be closed to an agency: with a limit of nothing', async () => {
    expect(await answer(secureRandom(16), 1, { limit: 0 })).toBe('node-quota-agency');
  });

  it('shows in its files when something happened, but not who asked whom about what', async () => {
    await opened.log.append(asking('een'), NOON);
    await answer(secureRandom(16), 3);
    await answer(secureRandom(16), 30);
    // Still open, so that the files beside the database are looked at too.
    if (!databases.sqlite || !databases.durable) return;
    const files = readdirSync(place);
    expect(files.length).toBeGreaterThan(1);
    const bytes = Buffer.concat(files.map((file) => readFileSync(join(place, file))));
    expect(bytes.includes('asking')).toBe(true);
    expect(bytes.toString('latin1').toLowerCase()).not.toContain('merkteken');
    for (const file of files) expect(statSync(join(place, file)).mode & 0o077).toBe(0);
  });

  it('does not open under another key, nor when an entry was moved or changed', async () => {
    await opened.log.append(asking('een'), NOON);
    await opened.log.append(asking('twee'), NOON);
    if (!databases.durable) return;
    const other = await open(new Secret(secureRandom(32)));
    await expect(other.log.read(0, 10)).rejects.toThrow(/decryption-failed/);
    await other.database.close();
    const change = "UPDATE log SET lookup_key = 'drie' WHERE lookup_key = 'twee'";
    await expect(opened.database.run(change)).rejects.toThrow(/storage-failed/);
    await opened.database.run(`DROP TRIGGER log_keeps_content${databases.sqlite ? '' : ' ON log'}`);
    await opened.database.run(change);
    await expect(opened.log.read(0, 10)).rejects.toThrow(/decryption-failed/);
  });

  it('lets in no more than the quota of those who ask at the same time, and no lookup twice', async () => {
    const ids = Array.from({ length: 12 }, () => secureRandom(16));
    const beside = databases.durable ? await open() : opened;
    // Each comes twice, to two processes.
    const answers = ids.flatMap((id) =>
      [opened, beside].map(({ log }) => log.appendAnswered(id, detail(2), { limit: 10, total: 1_000 }, NOON)),
    );
    const told = await Promise.all(answers);
    expect(told.filter((one) => one === 'logged')).toHaveLength(5);
    expect((await events()).filter((event) => event === 'answered')).toHaveLength(5);
    const check = await checkLog(opened.log, { opener: opened.log });
    expect(check).toMatchObject({ fault: undefined, entries: (await opened.log.head()).sequence });
    if (beside !== opened) await beside.database.close();
  });

  it('throws when it cannot be written, and leaves nothing behind', async () => {
    if (!databases.sqlite) return;
    await answer(secureRandom(16), 4);
    await opened.database.run('PRAGMA query_only = ON');
    await expect(answer(secureRandom(16), 1)).rejects.toThrow(/storage-failed/);
    await expect(opened.log.append(asking('een'), NOON)).rejects.toThrow(/storage-failed/);
    await opened.database.run('PRAGMA query_only = OFF');
    expect(await events()).toEqual(['answered']);
    expect(await answer(secureRandom(16), 6)).toBe('logged');
    await opened.database.close();
    await expect(opened.log.append(asking('twee'), NOON)).rejects.toThrow(/storage-failed/);
  });
});
