import { encodeBase64 } from '@hitmachine/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRedis } from '../../gateway/src/adapters/redis/open.ts';
import { RedisOpenLookups } from '../../gateway/src/adapters/redis/open-lookups.ts';
import type { OpenLookup } from '../../gateway/src/ports/open-lookups.ts';
import { replicaSecrets } from '../../gateway/src/replica-secrets.ts';
import { SEEDS, random } from '../gateway/support/fixtures.ts';
import { REDIS_MISSING, TestRedis } from '../support/redis.ts';
import type { Shared } from './support/replica-stores.ts';
import { eachShared } from './support/replica-stores.ts';

const NOW = 1_000_000;
const lookup = (change: Partial<OpenLookup> = {}): OpenLookup => ({
  lookupId: encodeBase64(random(16)),
  agency: 'politie',
  tickets: new Map(['ggz', 'wijkteam', 'school'].map((node) => [node, random(250)])),
  evidence: random(300),
  evidenceSignature: random(64),
  capabilityHash: random(32),
  expiresAt: NOW + 60_000,
  ...change,
});

eachShared('open lookups', (kind) => {
  it('come back at every replica in every byte, until they expire', async () => {
    const { shared, again } = await kind.open();
    const other = await again();
    const one = lookup();
    await shared.lookups.keep(one, NOW);
    for (const { lookups } of [shared, other]) {
      const found = await lookups.find(one.lookupId, NOW + 60_000);
      expect(
        found && {
          ...found,
          tickets: [...found.tickets].map(([node, ticket]) => [node, encodeBase64(ticket)]),
        },
      ).toEqual({
        ...one,
        tickets: [...one.tickets].map(([node, ticket]) => [node, encodeBase64(ticket)]),
        ...Object.fromEntries(
          (['evidence', 'evidenceSignature', 'capabilityHash'] as const).map((name) => [
            name,
            expect.toSatisfy((bytes: Uint8Array) => encodeBase64(bytes) === encodeBase64(one[name])),
          ]),
        ),
      });
      expect(await lookups.find(one.lookupId, NOW + 60_001)).toBeUndefined();
      expect(await lookups.find(encodeBase64(random(16)), NOW)).toBeUndefined();
    }
  });

  it('let a node be asked twice, whichever replica asks, all nodes of a claim or none', async () => {
    const { shared, again } = await kind.open();
    const other = await again();
    const one = lookup();
    await shared.lookups.keep(one, NOW);
    expect(await shared.lookups.claim(one.lookupId, ['ggz', 'school'])).toBe('claimed');
    expect(await other.lookups.claim(one.lookupId, ['wijkteam', 'ggz', 'ggz'])).toEqual({ place: 2 });
    expect(await other.lookups.claim(one.lookupId, ['wijkteam', 'ggz'])).toBe('claimed');
    expect(await shared.lookups.claim(one.lookupId, ['ggz'])).toEqual({ place: 0 });
    expect(await shared.lookups.claim(one.lookupId, ['wijkteam', 'school'])).toBe('claimed');
    expect(await shared.lookups.claim(encodeBase64(random(16)), ['ggz'])).toBe('gone');
  });

  it('grant of many claims at once exactly two', async () => {
    const { shared, again } = await kind.open();
    const replicas = [shared, await again(), await again()];
    const one = lookup();
    await shared.lookups.keep(one, NOW);
    const claims = await Promise.all(
      Array.from({ length: 30 }, (_, i) => (replicas[i % 3] as Shared).lookups.claim(one.lookupId, ['ggz'])),
    );
    expect(claims.filter((claim) => claim === 'claimed')).toHaveLength(2);
  });
});

const why = REDIS_MISSING === undefined ? '' : ` (left out: ${REDIS_MISSING})`;
describe.skipIf(REDIS_MISSING !== undefined)(`open lookups in a Redis that others can use${why}`, () => {
  let server: TestRedis;
  beforeAll(async () => {
    server = await TestRedis.start();
  });
  afterAll(() => server.remove());

  it('show nothing of what they hold, and open only where they were put', async () => {
    const connection = await openRedis([server.url], () => undefined);
    const { redis } = connection;
    const lookups = new RedisOpenLookups(redis, 'waalstad', replicaSecrets(SEEDS, 'waalstad').store);
    const [one, two] = [lookup(), lookup()];
    await lookups.keep(one, NOW);
    await lookups.keep(two, NOW);
    await lookups.claim(one.lookupId, ['wijkteam']);
    const keys = await redis.keys('hit:waalstad:lookup:*');
    expect(keys).toHaveLength(2);
    for (const key of keys) {
      const all = Buffer.concat([
        Buffer.from(key),
        ...Object.entries(await redis.hgetallBuffer(key)).flatMap(([name, value]) => [
          Buffer.from(name),
          value,
        ]),
      ]);
      for (const secret of ['politie', 'wijkteam', one.lookupId, two.lookupId])
        expect(all.includes(secret)).toBe(false);
      expect(all.includes(Buffer.from(one.tickets.get('ggz') ?? []))).toBe(false);
      expect(await redis.pttl(key)).toBeGreaterThan(0);
    }
    // Whoever may write puts one lookup in the place of the other, or changes a byte: nobody gets to ask with it.
    const [first, second] = keys as [string, string];
    const sealed = (await redis.hgetBuffer(first, 's')) as Buffer;
    await redis.hset(second, 's', sealed);
    sealed[20] = (sealed[20] as number) ^ 1;
    await redis.hset(first, 's', sealed);
    for (const { lookupId } of [one, two])
      await expect(lookups.find(lookupId, NOW)).rejects.toMatchObject({ code: 'storage-failed' });
    connection.close();
  });

  it('refuse while Redis is away, and go on by themselves', async () => {
    const connection = await openRedis([server.url], () => undefined);
    const { redis } = connection;
    const lookups = new RedisOpenLookups(redis, 'waalstad', replicaSecrets(SEEDS, 'waalstad').store);
    await server.stop();
    await expect(lookups.keep(lookup(), NOW)).rejects.toMatchObject({ code: 'storage-failed' });
    await server.start();
    await expect
      .poll(
        () =>
          lookups.keep(lookup(), NOW).then(
            () => true,
            () => false,
          ),
        { timeout: 5_000 },
      )
      .toBe(true);
    connection.close();
  });
});
