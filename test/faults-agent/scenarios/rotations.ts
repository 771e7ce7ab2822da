import type { RotationOptions } from '../rotation-world.ts';
import { RotationWorld } from '../rotation-world.ts';
import { require } from '../require.ts';
import type { Scenario } from '../scenario.ts';

/** One change of keys, in the middle of which the gateway is killed. Resolves when it is over. */
type Rotation = (world: RotationWorld) => Promise<void>;

/** Changes keys while everything goes on; gives what came of it, in words. */
export async function changing(rotate: Rotation, options: RotationOptions): Promise<string> {
  const world = await RotationWorld.start(options);
  try {
    await rotate(world);
    return await world.outcome();
  } finally {
    await world.close();
  }
}

const whileAsked = (fault: string, rotate: Rotation): Scenario => ({
  fault,
  run: () => changing(rotate, { clients: 3_000 }),
});

/** The keys that answers and questions are signed and sealed with, of one agency. */
async function changeIdentity(
  world: RotationWorld,
  hitAgent: (...args: string[]) => Promise<string>,
): Promise<void> {
  const show = (): Promise<string> => hitAgent('keys', 'show');
  const uses = (text: string): string => /this agent uses: +(.+)/.exec(text)?.[1] ?? '';
  const before = uses(await show());
  require(before !== '', 'it does not say which keys it uses');
  await hitAgent('keys', 'rotate', '--in', '0');
  require(!(await show()).includes('No change of keys is announced'), 'nothing was announced');
  await world.killGateway();
  await world.until(async () => {
    const text = await show();
    return text.includes('No change of keys is announced') && uses(text) !== before ? 'over' : text;
  }, /^over$/);
}

/** The node's half of every pseudonym of an agency. */
export async function changeNodeKey(world: RotationWorld): Promise<void> {
  await world.hitAgent('keys', 'rotate', '--node-key');
  await world.agent.said(/"event":"node-key-moving"/);
  await world.killGateway();
  await world.agent.said(/"event":"former-keys-done"/);
  await world.until(() => world.hitAgent('keys', 'show'), /former one is not needed any more/);
  await world.hitAgent('keys', 'forget');
}

/** The gateway's half of every pseudonym; it is killed when the key came into force, and while an agency follows. */
async function changeEvaluationKey(world: RotationWorld): Promise<void> {
  await world.hitGateway('keys', 'rotate');
  await world.until(() => world.hitGateway('keys', 'rotate', '--activate'), /comes into force/);
  await world.killGateway();
  await world.agent.said(/"event":"node-key-moving"/);
  await world.killGateway();
  await world.agent.said(/"event":"former-keys-done"/);
  await world.until(
    () => world.hitGateway('keys', 'show'),
    /^(?=[^]*number 2)(?=[^]*has followed)(?![^]*still asked)/,
  );
  await world.hitGateway('keys', 'forget');
  await world.until(() => world.hitGateway('keys', 'show'), /No change of it is under way/);
}

export const rotations: readonly Scenario[] = [
  whileAsked('gateway killed while an agency takes new keys', async (world) => {
    await changeIdentity(world, (...args) => world.hitAgent(...args));
    await changeIdentity(world, (command = '', ...options) => world.hitAsker(command, ...options));
  }),
  whileAsked('gateway killed while a node takes a new key', changeNodeKey),
  whileAsked('gateway killed while it takes a new key itself', changeEvaluationKey),
];
