import { createSuite } from '@hitmachine/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { workerPseudonymMover } from '../../node-agent/src/adapters/workers/pseudonym-mover.ts';
import { KeyMover } from '../../node-agent/src/domain/rotation/key-mover.ts';
import { moveFor } from '../../node-agent/src/domain/rotation/moves.ts';
import type { NodeKey } from '../../node-agent/src/domain/keys.ts';
import {
  deriveKeys,
  makeSeeds,
  withNextNodeSeed,
  withoutFormerNodeSeed,
} from '../../node-agent/src/domain/keys.ts';
import { secureRandom } from '../../node-agent/src/random.ts';
import { StandInGateway, backend } from './support/gateway.ts';
import { TestNode, numbers, registerOf, wordOf } from './support/node.ts';

const people = numbers(40, 182_000_000);
const [known, other, third] = people as [string, string, string];
const suite = createSuite('voprf', backend);

let gateway: StandInGateway;
let police: TestNode;
let town: TestNode;
let next: NodeKey;

beforeEach(async () => {
  gateway = new StandInGateway();
  police = await TestNode.join(gateway, 'politie', {
    registers: [registerOf('incidenten', ['bsn']), registerOf('zaken', ['bsn'])],
    subjectAccess: {},
  });
  town = await TestNode.join(gateway, 'gemeente', { registers: [] });
  await police.import([known, ...people.slice(5)]);
  await police.import([other], police.registers[1]);
  await police.keyChanges.adopt(police.keys.nodeKeyMark);
  await police.upkeep();
  const made = await deriveKeys(backend, suite, 'x25519', makeSeeds(secureRandom));
  next = made.nodeKeys[0] as NodeKey;
});
afterEach(() => Promise.all([police.close(), town.close()]));

const answers = async (): Promise<string[]> => {
  const rows = await town.ask([known, other, third]);
  return ['politie/incidenten', 'politie/zaken'].flatMap((register) =>
    rows.map((row) => wordOf(row[register])),
  );
};
const RIGHT = ['known', 'not-known', 'not-known', 'not-known', 'known', 'not-known'];

/** The key store has the next key beside the present one. */
const haveNext = (): void =>
  police.keys.renew({ identities: police.keys.identities, nodeKeys: [...police.keys.nodeKeys, next] });
const moverOf = (
  changed: () => void = () => undefined,
  isSound = (): boolean => police.tables.isSound(),
): KeyMover =>
  new KeyMover({
    ...{ keys: police.keys, store: police.keyChanges, log: police.log, changed },
    moveFor: (from, to) =>
      moveFor(
        { backend, keys: police.keys, gateway: gateway.clientOf('politie'), agency: 'politie' },
        from,
        to,
      ),
    followGateway: async () => undefined,
    startMover: () => workerPseudonymMover(2),
    rereadKeys: async () => undefined,
    leads: () => true,
    isSound,
  });
const moved = async (): Promise<void> => {
  await new Promise<void>((resolve) => {
    const mover = moverOf(() => resolve(void mover.stop()));
    mover.wake();
  });
};

const looked = async (isSound?: () => boolean): Promise<void> => {
  const mover = moverOf(undefined, isSound);
  mover.wake();
  await mover.settled();
  await mover.stop();
};

