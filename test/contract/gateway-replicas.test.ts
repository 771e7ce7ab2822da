import type { LogEntry, SignedDocument } from '@hitmachine/protocol';
import { LogCheck, checkEntry, decodeEntry, encodeBase64 } from '@hitmachine/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayStore } from '../../gateway/src/cli/gateway-store.ts';
import { openPostgresStore } from '../../gateway/src/cli/gateway-store.ts';
import { gatewayKeys } from '../../gateway/src/domain/keys.ts';
import { openLog } from '../../gateway/src/domain/log-opening.ts';
import { publishFirstPolicy } from '../../gateway/src/domain/policies.ts';
import { RosterKeeper } from '../../gateway/src/domain/roster-keeper.ts';
import { POLICY, SEEDS, backend, random } from '../gateway/support/fixtures.ts';
import { POSTGRES_MISSING, TestPostgres } from '../support/postgres.ts';

const { federation } = POLICY;
const keys = gatewayKeys(backend, SEEDS);
const runtime = { now: Date.now, random };
const why = POSTGRES_MISSING === undefined ? '' : ` (left out: ${POSTGRES_MISSING})`;

/** Replicas of one gateway on one PostgreSQL database: stores and keepers of their own. */
describe.skipIf(POSTGRES_MISSING !== undefined)(`replicas of a gateway${why}`, () => {
  let server: TestPostgres;
  const opened: GatewayStore[] = [];
  beforeAll(async () => {
    server = await TestPostgres.start();
  });
  afterAll(async () => {
    await Promise.all(opened.map((store) => store.close()));
    await server.remove();
  });

  /** Starts replicas at once, as `hit-gateway serve` begins. */
  async function started(count: number): Promise<{ stores: GatewayStore[]; rosters: RosterKeeper[] }> {
    const url = await server.emptySchema();
    const stores = await Promise.all(Array.from({ length: count }, () => openPostgresStore(url)));
    opened.push(...stores);
    const rosters = await Promise.all(
      stores.map(async (store) => {
        const deps = { ...store, keys, runtime };
        await openLog(deps, federation, keys.identityKey);
        await publishFirstPolicy(deps, async () => POLICY, federation);
        return RosterKeeper.open({ ...deps, federation });
      }),
    );
    return { stores, rosters };
  }
  const entriesOf = async ({ auditLog }: GatewayStore): Promise<LogEntry[]> =>
    (await auditLog.leaves(0, 1_000)).map(decodeEntry);
  const invite = (store: GatewayStore, id: string): Promise<void> =>
    store.directory.invite({
      id,
      name: id,
      kind: 'other',
      clients: 1,
      tokenHash: random(32),
      tokenExpires: 0,
    });
  async function enrol(store: GatewayStore, id: string): Promise<void> {
    const agency = await store.directory.agency(id);
    const sessionKey = { kem: 'x25519' as const, publicKey: encodeBase64(random(32)) };
    await store.directory.enrol(id, agency?.tokenHash ?? random(32), {
      identityKey: random(32),
      sessionKey,
      registers: [],
    });
  }

  it('open the log, publish the first policy and make the first roster once', async () => {
    const { stores, rosters } = await started(4);
    const [first] = stores as [GatewayStore];
    expect((await entriesOf(first)).map(({ event }) => event)).toEqual(['log-opened', 'policy', 'roster']);
    for (const { current } of rosters) expect(current.roster.version).toBe(1);
  });

  it('take over the rosters of each other, and log each version once and in order', async () => {
    const { stores, rosters } = await started(3);
    const heard: number[] = [];
    rosters[2]?.onChange((version) => heard.push(version));
    for (let round = 0; round < 6; round++) {
      const store = stores[round % 3] as GatewayStore;
      await invite(store, `a${round}`);
      await enrol(store, `a${round}`);
      // All at once: one of them makes the next version, and none of them fails.
      const current = await Promise.all(rosters.map((roster) => roster.refresh()));
      expect(new Set(current.map(({ roster }) => roster.version))).toEqual(new Set([round + 2]));
      expect(new Set(current.map(({ document }) => document.payload)).size).toBe(1);
    }
    expect(heard).toEqual([2, 3, 4, 5, 6, 7]);
    const versions = (await entriesOf(stores[0] as GatewayStore)).flatMap((entry) =>
      entry.event === 'roster' ? [entry.version] : [],
    );
    expect(versions).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('log a version that the one who stored it did not get to log, before the next', async () => {
    const { stores, rosters } = await started(2);
    const [one, other] = stores as [GatewayStore, GatewayStore];
    await invite(one, 'a');
    await enrol(one, 'a');
    // The first stores its roster and dies before it can log it.
    const dying = { ...one.auditLog, append: () => Promise.reject(new Error('gone')) } as never;
    const deps = { ...one, auditLog: dying, keys, runtime, federation };
    await expect(RosterKeeper.open(deps)).rejects.toMatchObject({ code: 'storage-failed' });
    await invite(other, 'b');
    await enrol(other, 'b');
    expect((await rosters[1]?.refresh())?.roster.version).toBe(3);
    const leaves = await other.auditLog.leaves(0, 100);
    const documents = new Map<number, SignedDocument>();
    for (const version of [1, 2, 3])
      documents.set(version, (await other.directory.roster(version))?.document as SignedDocument);
    const check = new LogCheck({
      backend,
      federation,
      publicKey: keys.identityKey,
      roster: (version) => documents.get(version),
    });
    const reasons = leaves.flatMap((leaf) =>
      check.add(checkEntry(backend, leaf, () => [])).map(({ reason }) => reason),
    );
    // Only that these agencies, put into the database by hand, never enrolled; nothing about versions and order.
    expect(reasons.filter((reason) => !reason.includes('never enrolled'))).toEqual([]);
  });
});
