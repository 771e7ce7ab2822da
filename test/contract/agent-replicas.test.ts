import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '@hitmachine/protocol';
import type { PostgresAgentDatabase } from '../../node-agent/src/adapters/postgres/agent-database.ts';
import { openPostgres } from '../../node-agent/src/adapters/postgres/agent-database.ts';
import { postgresLease } from '../../node-agent/src/adapters/postgres/lease.ts';
import { postgresSessionOpenings } from '../../node-agent/src/adapters/postgres/session-openings.ts';
import { secureRandom } from '../../node-agent/src/random.ts';
import { backend } from '../node-agent/support/gateway.ts';
import { POSTGRES_MISSING, TestPostgres } from '../support/postgres.ts';

describe.skipIf(POSTGRES_MISSING !== undefined)('what replicas of an agent share on PostgreSQL', () => {
  let server: TestPostgres;
  let url: string;
  let one: PostgresAgentDatabase;
  let other: PostgresAgentDatabase;

  beforeAll(async () => {
    server = await TestPostgres.start();
  });
  afterAll(() => server.remove());
  beforeEach(async () => {
    url = await server.emptySchema();
    one = await openPostgres(url);
    other = await openPostgres(url);
  });
  afterEach(async () => {
    await Promise.all([one.close(), other.close()]);
  });

  describe('a lease', () => {
    it('is held by one, who keeps it, and given back', async () => {
      const [mine, theirs] = [postgresLease(one, 'leader'), postgresLease(other, 'leader')];
      expect(await mine.hold(60_000)).toBe(true);
      expect(await theirs.hold(60_000)).toBe(false);
      expect(await mine.hold(60_000)).toBe(true);
      // Who does not hold it gives nothing back.
      await theirs.release();
      expect(await theirs.hold(60_000)).toBe(false);
      await mine.release();
      expect(await theirs.hold(60_000)).toBe(true);
      expect(await mine.hold(60_000)).toBe(false);
    });

    it('is of one when many want it at the same moment', async () => {
      const all = Array.from({ length: 20 }, (_, i) => postgresLease(i % 2 === 0 ? one : other, 'leader'));
      const held = await Promise.all(all.map((lease) => lease.hold(60_000)));
      expect(held.filter(Boolean)).toHaveLength(1);
    });

    it('ends by itself when its holder says nothing any more, and stands apart from those of other names', async () => {
      const [mine, theirs] = [postgresLease(one, 'leader'), postgresLease(other, 'leader')];
      expect(await mine.hold(300)).toBe(true);
      expect(await postgresLease(other, 'something else').hold(300)).toBe(true);
      expect(await theirs.hold(300)).toBe(false);
      await delay(400);
      expect(await theirs.hold(60_000)).toBe(true);
      expect(await mine.hold(300)).toBe(false);
    });
  });

  describe('openings of sessions', () => {
    const logKey = new Secret(secureRandom(32));
    const of = (database: PostgresAgentDatabase, key = logKey) =>
      postgresSessionOpenings(database, backend, key, secureRandom);
    const now = Date.UTC(2026, 2, 2);
    const session = (asker: string, last: number, expiresAt = now + 1_000) => ({
      asker,
      id: Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? last : 7)),
      expiresAt,
    });
    const opening = secureRandom(1_300);

    it('are found by the other replica, for that asker, until they end', async () => {
      const { id } = session('gemeente', 1);
      await of(one).keep(session('gemeente', 1), opening, now);
      expect(await of(other).find('gemeente', id, now)).toEqual(opening);
      expect(await of(other).find('gemeente', id, now + 1_000)).toEqual(opening);
      expect(await of(other).find('gemeente', id, now + 1_001)).toBeUndefined();
      expect(await of(other).find('politie', id, now)).toBeUndefined();
      expect(await of(other).find('gemeente', session('', 2).id, now)).toBeUndefined();
    });

    it('stay as they came first, and go when they have ended', async () => {
      await of(one).keep(session('gemeente', 1), opening, now);
      await of(other).keep(session('gemeente', 1), secureRandom(1_300), now);
      expect(await of(one).find('gemeente', session('', 1).id, now)).toEqual(opening);
      await of(one).keep(session('politie', 2, now + 9_000), opening, now + 2_000);
      expect(await server.sql('SELECT count(*) FROM session_openings', url)).toEqual([{ count: '1' }]);
    });

    it('are the latest 32 of an asker, and push out nobody else', async () => {
      await of(one).keep(session('politie', 1), opening, now);
      for (let i = 0; i < 40; i++) await of(one).keep(session('gemeente', i), opening, now);
      const found = await Promise.all(
        Array.from({ length: 40 }, (_, i) => of(other).find('gemeente', session('', i).id, now)),
      );
      expect(found.map((one) => one !== undefined)).toEqual(found.map((_, i) => i >= 8));
      expect(await of(other).find('politie', session('', 1).id, now)).toEqual(opening);
    });

    it('tell a thief of the database neither who asked nor what was sent, and open under no other key', async () => {
      await of(one).keep(session('gemeente', 1), opening, now);
      const [row] = await server.sql('SELECT * FROM session_openings', url);
      const stored = Buffer.concat(
        Object.values(row ?? {}).map((value: unknown) =>
          value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(String(value)),
        ),
      );
      for (const part of [Buffer.from('gemeente'), session('', 1).id, opening.subarray(100, 116)])
        expect(stored.includes(Buffer.from(part))).toBe(false);
      const stranger = of(other, new Secret(secureRandom(32)));
      expect(await stranger.find('gemeente', session('', 1).id, now)).toBeUndefined();
    });
  });
});
