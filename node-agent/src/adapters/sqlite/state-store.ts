import type { DatabaseSync } from 'node:sqlite';
import { decodeBase64, encodeBase64 } from '@hitmachine/protocol';
import { inTransaction } from './database.ts';
import type { Pin, StateStore, StoppedAnswering } from '../../ports/state-store.ts';

const STOPPED = 'stopped-answering';

/** {@link StateStore} on SQLite. */
export function sqliteStateStore(database: DatabaseSync): StateStore {
  const read = database.prepare('SELECT value FROM state WHERE name = ?');
  const write = database.prepare(
    'INSERT INTO state (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  );
  const get = (name: string): string | undefined => (read.get(name) as { value: string } | undefined)?.value;
  return {
    membership() {
      const text = get('membership');
      if (text === undefined) return undefined;
      const stored = JSON.parse(text) as { agency: string; gatewayUrl: string; gatewayKey: string };
      return { ...stored, gatewayKey: decodeBase64(stored.gatewayKey, 32) };
    },
    setMembership(membership) {
      write.run(
        'membership',
        JSON.stringify({ ...membership, gatewayKey: encodeBase64(membership.gatewayKey) }),
      );
    },
    roster: () => get('roster'),
    setRoster: (document) => void write.run('roster', document),
    pins: () =>
      database.prepare('SELECT name, fingerprint FROM pins ORDER BY name').all() as unknown as Pin[],
    setPin({ name, fingerprint }) {
      database
        .prepare(
          'INSERT INTO pins (name, fingerprint) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET fingerprint = excluded.fingerprint',
        )
        .run(name, fingerprint);
    },
    removePin: (name) => void database.prepare('DELETE FROM pins WHERE name = ?').run(name),
    stoppedAnswering() {
      const text = get(STOPPED);
      return text === undefined ? undefined : (JSON.parse(text) as StoppedAnswering);
    },
    setStoppedAnswering(stopped) {
      if (stopped === undefined) database.prepare('DELETE FROM state WHERE name = ?').run(STOPPED);
      else write.run(STOPPED, JSON.stringify(stopped));
    },
    probe: () => inTransaction(database, () => write.run('probed', String(Date.now()))),
    version: () => (database.prepare('PRAGMA data_version').get() as { data_version: number }).data_version,
  };
}
