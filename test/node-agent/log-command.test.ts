import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sqlAgencyLog } from '../../node-agent/src/adapters/sql/agency-log.ts';
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
    const log = sqlAgencyLog(agent.database, agent.backend, agent.keys.logKey, secureRandom);
    const subjects = [{ bsn: 'pseudoniem-1', 'name+birthdate': 'pseudoniem-2' }, { bsn: 'pseudoniem-3' }];
    await log.append(
      {
        event: 'asking',
        lookupKey: 'aa11',
        detail: {
          professional: 'J. Jansen\n\u202eregel twee',
          role: 'case-worker',
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
    await log.append(
      { event: 'asked', lookupKey: 'aa11', detail: { lookupId: 'Ident_1', outcomes, failure: undefined } },
      NOON + 1_000,
    );
    await log.append(
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
      evidence: 'YmV3aWpz',
      evidenceSignature: 'handtekening',
    };
    expect(await log.appendAnswered(LOOKUP, question, { limit: 2, total: 9 }, NOON + 3_000)).toBe('logged');
    expect(await log.appendAnswered(secureRandom(16), question, { limit: 2, total: 9 }, NOON + 4_000)).toBe(
      'node-quota-agency',
    );
    await agent.database.close();
  });

  afterEach(() => rmSync(join(folder, '..'), { recursive: true }));

  const run = (...args: string[]) => runCommand(folder, ...args);

  it('tells of each entry in a line: when, what, who, why, and how it ended', async () => {
    const { code, out, err } = await run('log');
    expect([code, err]).toEqual([0, '']);
    expect(out.trimEnd().split('\n')).toEqual([
      '1  2026-03-02T12:00:00.000Z  asking  lookup aa11  by "J. Jansen\\n\\u202eregel twee"  as case-worker  purpose casusoverleg-zvh  case ZVH-2026-17  ' +
        '2 persons at 2 registers  subject bsn:pseudoniem-1,name+birthdate:pseudoniem-2  subject bsn:pseudoniem-3',
      '2  2026-03-02T12:00:01.000Z  asked  lookup aa11  id Ident_1  known 1, no-answer: timeout 2, not-known 1',
      '3  2026-03-02T12:00:02.000Z  asked  lookup bb22  id -  failed: not-allowed',
      '4  2026-03-02T12:00:03.000Z  answered  lookup AAECAwQFBgcICQoLDA0ODw  for gemeente  purpose jeugdbescherming  2 persons at zaken',
      expect.stringMatching(
        /^5 {2}2026-03-02T12:00:04\.000Z {2}refused {2}lookup [\w-]{22} .* reason node-quota-agency$/,
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
    expect(entries[3]).toMatchObject({ lookup: 'AAECAwQFBgcICQoLDA0ODw', detail: { evidence: 'YmV3aWpz' } });
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
    database.exec("DROP TRIGGER log_keeps_content; UPDATE log SET lookup_key = 'cc33' WHERE sequence = 3");
    database.close();
    const { code, out, err } = await run('log');
    expect(code).toBe(1);
    expect(out.match(/^\d+/gm)).toEqual(['1', '2']);
    expect(err).toMatch(/the entry after 2 does not open: it was changed, .* \(storage-failed\)\n$/);
  });

  describe('verify', () => {
    const verify = (...args: string[]) => run('log', 'verify', ...args);
    const database = () => new DatabaseSync(join(folder, 'agent.sqlite'));
    const head = async () => {
      const { out } = await verify('--json');
      return (JSON.parse(out) as { head: { sequence: number; chain: string } }).head;
    };

    it('says that the log is as it was written, and what it was held against', async () => {
      const { code, out } = await verify();
      expect([code, out.split('\n')[0]]).toEqual([
        0,
        '5 entries, 5 opened with the key of this agency: none was changed, moved, taken out or put in between.',
      ]);
      expect(out).toContain('Whether the newest were cut off shows only beside the heads');
      const anchors = join(folder, 'anchors');
      writeFileSync(anchors, `${JSON.stringify(await head())}\n\n`);
      expect(await verify('--anchors', anchors)).toMatchObject({
        code: 0,
        out: expect.stringContaining('It is the log that 1 anchor tells of.') as string,
      });
    });

    it('takes anchors from the log of the gateway, those of its own agency', async () => {
      const anchors = join(folder, 'anchors');
      const tables = (chain: string) =>
        JSON.stringify({
          at: NOON,
          event: 'tables',
          agency: 'politie',
          body: JSON.stringify({ logHead: { sequence: 5, chain } }),
        });
      const other = JSON.stringify({ at: NOON, event: 'agency-invited', agency: 'politie', again: false });
      writeFileSync(anchors, `${other}\n${tables((await head()).chain)}\n`);
      expect((await verify('--anchors', anchors)).code).toBe(0);
      writeFileSync(anchors, `${other}\n${tables('A'.repeat(43))}\n`);
      expect(await verify('--anchors', anchors)).toMatchObject({
        code: 1,
        out: expect.stringMatching(/^Entry 5 is not as it was written \(rewritten\): /) as string,
      });
      writeFileSync(anchors, `${other}\n`);
      expect((await verify('--anchors', anchors)).err).toMatch(
        /there is no head of .* log in it \(malformed\)/,
      );
      writeFileSync(anchors, 'sequence 5');
      expect((await verify('--anchors', anchors)).err).toMatch(/anchors:1: this is not a line of JSON/);
      writeFileSync(anchors, '{"sequence": 5}');
      expect((await verify('--anchors', anchors)).err).toMatch(/anchors:1: neither .*"chain"/);
    });

    it('looks at a copy of the database without any key', async () => {
      const copy = join(folder, 'copy.sqlite');
      const original = database();
      original.exec(`VACUUM INTO '${copy}'`);
      original.close();
      expect(await verify('--database', copy)).toMatchObject({
        code: 0,
        out: expect.stringMatching(/^5 entries, looked at without the key: /) as string,
      });
      writeFileSync(copy, 'no database');
      expect((await verify('--database', copy)).err).toMatch(/this is not the database of an agent/);
    });

    it('names the first entry that is not as it was written', async () => {
      const changed = database();
      changed.exec("DROP TRIGGER log_keeps_content; UPDATE log SET lookup_key = 'cc33' WHERE sequence = 3");
      changed.close();
      expect(await verify()).toEqual({
        code: 1,
        out: 'Entry 3 is not as it was written (altered): its content is not the one that was written.\n',
        err: '',
      });
      expect(JSON.parse((await verify('--json')).out)).toMatchObject({
        fault: { kind: 'altered', sequence: 3 },
      });
    });
  });

  describe('export', () => {
    const lines = async (...args: string[]) =>
      (await run('log', 'export', '--for-reconciliation', ...args)).out
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>);

    beforeEach(async () => {
      const agent = await openAgent(folder);
      await agent.state.setMembership({
        agency: 'politie',
        gatewayUrl: 'http://gateway.example',
        gatewayKey: new Uint8Array(32),
      });
      const log = sqlAgencyLog(agent.database, agent.backend, agent.keys.logKey, secureRandom);
      const detail = {
        lookupId: 'Ident_2',
        requestDigest: 'vingerafdruk',
        purpose: 'jeugdbescherming',
        persons: 3,
        nodes: ['ggz'],
      };
      await log.appendOpened('dd44', detail, undefined, NOON + 86_400_000);
      await agent.database.close();
    });

    it('has a line for each lookup that was opened, asked or answered, and nothing of persons, cases or outcomes', async () => {
      const all = await lines();
      expect(all).toEqual([
        {
          agency: 'politie',
          role: 'asked',
          lookupId: 'Ident_1',
          at: '2026-03-02T12:00:01.000Z',
          purpose: 'casusoverleg-zvh',
          persons: 2,
          others: ['politie', 'ggz'],
        },
        {
          agency: 'politie',
          role: 'answered',
          lookupId: 'AAECAwQFBgcICQoLDA0ODw',
          at: '2026-03-02T12:00:03.000Z',
          purpose: 'jeugdbescherming',
          persons: 2,
          others: ['gemeente'],
          requestDigest: createHash('sha256')
            .update(Buffer.from('YmV3aWpz', 'base64url'))
            .digest('base64url'),
        },
        expect.objectContaining({ role: 'refused', at: '2026-03-02T12:00:04.000Z' }),
        {
          agency: 'politie',
          role: 'asked',
          lookupId: 'Ident_2',
          at: '2026-03-03T12:00:00.000Z',
          purpose: 'jeugdbescherming',
          persons: 3,
          others: ['ggz'],
          requestDigest: 'vingerafdruk',
        },
      ]);
      const text = JSON.stringify(all);
      for (const secret of ['Jansen', 'ZVH', 'pseudoniem', 'zout', 'known', 'aa11'])
        expect(text).not.toContain(secret);
    });

    it('can be of some days only', async () => {
      expect(await lines('--since', '2026-03-03')).toHaveLength(1);
      expect(await lines('--until', '2026-03-02T12:00:03Z')).toHaveLength(1);
      expect(await lines('--since', '2026-03-02T12:00:03+00:00', '--until', '2026-03-03')).toHaveLength(2);
      expect((await run('log', 'export', '--for-reconciliation', '--since', 'gisteren')).err).toContain(
        'A day (2026-03-02) or a time',
      );
    });

    it('does not give out the whole log by mistake', async () => {
      expect(await run('log', 'export')).toMatchObject({
        code: 1,
        out: '',
        err: expect.stringMatching(/--for-reconciliation leaves out persons/) as string,
      });
    });
  });
});
