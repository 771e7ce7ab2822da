import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { POSTGRES_MISSING } from '../support/postgres.ts';
import { REDIS_MISSING } from '../support/redis.ts';
import { Gateways } from './gateways.ts';
import { nodeRuns } from './node-run.ts';
import type { Result } from './runs.ts';
import { embeddedRuns, holds, replicatedRuns } from './runs.ts';

/** A short version of `npm run test:quotas`. */
const SIZES = { many: 1_500, some: 700 };

const missing = POSTGRES_MISSING ?? REDIS_MISSING;
const why = missing === undefined ? '' : ` (left out: ${missing})`;

async function resultsOf(runs: (tell: (result: Result) => void) => Promise<void>): Promise<Result[]> {
  const results: Result[] = [];
  await runs((result) => results.push(result));
  return results;
}

function expectAllHold(results: readonly Result[], count: number): void {
  expect(results).toHaveLength(count);
  expect(results.filter((result) => !holds(result))).toEqual([]);
  // Nearly all were asked in vain: it was the quota that stopped them.
  for (const { refusals } of results) expect(Math.max(...refusals.values())).toBeGreaterThan(100);
}

describe.skipIf(missing !== undefined)(`three replicas that share PostgreSQL and Redis${why}`, () => {
  let gateways: Gateways;
  beforeAll(async () => {
    gateways = await Gateways.replicated();
  });
  afterAll(() => gateways.close());

  it('let no more through than the quota, also when one is killed, and nothing without Redis', async () => {
    expectAllHold(await resultsOf((tell) => replicatedRuns(gateways, SIZES, tell)), 5);
  });
});

describe('one gateway with SQLite', () => {
  let gateways: Gateways;
  beforeAll(async () => {
    gateways = await Gateways.embedded();
  });
  afterAll(() => gateways.close());

  it('lets no more through than the quota, and does not write an entry for every refusal', async () => {
    expectAllHold(await resultsOf((tell) => embeddedRuns(gateways, SIZES, tell)), 2);
    const { entries, persons } = await gateways.logged();
    expect([...persons.values()]).toEqual([500, 500]);
    expect(entries).toBeLessThan(500 + 500 + 60);
  });
});

it('a node alone answers about no more than its own quota, whatever the gateway lets through', async () => {
  expectAllHold(await resultsOf((tell) => nodeRuns(SIZES, tell)), 2);
});

it.each([
  ['a person too many', { answered: 501, logged: 501 }, false],
  ['one too few where all should get through', { answered: 499, logged: 499 }, false],
  ['an answer that is not in the log', { answered: 500, logged: 499 }, false],
  ['exactly the quota', { answered: 500, logged: 500 }, true],
])('a run with %s is told apart', (_, counts, expected) => {
  const result = { what: '', requests: 1, seconds: 1, refusals: new Map<string, number>() };
  expect(holds({ ...result, ...counts, expected: { exactly: 500 } })).toBe(expected);
});
