import { setTimeout as delay } from 'node:timers/promises';
import { numbers } from '../../node-agent/support/node.ts';
import { POSTGRES_MISSING } from '../../support/postgres.ts';
import { ReplicasWorld } from '../replicas-world.ts';
import { require } from '../require.ts';
import type { Scenario } from '../scenario.ts';

/** While new tables show their canaries, and nothing else: what a replica says that has just taken them up. */
const STARTING = /^no-answer \(starting\)$/;

/** A scenario with a world of its own: two replicas on PostgreSQL, which are asked all the while. */
const withReplicas = (fault: string, run: (world: ReplicasWorld) => Promise<string>): Scenario => ({
  fault,
  missing: POSTGRES_MISSING,
  async run() {
    const world = await ReplicasWorld.start();
    try {
      world.beginAsking();
      await delay(500);
      return await run(world);
    } finally {
      await world.close();
    }
  },
});

/** Kills each replica in turn `rounds` times, a little later each time, and starts it again. */
export async function killDuringLookups(world: ReplicasWorld, rounds: number): Promise<string> {
  for (let round = 0; round < rounds; round++) {
    await world.kill(round % 2);
    await delay(300 + 130 * round);
    await world.serve(round % 2);
  }
  await world.stopAsking();
  return world.outcome();
}

export const replicas: readonly Scenario[] = [
  withReplicas('one of two replicas killed during lookups', (world) => killDuringLookups(world, 6)),
  withReplicas('the replica that leads killed while it makes tables', async (world) => {
    const slowest: number[] = [];
    const added = numbers(3, 270_000_000);
    for (const [i, moment] of [0, 60, 250].entries()) {
      await world.import([...world.clients, ...added.slice(0, i + 1)]);
      const leader = world.leader();
      require(leader >= 0, 'none of them leads');
      await delay(moment);
      await world.kill(leader);
      slowest.push(await world.untilKnown(added[i] as string));
      require(world.leader() === 1 - leader, 'the other one does not lead');
      await world.serve(leader);
    }
    await world.stopAsking();
    require(Math.max(...slowest) < 20_000, `the other took ${Math.max(...slowest)} ms to make tables`);
    return `tables by the other after ${Math.max(...slowest)} ms at most; ${await world.outcome(STARTING)}`;
  }),
  withReplicas('one of two replicas and an import killed', async (world) => {
    const added = numbers(2_000, 270_000_000);
    let kills = 0;
    for (const moment of [300, 900, 1_800]) {
      const run = world.beginImport([...world.clients, ...added], kills % 2);
      await delay(moment);
      const leader = await world.untilLed();
      await world.kill(leader);
      if (run.isRunning) {
        await run.kill();
        kills++;
      } else await run.ended();
      await world.serve(leader);
    }
    require(kills > 0, 'each import was through before it could be killed');
    await world.import([...world.clients, ...added]);
    const ms = await world.untilKnown(added[0] as string);
    await world.stopAsking();
    return `${kills} imports killed, the next one known after ${ms} ms; ${await world.outcome(STARTING)}`;
  }),
  withReplicas('the replica that leads hangs, and wakes up', async (world) => {
    const leader = world.leader();
    const [added = ''] = numbers(1, 270_000_000);
    world.replica(leader).child.kill('SIGSTOP');
    await world.import([...world.clients, added]);
    const ms = await world.untilKnown(added);
    require(world.leader() >= 0, 'none of them leads');
    world.replica(leader).child.kill('SIGCONT');
    await delay(4_000);
    await world.stopAsking();
    // What was under way at the one that hung is waited for in vain.
    return `the other made tables after ${ms} ms; ${await world.outcome(/^no-answer \((starting|timeout)\)$/)}`;
  }),
];
