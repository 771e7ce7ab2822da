import { decodeBase64, encodeBase64 } from '@hitmachine/protocol';
import type { LostEntries, Pin, Restored, StateStore, StoppedAnswering } from '../../ports/state-store.ts';
import type { AgentDatabase } from '../database.ts';

const STOPPED = 'stopped-answering';
/** Before the identifier of a session. */
const ENDED = 'ended-session ';
/** Before the name of a register. */
const HANDED_OVER = 'handed-over ';
const RESTORED = 'restored';
const LOST = 'lost-entries';

/** {@link StateStore} in a database. */
export function sqlStateStore(database: Pick<AgentDatabase, 'run' | 'version'>): StateStore {
  const get = async (name: string): Promise<string | undefined> => {
    const { rows } = await database.run('SELECT value FROM state WHERE name = $1', [name]);
    return rows[0]?.['value'] as string | undefined;
  };
  const getJson = async <T>(name: string): Promise<T | undefined> => {
    const text = await get(name);
    return text === undefined ? undefined : (JSON.parse(text) as T);
  };
  const put = async (name: string, value: string): Promise<void> => {
    await database.run(
      'INSERT INTO state (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
      [name, value],
    );
  };
  return {
    async membership() {
      const text = await get('membership');
      if (text === undefined) return undefined;
      const stored = JSON.parse(text) as { agency: string; gatewayUrl: string; gatewayKey: string };
      return { ...stored, gatewayKey: decodeBase64(stored.gatewayKey, 32) };
    },
    setMembership: (membership) =>
      put('membership', JSON.stringify({ ...membership, gatewayKey: encodeBase64(membership.gatewayKey) })),
    roster: () => get('roster'),
    setRoster: (document) => put('roster', document),
    async pins() {
      const { rows } = await database.run('SELECT name, fingerprint FROM pins ORDER BY name');
      return rows as unknown as Pin[];
    },
    async setPin({ name, fingerprint }) {
      await database.run(
        `INSERT INTO pins (name, fingerprint) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET fingerprint = excluded.fingerprint`,
        [name, fingerprint],
      );
    },
    async removePin(name) {
      await database.run('DELETE FROM pins WHERE name = $1', [name]);
    },
    stoppedAnswering: () => getJson<StoppedAnswering>(STOPPED),
    async setStoppedAnswering(stopped) {
      if (stopped !== undefined) return put(STOPPED, JSON.stringify(stopped));
      await database.run('DELETE FROM state WHERE name = $1', [STOPPED]);
    },
    restored: () => getJson<Restored>(RESTORED),
    setRestored: (restored) => put(RESTORED, JSON.stringify(restored)),
    lostEntries: () => getJson<LostEntries>(LOST),
    setLostEntries: (lost) => put(LOST, JSON.stringify(lost)),
    async handedOver() {
      const { rows } = await database.run('SELECT name, value FROM state WHERE name LIKE $1', [
        `${HANDED_OVER}%`,
      ]);
      return new Map(
        rows.map((row) => [String(row['name']).slice(HANDED_OVER.length), Number(row['value'])]),
      );
    },
    setHandedOver: (register, at) => put(`${HANDED_OVER}${register}`, String(at)),
    async endSession(id, expires, now) {
      await put(`${ENDED}${id}`, String(expires));
      // In this order: what else stands there is no number.
      await database.run(
        'DELETE FROM state WHERE CASE WHEN name LIKE $1 THEN CAST(value AS bigint) ELSE CAST($2 AS bigint) + 1 END <= $2',
        [`${ENDED}%`, now],
      );
    },
    async endedSessions() {
      const { rows } = await database.run('SELECT name, value FROM state WHERE name LIKE $1', [`${ENDED}%`]);
      return rows.map((row) => [String(row['name']).slice(ENDED.length), Number(row['value'])] as const);
    },
    probe: () => put('probed', String(Date.now())),
    version: () => database.version(),
  };
}
