import { describe, expect, it } from 'vitest';
import { POSTGRES_MISSING } from '../support/postgres.ts';
import { REDIS_MISSING } from '../support/redis.ts';
import type { Finding } from './checks.ts';
import { scaleOut } from './checks.ts';

const missing = POSTGRES_MISSING ?? REDIS_MISSING;
const why = missing === undefined ? '' : ` (left out: ${missing})`;

/** What `npm run test:scale` does, small. */
describe.skipIf(missing !== undefined)(`replicas of a gateway on the real servers${why}`, () => {
  it('answer each other’s lookups, keep one quota and one log', async () => {
    const findings: Finding[] = [];
    const sizes = { replicas: 2, redis: 'single', lookups: 2, quota: 60, requests: 120 } as const;
    await scaleOut(sizes, (finding) => findings.push(finding));
    expect(findings.filter(({ holds }) => !holds)).toEqual([]);
    expect(findings).toHaveLength(5);
  }, 120_000);
});
