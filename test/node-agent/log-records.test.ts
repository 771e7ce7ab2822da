import type { DatabaseSync } from 'node:sqlite';
import { Secret } from '@hitmachine/protocol';
import { CookieSeal } from '@hitmachine/web';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeSearch, readSearch, searchQuery } from '../../node-agent/desk/search-form.ts';
import { en } from '../../node-agent/desk/texts/en.ts';
import { nl } from '../../node-agent/desk/texts/nl.ts';
import { configSchema } from '../../node-agent/src/config.ts';
import { chainPlace } from '../../node-agent/src/domain/own-log/chain-place.ts';
import { checkRunningLog } from '../../node-agent/src/domain/own-log/log-check.ts';
import { figuresOf } from '../../node-agent/src/domain/own-log/log-figures.ts';
import { fits } from '../../node-agent/src/domain/own-log/log-filter.ts';
import type { LogRecord } from '../../node-agent/src/domain/own-log/log-records.ts';
import { recordAt, recordsBetween } from '../../node-agent/src/domain/own-log/log-records.ts';
import { commitToCase, professionalPseudonym } from '../../node-agent/src/domain/pseudonymise.ts';
import { resolve } from '../../node-agent/src/domain/own-log/resolve.ts';
import type { AgencyLog } from '../../node-agent/src/ports/agency-log.ts';
import { secureRandom } from '../../node-agent/src/random.ts';
import { DAY, HOUR, NOON, backend, makeLog, tamper } from '../contract/support/agency-log.ts';

const START = NOON + 10 * HOUR;
const keys = { pseudonymKey: new Secret(secureRandom(32)) } as Parameters<typeof resolve>[1];

describe("what stands in an agency's own log", () => {
  let database: DatabaseSync;
  let log: AgencyLog;
  let remove: () => void;
  const commitments: string[] = [];

  /** A lookup that is opened a second after it is begun, and ends a second later. */
  async function lookup(
    name: string,
    at: number,
    professional: string,
    outcomes: Record<string, string>[],
  ): Promise<void> {
    const { commitment, salt } = commitToCase(`zaak ${name}`, secureRandom);
    commitments.push(commitment);
    const registers = ['politie/incidenten', 'ggz/cliënten'];
    const detail = {
      professional,
      role: 'case-worker',
      purpose: 'zorg',
      caseReference: `zaak ${name}`,
      caseSalt: salt,
      registers,
    };
    await log.append({ event: 'asking', lookupKey: name, detail: { ...detail, subjects: [{}, {}] } }, at);
    const opened = { lookupId: `id-${name}`, requestDigest: '', purpose: 'zorg', persons: 2 };
    await log.appendOpened(name, { ...opened, nodes: ['politie', 'ggz'] }, undefined, at + 1_000);
    await log.append(
      { event: 'asked', lookupKey: name, detail: { lookupId: `id-${name}`, outcomes, failure: undefined } },
      at + 2_000,
    );
  }

  beforeEach(async () => {
    ({ database, log, remove } = await makeLog());
    const all = { 'politie/incidenten': 'known', 'ggz/cliënten': 'not-known' };
    await lookup('a', START, 'jansen', [all, all]);
    await lookup('b', START + DAY, 'Pietersen', [all, { ...all, 'ggz/cliënten': 'no-answer: timeout' }]);
    const detail = { asker: 'politie', purpose: 'zorg', persons: 3, registers: ['x'], epoch: 7 };
    await log.append(
      {
        event: 'refused',
        lookupKey: '00'.repeat(16),
        detail: { ...detail, evidence: '', evidenceSignature: '', reason: 'purpose' },
      },
      START + DAY + HOUR,
    );
  });
  afterEach(() => {
    commitments.length = 0;
    database.close();
    remove();
  });
  const kinds = (records: readonly LogRecord[]): string[] => records.map(({ kind }) => kind);

  it('is put together, a lookup from the entries about it', async () => {
    const records = await recordsBetween(log, START, Infinity);
    expect(records).toMatchObject([
      {
        sequence: 9,
        kind: 'asked',
        lookupId: 'id-a',
        status: 'complete',
        nodes: ['politie', 'ggz'],
        outcomes: { 'politie/incidenten': { known: 2 }, 'ggz/cliënten': { 'not-known': 2 } },
      },
      {
        sequence: 12,
        status: 'incomplete',
        outcomes: { 'ggz/cliënten': { 'not-known': 1, 'no-answer: timeout': 1 } },
      },
      { sequence: 15, kind: 'refused', detail: { reason: 'purpose' } },
    ]);
  });

  it('is found by time, also where a lookup goes on after the end of a period', async () => {
    const within = async (from: number, to: number): Promise<number[]> =>
      (await recordsBetween(log, from, to)).map(({ sequence }) => sequence);
    expect(await within(START, START + 1)).toEqual([9]);
    expect((await recordsBetween(log, START, START + 1))[0]).toMatchObject({ status: 'complete' });
    expect(await within(START + 1, START + DAY)).toEqual([]);
    expect(await within(START + DAY, Infinity)).toEqual([12, 15]);
    expect(await within(START + 9 * DAY, Infinity)).toEqual([]);
  });

  it('is one record, whichever of its entries is asked for', async () => {
    for (const sequence of [9, 10, 11])
      expect(await recordAt(log, sequence)).toMatchObject({ sequence: 9, status: 'complete' });
    expect(await recordAt(log, 15)).toMatchObject({ kind: 'refused' });
    for (const none of [0, 16, 1e9]) expect(await recordAt(log, none)).toBeUndefined();
  });

  it('is found by what it says, the name of a professional in capitals or not', async () => {
    const records = await recordsBetween(log, START, Infinity);
    const found = (filter: Parameters<typeof fits>[1]): number[] =>
      records.filter((record) => fits(record, filter)).map(({ sequence }) => sequence);
    expect(found({ professional: 'PIETERSEN' })).toEqual([12]);
    expect(found({ caseReference: 'zaak a' })).toEqual([9]);
    expect(found({ agency: 'politie' })).toEqual([9, 12, 15]);
    expect(found({ agency: 'politie', direction: 'answered' })).toEqual([15]);
    expect(found({ status: 'incomplete' })).toEqual([12]);
    expect(found({ purpose: 'anders' })).toEqual([]);
  });

  it('is counted by day', async () => {
    const days = ['2026-03-02', '2026-03-03', '2026-03-04'];
    expect(figuresOf(await recordsBetween(log, START, Infinity), days)).toMatchObject({
      asked: 2,
      persons: 4,
      answered: 0,
      refused: 1,
      byPurpose: [{ name: 'zorg', total: 2, perDay: [1, 1, 0] }],
      refusals: [{ asker: 'politie', reason: 'purpose', times: 1 }],
    });
  });

  it('names who and what stand behind pseudonyms and commitments', async () => {
    const pseudonym = professionalPseudonym(keys, 'jansen');
    expect((await resolve(log, keys, pseudonym)).professionals).toMatchObject([
      { professional: 'jansen', lookups: 1, lastAt: START },
    ]);
    expect((await resolve(log, keys, 'JANSEN')).professionals).toMatchObject([{ pseudonym }]);
    expect((await resolve(log, keys, commitments[1] ?? '')).cases).toMatchObject([
      { caseReference: 'zaak b', sequence: 12, lookupId: 'id-b' },
    ]);
    expect(await resolve(log, keys, 'A'.repeat(22))).toEqual({ professionals: [], cases: [] });
  });

  it('shows as removed what had to go, and resolves it no longer', async () => {
    const now = START + 30 * DAY;
    await log.removeContent(START + HOUR, 100, now);
    const records = await recordsBetween(log, 0, Infinity);
    expect(kinds(records)).toEqual([
      ...Array<string>(11).fill('removed'),
      'asked',
      'refused',
      'content-removed',
    ]);
    expect((await chainPlace(log, 9))?.state).toBe('removed');
    expect((await resolve(log, keys, 'jansen')).professionals).toEqual([]);
    expect((await checkRunningLog(log, { opener: log })).fault).toBeUndefined();
  });

  it('goes on being read when an entry was changed, and says which', async () => {
    tamper(database, 'UPDATE log SET sealed = zeroblob(length(sealed)) WHERE sequence = 12');
    expect(kinds(await recordsBetween(log, START, Infinity))).toEqual(['asked', 'unreadable', 'refused']);
    expect(
      await Promise.all([11, 12, 13].map(async (sequence) => (await chainPlace(log, sequence))?.state)),
    ).toEqual(['sound', 'broken', 'sound']);
    expect((await checkRunningLog(log, { opener: log })).fault).toMatchObject({ sequence: 12 });
    expect(await recordAt(log, 13)).toMatchObject({ kind: 'unreadable' });
  });
});

