import { decodeBase64, encodeBase64 } from '@hitmachine/protocol';
import type { Pin, StateStore, StoppedAnswering } from '../../ports/state-store.ts';
import type { AgentDatabase } from '../database.ts';

const STOPPED = 'stopped-answering';

/** {@link StateStore} in a database. */
export function sqlStateStore(database: AgentDatabase): StateStore {
  const get = async (name: string): Promise<string | undefined> => {
    const { rows } = await database.run('SELECT value FROM state WHERE name = $1', [name]);
    return rows[0]?.['value'] as string | undefined;
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
    async stoppedAnswering() {
      const text = await get(STOPPED);
      return text === undefined ? undefined : (JSON.parse(text) as StoppedAnswering);
    },
    async setStoppedAnswering(stopped) {
      if (stopped !== undefined) return put(STOPPED, JSON.stringify(stopped));
      await database.run('DELETE FROM state WHERE name = $1', [STOPPED]);
    },
    probe: () => put('probed', String(Date.now())),
    version: () => database.version(),
  };
}
