import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '@hitmachine/protocol';
import { OidcProvider, ReaderSessions } from '@hitmachine/web';
import { sqlStateStore } from '../../node-agent/src/adapters/sql/state-store.ts';
import { openPostgres } from '../../node-agent/src/adapters/postgres/agent-database.ts';
import type { PostgresAgentDatabase } from '../../node-agent/src/adapters/postgres/agent-database.ts';
import { secureRandom } from '../../node-agent/src/random.ts';
import { POSTGRES_MISSING, TestPostgres } from '../support/postgres.ts';
import { T0, backend } from './support/gateway.ts';

describe.skipIf(POSTGRES_MISSING !== undefined)('logging out before two replicas', () => {
  let server: TestPostgres;
  let databases: PostgresAgentDatabase[];
  let replicas: ReaderSessions[];
  const seed = new Secret(secureRandom(32));

  beforeAll(async () => {
    server = await TestPostgres.start();
  });
  beforeEach(async () => {
    const url = await server.emptySchema();
    databases = [await openPostgres(url), await openPostgres(url)];
    replicas = databases.map(
      (database) =>
        new ReaderSessions({
          // Nobody listens there: that the provider is away keeps nobody from logging out.
          provider: new OidcProvider({
            issuer: 'http://127.0.0.1:9',
            clientId: 'desk',
            proof: { type: 'secret', secret: 'geheim' },
          } as unknown as ConstructorParameters<typeof OidcProvider>[0]),
          roles: ['medewerker'],
          sessionMs: 60_000,
          label: 'desk',
          backend,
          seed,
          runtime: { now: () => T0, random: secureRandom },
          tellEnded: (id, expires) => sqlStateStore(database).endSession(id, expires, T0),
        }),
    );
  });
  afterAll(() => server.remove());

  it('ends the session at both, also for a cookie that was copied before', async () => {
    const [one, other] = replicas as [ReaderSessions, ReaderSessions];
    const [state] = databases.slice(1).map((database) => sqlStateStore(database));
    const cookie = one.seal.seal('hitmachine-v1 desk session', {
      id: 'sessie',
      subject: 'jansen',
      roles: ['medewerker'],
      expires: T0 + 60_000,
    });
    const session = other.session(cookie);
    expect([session?.subject, one.session(cookie)?.subject]).toEqual(['jansen', 'jansen']);
    const before = await state!.version();
    await one.endSession(session!);
    // What a running agent looks at each second.
    expect(await state!.version()).not.toBe(before);
    other.takeEnded(await state!.endedSessions());
    expect([one.session(cookie), other.session(cookie)]).toEqual([undefined, undefined]);
    await Promise.all(databases.map((database) => database.close()));
  });
});
