import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { POSTGRES_MISSING } from '../support/postgres.ts';
import { ReplicasWorld } from './replicas-world.ts';
import { killDuringLookups } from './scenarios/replicas.ts';

describe.skipIf(POSTGRES_MISSING !== undefined)('two replicas of an agent, as processes', () => {
  let world: ReplicasWorld;

  beforeAll(async () => {
    world = await ReplicasWorld.start();
  }, 120_000);
  afterAll(() => world.close());

  it('lose no lookup, and answer none twice or wrongly, when one is killed and comes back', async () => {
    world.beginAsking();
    expect(await killDuringLookups(world, 1)).toMatch(/^\d+ lookups, none wrong, 0 without an answer/);
  }, 120_000);
});