describe('a new node key', () => {
  it('is taken up without an import, and answers stay right before, between and after', async () => {
    expect(await answers()).toEqual(RIGHT);
    haveNext();
    await police.keyChanges.want({ nodeKey: next.mark });
    const { evaluations } = gateway;
    const epoch = police.tables.stored!.epoch;
    await moved();
    expect(police.keys.nodeKeyMark).toBe(next.mark);
    // The tables from before are answered from with the key from before.
    expect(police.tables.stored!.epoch).toBe(epoch);
    expect(await answers()).toEqual(RIGHT);
    await police.restart();
    expect(police.tables.stored!.epoch).toBe(epoch);
    await police.canary();
    expect(await answers()).toEqual(RIGHT);
    await police.upkeep();
    expect(police.tables.stored!.nodeKey).toBe(next.mark);
    expect(await answers()).toEqual(RIGHT);
    expect(gateway.evaluations).toBe(evaluations);
  });

  it('takes what was made with the former one away only when the canaries are back', async () => {
    haveNext();
    await police.keyChanges.want({ nodeKey: next.mark });
    await moved();
    await looked();
    expect(await police.keyChanges.isSettled()).toBe(false);
    await police.upkeep();
    await looked();
    expect(await police.keyChanges.isSettled()).toBe(true);
    expect(await answers()).toEqual(RIGHT);
  });

  it('stops taking it away when other tables are answered from meanwhile', async () => {
    haveNext();
    await police.keyChanges.want({ nodeKey: next.mark });
    await moved();
    await police.upkeep();
    let looks = 0;
    await looked(() => ++looks === 1);
    expect(looks).toBe(2);
    expect(await police.keyChanges.isSettled()).toBe(false);
    await looked();
    expect(await police.keyChanges.isSettled()).toBe(true);
  });

  it('that a running replica does not have ends its answers once another has made tables with it', async () => {
    const before = police.tables.stored!;
    const present = police.keys.nodeKeys[0]!;
    haveNext();
    await police.keyChanges.want({ nodeKey: next.mark });
    await moved();
    await police.upkeep();
    // What a replica has in memory that was not given the key: the tables of before, and that their canary was back.
    police.keys.useNodeKey(present.mark);
    police.keys.renew({ identities: police.keys.identities, nodeKeys: [present] });
    police.tables.switchTo(before);
    expect(await answers()).not.toContain('no-answer: starting');
    await expect(police.epochs.refresh()).rejects.toMatchObject({ code: 'key-changed' });
    expect(await answers()).toEqual(Array.from({ length: 6 }, () => 'no-answer: starting'));
  });

  it('that the key store does not have stops nothing and mixes nothing', async () => {
    await police.keyChanges.want({ nodeKey: next.mark });
    await looked();
    expect(police.log.lines.filter(({ event }) => event === 'key-change-failed')).toMatchObject([
      { code: 'key-changed' },
    ]);
    await police.upkeep();
    expect(await answers()).toEqual(RIGHT);
  });

  it('is followed by an import, and one that began before it is refused', async () => {
    haveNext();
    await police.keyChanges.want({ nodeKey: next.mark });
    gateway.beforeEvaluation = moved;
    await expect(police.import([known, third, ...people.slice(5)])).rejects.toMatchObject({
      code: 'key-changed',
    });
    gateway.beforeEvaluation = async () => undefined;
    expect(await police.import([known, third, ...people.slice(5)])).toMatchObject({ added: 1, removed: 0 });
    await police.upkeep();
    expect(await answers()).toEqual(['known', 'not-known', 'known', 'not-known', 'known', 'not-known']);
  });
});

describe('a database with another key store', () => {
  it('answers nothing, and never "not known"', async () => {
    await police.keyChanges.want({ nodeKey: next.mark });
    haveNext();
    await moved();
    await police.upkeep();
    police.keys.renew({ identities: police.keys.identities, nodeKeys: [police.keys.nodeKeys[0]!] });
    police.keys.useNodeKey(police.keys.nodeKeys[0]!.mark);
    await police.restart();
    expect(await answers()).toEqual(Array.from({ length: 6 }, () => 'no-answer: starting'));
    await expect(police.epochs.refresh()).rejects.toMatchObject({ code: 'key-changed' });
    expect((await police.status()).problems.join()).toMatch(/copy keystore.json/);
    await expect(police.import([known])).rejects.toMatchObject({ code: 'key-changed' });
  });
});

describe('seeds of node keys', () => {
  it('keep the one that is in use until the next is, and a made one until it was used', async () => {
    const seeds = makeSeeds(secureRandom);
    const first = withNextNodeSeed(seeds, 'first', secureRandom);
    expect(first['node']).toEqual(seeds['node']);
    expect(withNextNodeSeed(first, 'first', secureRandom)).toBe(first);
    const second = withNextNodeSeed(first, 'next', secureRandom);
    expect(second['node']).toEqual(first['next-node']);
    expect(second['next-node']).not.toEqual(first['next-node']);
    const { 'next-node': last, ...rest } = second;
    expect(withoutFormerNodeSeed(second)).toEqual({ ...rest, node: last });
    expect(withoutFormerNodeSeed(seeds)).toEqual(seeds);
  });
});