describe("a search in the privacy officer's pages", () => {
  const seal = new CookieSeal(backend, new Secret(secureRandom(32)), 'desk', secureRandom);
  const values = { from: '', professional: 'j.jansen', caseReference: 'ZVH-1', agency: 'politie' };

  it('has no names in its address, and finds them again', () => {
    const query = searchQuery(values, seal, 12);
    expect(query).not.toMatch(/jansen|ZVH/);
    const form = readSearch(new URLSearchParams(query), seal, NOON);
    expect(form.filter).toMatchObject({
      professional: 'j.jansen',
      caseReference: 'ZVH-1',
      agency: 'politie',
    });
    expect(describeSearch(form)).toBe('agency=politie professional=j.jansen caseReference=ZVH-1 before=12');
    // A name that somebody writes into an address is not looked for.
    expect(readSearch(new URLSearchParams('professional=x&agency=ggz'), seal, NOON).filter).toMatchObject({
      professional: undefined,
      agency: 'ggz',
    });
  });

  it('is through the last thirty days unless it says otherwise', () => {
    expect(readSearch(new URLSearchParams(), seal, NOON).values.from).toBe('2026-01-31T00:00');
    expect(readSearch(new URLSearchParams('from='), seal, NOON).filter.from).toBeUndefined();
  });
});

describe('desk in agent.yaml', () => {
  const desk = { baseUrl: 'https://agent.test', issuer: 'https://login.test', clientId: 'hitmachine' };
  const parse = (more: object) => configSchema.safeParse({ desk: { ...desk, ...more } });

  it('has a role for the privacy officer, and one proof of who the client is', () => {
    expect(parse({ clientSecretFile: 's' }).data?.desk).toMatchObject({
      privacyOfficerRole: 'privacy-officer',
    });
    expect(configSchema.parse({}).desk).toBeUndefined();
    for (const wrong of [
      {},
      { clientSecretFile: 's', clientKeyFile: 'k' },
      { clientSecretFile: 's', issuer: 'http://login.test' },
      { clientSecretFile: 's', baseUrl: 'https://agent.test/desk' },
      { clientSecretFile: 's', role: 'x' },
    ])
      expect(parse(wrong).success).toBe(false);
  });
});

it('says everything in both languages', () => {
  const shape = (value: unknown): unknown =>
    typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shape(inner)]))
      : typeof value;
  expect(shape(en)).toEqual(shape(nl));
});
