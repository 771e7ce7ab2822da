import type { Agency, KeyChange } from '@hitmachine/protocol';
import { createSuite, encodeBase64, signKeyChange } from '@hitmachine/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AgencyKeys, OwnIdentity } from '../../node-agent/src/domain/keys.ts';
import { deriveKeys, makeSeeds, withNextSeeds } from '../../node-agent/src/domain/keys.ts';
import { secureRandom } from '../../node-agent/src/random.ts';
import { StandInGateway, backend } from './support/gateway.ts';
import { TestNode, numbers, wordOf } from './support/node.ts';

const DAY = 86_400_000;
const [known] = numbers(1, 181_000_000) as [string];
const suite = createSuite('voprf', backend);

let gateway: StandInGateway;
let police: TestNode;
let town: TestNode;
/** What the police may have next. */
let next: OwnIdentity;
/** The police's keys with the next ones beside them, as a key store that was read anew has them. */
let both: AgencyKeys;

beforeEach(async () => {
  gateway = new StandInGateway();
  police = await TestNode.join(gateway, 'politie');
  town = await TestNode.join(gateway, 'gemeente');
  for (const node of [police, town]) await node.import([known]);
  for (const node of [police, town]) await node.upkeep();
  const seeds = withNextSeeds(
    { ...makeSeeds(secureRandom), identity: police.keys.identitySeed.reveal() },
    'first',
    secureRandom,
  );
  both = await deriveKeys(backend, suite, 'x25519', seeds);
  next = both.identities[1] as OwnIdentity;
});
afterEach(() => Promise.all([police.close(), town.close()]));

const entry = (): Agency => gateway.agencies.get('politie') as Agency;
const changeTo = (
  to: OwnIdentity,
  from: number,
  by: Uint8Array = police.keys.identitySeed.reveal(),
): KeyChange =>
  signKeyChange(
    backend,
    { federation: 'waalstad', agency: 'politie' },
    {
      previousIdentityKey: entry().identityKey,
      identityKey: encodeBase64(to.identityKey),
      sessionKey: to.sessionKey,
      from,
    },
    { previous: by, next: to.identitySeed.reveal() },
  );
/** Lets the gateway show the police with other keys, and everybody see it. */
async function show(change: Partial<Agency>): Promise<void> {
  gateway.put({ ...entry(), ...change });
  for (const node of [police, town]) await node.roster.accept(gateway.sign());
}
const taken = ({ identityKey, sessionKey }: KeyChange): Partial<Agency> => ({ identityKey, sessionKey });
const events = (node: TestNode): unknown[] => node.log.lines.map(({ event }) => event);
const towards = async (node: TestNode, register: string): Promise<string> =>
  wordOf((await node.ask([known]))[0]?.[register]);

describe('a change of keys that was announced with the pinned key', () => {
  it('is told when it is first seen, and followed when its moment has come', async () => {
    const change = changeTo(next, gateway.now + 7 * DAY);
    await show({ keyChange: change });
    expect(town.roster.announcedKeys()).toMatchObject([
      { agency: 'politie', from: change.from, valid: true },
    ]);
    expect(events(town).filter((event) => event === 'key-change-announced')).toHaveLength(1);
    await town.restart();
    expect(events(town).filter((event) => event === 'key-change-announced')).toHaveLength(1);
    gateway.now = change.from;
    await show(taken(change));
    expect(town.roster.changedKeys()).toEqual([]);
    expect(town.roster.announcedKeys()).toEqual([]);
    expect(events(town)).toContain('key-change-followed');
  });

  it('can still be checked by an agent that was away', async () => {
    await town.watch.view.close();
    const change = changeTo(next, gateway.now + 7 * DAY);
    gateway.now = change.from + 90 * DAY;
    await show({ keyChange: change, ...taken(change) });
    await town.restart();
    expect(town.roster.changedKeys()).toEqual([]);
    expect(town.roster.isTrusted('politie')).toBe(true);
  });

  it('keeps both directions answering before, at and after its moment', async () => {
    const change = changeTo(next, gateway.now + 60_000);
    const allWell = async (): Promise<void> => {
      expect(await towards(town, 'politie/incidenten')).toBe('known');
      expect(await towards(police, 'gemeente/incidenten')).toBe('known');
    };
    await allWell();
    await show({ keyChange: change });
    police.keys.renew({
      nodeKeys: police.keys.nodeKeys,
      identities: [police.keys, next].map((one) => ({ ...pick(one) })),
    });
    await allWell();
    gateway.now = change.from;
    // The police have the new roster, the town not yet: it still seals to the former key.
    gateway.put({ ...entry(), ...taken(change) });
    await police.roster.accept(gateway.sign());
    gateway.seeds.set('politie', next.identitySeed.reveal());
    expect(encodeBase64(police.keys.identityKey)).toBe(change.identityKey);
    town.outgoing.drop('politie', (await town.outgoing.next('politie')).outgoing);
    await allWell();
    await town.roster.accept(gateway.sign());
    await allWell();
    gateway.now += 10 * 60_000;
    for (const node of [police, town]) await node.upkeep();
    await allWell();
  });
});

