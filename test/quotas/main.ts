/**
 * How many persons a quota lets through: `npm run test:quotas [-- --requests 100000]`. Prints a table, and ends with 1
 * when more than the quota got through anywhere.
 */
import { parseArgs } from 'node:util';
import { POSTGRES_MISSING } from '../support/postgres.ts';
import { REDIS_MISSING } from '../support/redis.ts';
import { Gateways } from './gateways.ts';
import { nodeRuns } from './node-run.ts';
import type { Result } from './runs.ts';
import { embeddedRuns, holds, replicatedRuns } from './runs.ts';
import { tableOf } from './table.ts';

/** No run goes on for longer than this, whatever happens. */
const AT_MOST_MS = 15 * 60_000;
const AT_MOST_REQUESTS = 1_000_000;

const { values } = parseArgs({ options: { requests: { type: 'string', default: '100000' } } });
const many = Math.min(Number(values.requests), AT_MOST_REQUESTS);
const missing = POSTGRES_MISSING ?? REDIS_MISSING;
if (missing !== undefined || !Number.isInteger(many) || many < 1_000) {
  console.error(missing ?? 'npm run test:quotas [-- --requests 100000], a thousand at least');
  process.exit(1);
}
const sizes = { many, some: Math.min(5_000, many) };

const results: Result[] = [];
const tell = (result: Result): void => {
  results.push(result);
  console.log(`${result.what}: ${result.seconds.toFixed(1)} s`);
};
const tooLong = setTimeout(() => {
  console.error('it takes too long, and was given up');
  process.exit(1);
}, AT_MOST_MS);

async function withGateways(
  start: () => Promise<Gateways>,
  runs: (gateways: Gateways) => Promise<void>,
): Promise<void> {
  const gateways = await start();
  try {
    await runs(gateways);
  } finally {
    await gateways.close();
  }
}

await withGateways(
  () => Gateways.replicated(),
  (gateways) => replicatedRuns(gateways, sizes, tell),
);
await withGateways(
  () => Gateways.embedded(),
  (gateways) => embeddedRuns(gateways, sizes, tell),
);
await nodeRuns(sizes, tell);
clearTimeout(tooLong);

console.log(`\n${tableOf(results)}\n`);
const wrong = results.filter((result) => !holds(result)).length;
console.log(`runs ${results.length}, of which let through what they must not ${wrong}`);
process.exit(wrong === 0 ? 0 : 1);
