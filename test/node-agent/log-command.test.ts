import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sqliteAgencyLog } from '../../node-agent/src/adapters/sqlite/agency-log.ts';
import { openAgent } from '../../node-agent/src/open-agent.ts';
import { secureRandom } from '../../node-agent/src/random.ts';
import { runCommand } from './support/program.ts';

const NOON = Date.UTC(2026, 2, 2, 12);
const LOOKUP = Uint8Array.from({ length: 16 }, (_, i) => i);

describe('hit-agent log', () => {
  let folder: string;

  beforeEach(async () => {
    folder = join(mkdtempSync(join(tmpdir(), 'hitmachine-log-')), 'agent');
    expect((await run('init')).code).toBe(0);
    const agent = await openAgent(folder);
    const log = sqliteAgencyLog(agent.database, agent.backend, agent.keys.logKey, secureRandom);
    const subjects = [{ bsn: 'pseudoniem-1', 'name+birthdate': 'pseudoniem-2' }, { bsn: 'pseudoniem-3' }];
    log.append(
      {
        event: 'asking',
        lookupKey: 'aa11',
        detail: {
          professional: 'J. Jansen\n\u202eregel twee',
          purpose: 'casusoverleg-zvh',
          caseReference: 'ZVH-2026-17',
          caseSalt: 'zout',
          subjects,
          registers: ['politie/zaken', 'ggz/clienten'],
        },
      },
      NOON,
    );
    const known = { 'politie/zaken': 'known', 'ggz/clienten': 'no-answer: timeout' };
    const outcomes = [known, { 'politie/zaken': 'not-known', 'ggz/clienten': 'no-answer: timeout' }];
    log.append(
      { event: 'asked', lookupKey: 'aa11', detail: { lookupId: 'Ident_1', outcomes, failure: undefined } },
      NOON + 1_000,
    );
    log.append(
      {
        event: 'asked',
        lookupKey: 'bb22',
        detail: { lookupId: undefined, outcomes: [{}], failure: 'not-allowed' },
      },
      NOON + 2_000,
    );
    const question = {
      asker: 'gemeente',
      purpose: 'jeugdbescherming',
      persons: 2,
      registers: ['zaken'],
      epoch: 3,
      evidence: 'bewijs',
      evidenceSignature: 'handtekening',
    };
    expect(log.appendAnswered(LOOKUP, question, { limit: 2, total: 9 }, NOON + 3_000)).toBe('logged');
    expect(log.appendAnswered(secureRandom(16), question, { limit: 2, total: 9 }, NOON + 4_000)).toBe(
      'quota',
    );
    agent.database.close();
  });

  afterEach(() => rmSync(join(folder, '..'), { recursive: true }));

  const run = (...args: string[]) => runCommand(folder, ...args);

  it('tells of each entry in a line: when, what, who, why, and how it ended', async () => {
    const { code, out, err } = await run('log');
    expect([code, err]).toEqual([0, '']);
    expect(out.trimEnd().split('\n')).toEqual([
      '1  2026-03-02T12:00:00.000Z  asking  lookup aa11  by "J. Jansen\\n\\u202eregel twee"  purpose casusoverleg-zvh  case ZVH-2026-17  ' +
        '2 persons at 2 registers  subject bsn:pseudoniem-1,name+birthdate:pseudoniem-2  subject bsn:pseudoniem-3',
      '2  2026-03-02T12:00:01.000Z  asked  lookup aa11  id Ident_1  known 1, no-answer: timeout 2, not-known 1',
      '3  2026-03-02T12:00:02.000Z  asked  lookup bb22  id -  failed: not-allowed',
      '4  2026-03-02T12:00:03.000Z  answered  lookup AAECAwQFBgcICQoLDA0ODw  for gemeente  purpose jeugdbescherming  2 persons at zaken',
      expect.stringMatching(
        /^5 {2}2026-03-02T12:00:04\.000Z {2}refused {2}lookup [\w-]{22} .* reason quota$/,
      ),
    ]);
  });

  it('tells everything as JSON, a line an entry', async () => {
    const { out } = await run('log', '--json');
    const entries = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(entries).toHaveLength(5);
    expect(entries[1]).toEqual({
      sequence: 2,
      at: '2026-03-02T12:00:01.000Z',
      event: 'asked',
      lookup: 'aa11',
      detail: {
        lookupId: 'Ident_1',
        outcomes: [
          { 'politie/zaken': 'known', 'ggz/clienten': 'no-answer: timeout' },
          { 'politie/zaken': 'not-known', 'ggz/clienten': 'no-answer: timeout' },
        ],
      },
    });
    expect(entries[3]).toMatchObject({ lookup: 'AAECAwQFBgcICQoLDA0ODw', detail: { evidence: 'bewijs' } });
  });

  it('goes on where it is told to, and says when there is more', async () => {
    const first = await run('log', '--limit', '2');
    expect(first.out.match(/^\d+/gm)).toEqual(['1', '2']);
    expect(first.err).toContain('There are more entries: hit-agent log --after 2');
    const next = await run('log', '--after', '2', '--limit', '3');
    expect(next.out.match(/^\d+/gm)).toEqual(['3', '4', '5']);
    expect(next.err).toBe('');
    expect(await run('log', '--after', '5')).toEqual({ code: 0, out: '', err: '' });
  });

  it('names the place at which somebody has changed it', async () => {
    const database = new DatabaseSync(join(folder, 'agent.sqlite'));
    database.exec("UPDATE log SET lookup_key = 'cc33' WHERE sequence = 3");
    database.close();
    const { code, out, err } = await run('log');
    expect(code).toBe(1);
    expect(out.match(/^\d+/gm)).toEqual(['1', '2']);
    expect(err).toMatch(/the entry after 2 does not open: it was changed, .* \(storage-failed\)\n$/);
  });
});
