import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Witnessing, keepPublishing } from '../../gateway/src/domain/witnessing.ts';
import { TestGateway } from './support/gateway.ts';

const EVERY_MS = 40;
const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

async function followed(): Promise<{ gateway: TestGateway; follower: Witnessing }> {
  const gateway = await TestGateway.make();
  const follower = new Witnessing(gateway.deps);
  running.push(keepPublishing(follower, { log: gateway.deps.log, leads: () => false }, EVERY_MS));
  return { gateway, follower };
}
const isCovered = async ({ deps }: TestGateway): Promise<boolean> =>
  (await deps.published.latest())?.size === (await deps.auditLog.head()).size;

describe('checkpoints of several replicas', () => {
  it('are published also when the one that they fall to does not, again and again', async () => {
    const { gateway } = await followed();
    await expect.poll(() => isCovered(gateway)).toBe(true);
    await gateway.enrolled('politie');
    expect(await isCovered(gateway)).toBe(false);
    await expect.poll(() => isCovered(gateway)).toBe(true);
  });

  it('are left to that one while it does, also after an hour without anything to publish', async () => {
    const { gateway, follower } = await followed();
    const leader = new Witnessing(gateway.deps);
    const publish = vi.spyOn(follower, 'publish');
    await leader.publish();
    gateway.clock.time += 3_600_000;
    await delay(10 * EVERY_MS);
    for (let i = 0; i < 4; i++) {
      await gateway.enrolled(`agency${i}`);
      await leader.publish();
      await delay(EVERY_MS);
    }
    expect(publish).not.toHaveBeenCalled();
  });
});
