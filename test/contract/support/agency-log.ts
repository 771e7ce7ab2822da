import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Secret, loadSodium } from '@hitmachine/protocol';
import { sqlAgencyLog } from '../../../node-agent/src/adapters/sql/agency-log.ts';
import { SqliteAgentDatabase } from '../../../node-agent/src/adapters/sqlite/agent-database.ts';
import { openDatabase } from '../../../node-agent/src/adapters/sqlite/database.ts';
import type { AgencyLog } from '../../../node-agent/src/ports/agency-log.ts';
import { secureRandom } from '../../../node-agent/src/random.ts';

export const backend = await loadSodium();
export const key = new Secret(secureRandom(32));
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const NOON = Date.UTC(2026, 2, 2, 12);

/** An entry of which can be asked later what it was. */
export const asked = (name: string) =>
  ({
    event: 'asked',
    lookupKey: name,
    detail: { lookupId: name, outcomes: [], failure: `merkteken ${name}` },
  }) as const;

export const logOn = (database: DatabaseSync): AgencyLog =>
  sqlAgencyLog(new SqliteAgentDatabase(database), backend, key, secureRandom);

/** A log on disk with eight entries, an hour between two of them. */
export async function makeLog(): Promise<{
  folder: string;
  database: DatabaseSync;
  log: AgencyLog;
  remove: () => void;
}> {
  const folder = mkdtempSync(join(tmpdir(), 'hitmachine-chain-'));
  const database = openDatabase(join(folder, 'agent.sqlite'));
  const log = logOn(database);
  for (let i = 1; i <= 8; i++) await log.append(asked(`lookup-${i}`), NOON + i * HOUR);
  return { folder, database, log, remove: () => rmSync(folder, { recursive: true }) };
}

/** Writes past the log, as whoever can write the file could. */
export function tamper(database: DatabaseSync, sql: string): void {
  for (const name of ['log_only_grows', 'log_keeps_entries', 'log_keeps_content'])
    database.exec(`DROP TRIGGER IF EXISTS ${name}`);
  database.exec(sql);
}

/** What is left of an entry whose content was removed. */
export const EMPTY = 'event = NULL, lookup_key = NULL, nonce = NULL, sealed = NULL, at = at - at % 86400000';
