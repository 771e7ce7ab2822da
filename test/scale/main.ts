/**
 * What replicas of a gateway have to show, on the real servers: `npm run test:scale [-- --only WORD] [-- --json]`. Three replicas behind a load
 * balancer, on PostgreSQL with one Redis server and then with a Redis cluster of three; agents in processes of their own.
 * And what happens when more comes in than can be done. Prints a table, and ends with 1 when anything in it does not hold.
 */
import { parseArgs } from 'node:util';
import { POSTGRES_MISSING } from '../support/postgres.ts';
import { REDIS_MISSING } from '../support/redis.ts';
import type { Finding } from './checks.ts';
import { scaleOut } from './checks.ts';
import { overload } from './overload.ts';

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, only: { type: 'string', default: '' } },
});
const AT_MOST_MS = 12 * 60_000;
const SIZES = { replicas: 3, lookups: 12, quota: 300, requests: 900 } as const;

const missing = POSTGRES_MISSING ?? REDIS_MISSING;
if (missing !== undefined) {
  console.error(missing);
  process.exit(1);
}
setTimeout(() => {
  console.error('it takes too long, and was given up');
  process.exit(1);
}, AT_MOST_MS).unref();

const rows: (Finding & { readonly on: string })[] = [];
for (const [on, redis] of [
  ['one Redis', 'single'],
  ['Redis cluster', { cluster: 1 }],
] as const) {
  if (!on.includes(values.only)) continue;
  await scaleOut({ ...SIZES, redis }, (finding) => {
    rows.push({ ...finding, on });
    console.log(`${on}: ${finding.what}: ${finding.holds ? 'holds' : 'DOES NOT HOLD'}`);
  });
}
if ('overload'.includes(values.only))
  await overload({ replicas: 2, partMs: 5_000, factors: [1, 2, 4] }, (finding) => {
    rows.push({ ...finding, on: 'overload' });
    console.log(`overload: ${finding.what}: ${finding.holds ? 'holds' : 'DOES NOT HOLD'}`);
  });
const width = Math.max(...rows.map(({ what }) => what.length));
console.log();
for (const { on, what, seen, holds } of rows)
  console.log(`${on.padEnd(13)}  ${what.padEnd(width)}  ${holds ? 'holds' : 'FAILS'}  ${seen}`);
const failed = rows.filter(({ holds }) => !holds).length;
console.log(`\nchecks ${rows.length}, of which do not hold ${failed}`);
if (values.json) console.log(JSON.stringify({ checks: rows.length, failed, results: rows }));
process.exit(failed === 0 && rows.length > 0 ? 0 : 1);