const pick = ({ identitySeed, identityKey, sessionSecret, sessionKey }: OwnIdentity): OwnIdentity => ({
  identitySeed,
  identityKey,
  sessionSecret,
  sessionKey,
});

describe('what the pinned key did not announce is refused and raised', () => {
  const refused = (): void => {
    expect(town.roster.changedKeys()).toEqual(['politie']);
    expect(events(town)).toContain('key-changed');
  };

  it('a swap in silence', async () => {
    await show({ identityKey: encodeBase64(next.identityKey), sessionKey: next.sessionKey });
    refused();
  });

  it('a key for sessions alone, beside an announcement for others', async () => {
    const change = changeTo(next, gateway.now);
    await show({ keyChange: change, ...taken(change), sessionKey: both.identities[0]!.sessionKey });
    refused();
  });

  it('an announcement by the new key alone', async () => {
    const change = changeTo(next, gateway.now + DAY, next.identitySeed.reveal());
    await show({ keyChange: change });
    expect(town.roster.announcedKeys()).toMatchObject([{ agency: 'politie', valid: false }]);
    expect(events(town)).toContain('key-change-invalid');
    gateway.now = change.from;
    await show(taken(change));
    refused();
  });

  it('an announcement whose moment was moved', async () => {
    const change = { ...changeTo(next, gateway.now + 7 * DAY), from: gateway.now };
    await show({ keyChange: change, ...taken(change) });
    refused();
  });

  it('the new keys before their moment', async () => {
    const change = changeTo(next, gateway.now + 7 * DAY);
    await show({ keyChange: change, ...taken(change) });
    refused();
    // Once it has come nobody need do anything.
    gateway.now = change.from;
    await town.roster.checkPins();
    expect(town.roster.changedKeys()).toEqual([]);
  });

  it('an old announcement that is replayed', async () => {
    const first = changeTo(next, gateway.now);
    const before = entry();
    await show({ keyChange: first, ...taken(first) });
    expect(town.roster.changedKeys()).toEqual([]);
    // Back to the key from before, with the announcement that led away from it, and then once more.
    await show({ identityKey: before.identityKey, sessionKey: before.sessionKey });
    refused();
    expect(town.roster.announcedKeys()).toMatchObject([{ valid: false }]);
  });
});

describe('an announcement of this agency’s own keys', () => {
  it('that it did not make is seen before it takes effect', async () => {
    // A thief of the present key: all signatures hold.
    const change = changeTo(next, gateway.now + 7 * DAY);
    await show({ keyChange: change });
    expect(police.roster.announcedKeys()).toMatchObject([{ agency: 'politie', from: change.from }]);
    const own = police.keys.identities.map(({ identityKey }) => encodeBase64(identityKey));
    expect(own).not.toContain(police.roster.self.keyChange?.identityKey);
    expect(events(police)).toContain('key-change-announced');
  });
});

describe('the key store', () => {
  it('keeps an identity whose announcement was lost, and moves on once it is in use', () => {
    const first = makeSeeds(secureRandom);
    const second = withNextSeeds(first, 'first', secureRandom);
    expect(withNextSeeds(second, 'first', secureRandom)).toBe(second);
    const third = withNextSeeds(second, 'next', secureRandom);
    expect(third['identity']).toEqual(second['next-identity']);
    expect(third['session']).toEqual(second['next-session']);
    expect(third['next-identity']).not.toEqual(second['next-identity']);
    for (const name of ['node', 'canary', 'log']) expect(third[name]).toEqual(first[name]);
  });
});
