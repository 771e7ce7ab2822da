import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestAgency, knownAt } from '../harness/agency.ts';
import { Federation } from '../harness/federation.ts';
import { LogBook } from '../harness/log-book.ts';
import { replicaFolders } from '../harness/replicas.ts';
import { POSTGRES_MISSING, TestPostgres } from '../support/postgres.ts';

const REGISTER = { id: 'incidenten', tokenTypes: ['bsn'] };
const PUSHED = { id: 'gepusht', tokenTypes: ['bsn'], source: { push: { pauseSeconds: 1 } } };
const [first, second, third, fourth] = ['123456782', '111222333', '900026005', '900026017'];

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
    one = await federation.addAgency('politie', [REGISTER, PUSHED]);
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
    expect(logs.map((book) => /"level":[45]0[^\n]*"upkeep-failed"/.test(book.text('politie')))).toEqual([
      false,
      false,
    ]);
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

  it('take pushed clients, each of some, and undo no removal that the other one took', async () => {
    const asker = federation.agency('gemeente');
    const knows = async (bsn: string) => {
      const result = await asker.lookup([{ bsn }], { registers: ['politie/gepusht'] });
      return result.complete ? knownAt(result).length : -1;
    };
    const push = async (at: TestAgency, method: 'PUT' | 'DELETE', reference: string, bsn?: string) => {
      const path = `/v1/registers/gepusht/clients/${reference}`;
      const { status } = await at.fetch(method, path, bsn === undefined ? undefined : { bsn });
      expect(status).toBe(method === 'PUT' ? 200 : 204);
    };
    await Promise.all([push(one, 'PUT', 'K-1', first), push(other, 'PUT', 'K-2', second)]);
    await Promise.all([push(other, 'PUT', 'K-3', third), push(one, 'PUT', 'K-4', fourth)]);
    await push(one, 'DELETE', 'K-3');
    const all = async () => [
      await knows(first),
      await knows(second),
      await knows(third),
      await knows(fourth),
    ];
    await expect.poll(all, { timeout: 30_000, interval: 300 }).toEqual([1, 1, 0, 1]);
    // The one that brought them in goes, and takes nothing along.
    const [leader, left] = count(logs, 'pushes-applied')[0] === 0 ? [other, one] : [one, other];
    await leader.stop();
    await push(left, 'DELETE', 'K-1');
    await expect.poll(all, { timeout: 30_000, interval: 300 }).toEqual([0, 1, 0, 1]);
    await leader.start();
    await leader.ready();
    expect(await all()).toEqual([0, 1, 0, 1]);
  }, 90_000);

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
