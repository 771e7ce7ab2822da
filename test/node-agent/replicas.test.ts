import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestAgency, knownAt } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';
import { LogBook } from '../harness/log-book.ts';
import { replicaFolders } from '../harness/replicas.ts';
import { POSTGRES_MISSING, TestPostgres } from '../support/postgres.ts';

const REGISTER = { id: 'incidenten', tokenTypes: ['bsn'] };
const [first, second, third] = ['123456782', '111222333', '900026005'];

/** How often each of two programs wrote an event to its log. */
const count = (books: readonly LogBook[], event: string): number[] =>
  books.map((book) => book.text('politie').split(`"event":"${event}"`).length - 1);

describe.skipIf(POSTGRES_MISSING !== undefined)('two replicas of one agent on PostgreSQL', () => {
  let server: TestPostgres;
  let federation: Federation;
  let one: TestAgency;
  let other: TestAgency;
  const [oneLog, otherLog] = [new LogBook(), new LogBook()];
  const logs = [oneLog, otherLog];

  beforeAll(async () => {
    server = await TestPostgres.start();
    federation = await Federation.start({ agencies: { gemeente: [] } });
    const url = await server.emptySchema();
    one = await federation.addAgency('politie', [REGISTER]);
    const [mine = '', theirs = ''] = await replicaFolders(federation, one, { url });
    one = new TestAgency('politie', mine, oneLog);
    await one.import('incidenten', [{ bsn: first }]);
    other = new TestAgency('politie', theirs, otherLog);
    await federation.agency('gemeente').start();
    await one.start();
    await other.start();
    await Promise.all([one.ready(), other.ready()]);
  }, 120_000);

  afterAll(async () => {
    await Promise.all([one.stop(), other.stop()]);
    await federation.close();
    await server.remove();
  });

  it("answer from one set of tables that one of them made, and know each other's sessions", async () => {
    const asker = federation.agency('gemeente');
    for (let i = 0; i < 8; i++) {
      const result = await asker.lookup([{ bsn: first }], { registers: ['politie/incidenten'] });
      expect(knownAt(result)).toEqual(['politie/incidenten']);
    }
    expect(count(logs, 'leads')).toEqual([1, 0]);
    expect(count(logs, 'epoch-switched')).toEqual([1, 0]);
    expect(count(logs, 'session-unknown')).toEqual([0, 0]);
    expect(count(logs, 'question-rejected')).toEqual([0, 0]);
    // Both answered: the gateway takes turns between connections.
    const [mine, theirs] = logs.map((book) => book.text('politie'));
    expect([mine, theirs].map((text) => text?.includes('upkeep-failed'))).toEqual([false, false]);
  });

  it('take over from one another, and take an import up wherever it was made', async () => {
    const knows = async (bsn: string) => {
      const asker = federation.agency('gemeente');
      const result = await asker.lookup([{ bsn }], { registers: ['politie/incidenten'] });
      return result.complete ? knownAt(result).length : -1;
    };
    await one.stop();
    expect(await knows(first)).toBe(1);
    await other.import('incidenten', [{ bsn: first }, { bsn: third }]);
    await expect.poll(() => knows(third), { timeout: 20_000, interval: 300 }).toBe(1);
    expect(count(logs, 'leads')).toEqual([1, 1]);
    await one.start();
    await one.ready();
    for (let i = 0; i < 8; i++) expect([await knows(third), await knows(second)]).toEqual([1, 0]);
    expect(count(logs, 'leads')).toEqual([1, 1]);
  }, 60_000);

  it('answer rightly, whichever is asked, also when one of them stops and when the database was away', async () => {
    const asker = federation.agency('gemeente');
    const ask = async () => {
      const persons = [{ bsn: first }, { bsn: second }];
      const result = await asker.lookup(persons, { registers: ['politie/incidenten'] });
      return result.complete ? [knownAt(result, 0), knownAt(result, 1)] : 'no answer';
    };
    const right = [['politie/incidenten'], []];
    const answers = [];
    for (let i = 0; i < 8; i++) answers.push(await ask());
    expect(answers.filter((answer) => JSON.stringify(answer) !== JSON.stringify(right))).toEqual([]);
    await one.stop();
    expect(await ask()).toEqual(right);
    await server.crash();
    expect(await ask()).toBe('no answer');
    await server.start();
    await expect.poll(ask, { timeout: 60_000, interval: 1_000 }).toEqual(right);
  }, 120_000);
});
