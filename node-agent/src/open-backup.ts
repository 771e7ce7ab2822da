import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { shownSettings } from '@hitmachine/service';
import type { Run, Value } from './adapters/database.ts';
import { COPIED_TABLES, PUSHED_TABLES, columnsOf, pagesOf, putRows } from './adapters/sql/copied-tables.ts';
import type { CopiedTable } from './adapters/sql/copied-tables.ts';
import { sqlStateStore } from './adapters/sql/state-store.ts';
import { readPlacedConfig } from './config.ts';
import type { AgentDirectory } from './directory.ts';
import { isThere } from './directory.ts';
import type { BackupManifest } from './domain/running/backup-manifest.ts';
import { keyFingerprints } from './domain/running/backup-manifest.ts';
import type { OpenedAgent } from './open-agent.ts';
import { AGENT_VERSION } from './version.ts';

/** The two files, or databases, that rows of a backup belong to. */
export type Store = 'agent' | 'pushed';
export const TABLES_OF: Readonly<Record<Store, readonly CopiedTable[]>> = {
  agent: COPIED_TABLES,
  pushed: PUSHED_TABLES,
};

/** A value as JSON has it: bytes are base64url in an object. */
type Stored = string | number | null | { readonly bytes: string };

/** One record of a backup, behind its manifest. */
export type BackupRecord =
  | { readonly type: 'file'; readonly name: string; readonly content: string }
  | {
      readonly type: 'rows';
      readonly store: Store;
      readonly table: string;
      readonly rows: readonly (readonly Stored[])[];
    }
  | { readonly type: 'counts'; readonly rows: Readonly<Record<string, number>> };

const stored = (value: Value): Stored =>
  value instanceof Uint8Array ? { bytes: Buffer.from(value).toString('base64url') } : value;
const valueOf = (value: Stored): Value =>
  typeof value === 'object' && value !== null ? new Uint8Array(Buffer.from(value.bytes, 'base64url')) : value;

export const putRecord = (
  run: Run,
  table: CopiedTable,
  { rows }: Extract<BackupRecord, { type: 'rows' }>,
): Promise<void> =>
  putRows(
    run,
    table,
    rows.map((row) => row.map(valueOf)),
  );

/** The files of the directory that go into a backup; with keys also those that are, or hold, a secret. */
function filesOf({ config, policy, keystore, apiKey }: AgentDirectory, withKeys: boolean): string[] {
  return [config, policy, ...(withKeys ? [keystore, apiKey] : [])].filter(isThere);
}

/** What is in a backup, of one moment; `pushed` reads the file of pushed clients, if there is one. */
export async function* backupRecords(
  agent: OpenedAgent,
  run: Run,
  pushed: Run | undefined,
  withKeys: boolean,
  now: number,
): AsyncGenerator<BackupManifest | BackupRecord> {
  const files = filesOf(agent.directory, withKeys).map((file) => ({
    name: basename(file),
    bytes: readFileSync(file),
  }));
  yield await manifestOf(agent, run, pushed !== undefined, files, withKeys, now);
  for (const { name, bytes } of files) yield { type: 'file', name, content: bytes.toString('base64url') };
  const counts: Record<string, number> = {};
  const stores: [Store, Run | undefined][] = [
    ['agent', run],
    ['pushed', pushed],
  ];
  for (const [store, read] of stores) {
    if (read === undefined) continue;
    for (const table of TABLES_OF[store]) {
      let count = 0;
      for await (const rows of pagesOf(read, table)) {
        count += rows.length;
        yield { type: 'rows', store, table: table.name, rows: rows.map((row) => row.map(stored)) };
      }
      counts[`${store}/${table.name}`] = count;
    }
  }
  yield { type: 'counts', rows: counts };
}

async function manifestOf(
  { keys, config, directory }: OpenedAgent,
  run: Run,
  withPushed: boolean,
  files: readonly { readonly name: string; readonly bytes: Uint8Array }[],
  withKeys: boolean,
  now: number,
): Promise<BackupManifest> {
  const membership = await sqlStateStore({ run, version: () => Promise.resolve('') }).membership();
  const imports = (
    await run('SELECT register, clients, generation, imported_at FROM imports ORDER BY register')
  ).rows;
  const { rows } = await run('SELECT coalesce(max(sequence), 0) AS n FROM log');
  const columns = (tables: readonly CopiedTable[]): Record<string, string[]> =>
    Object.fromEntries(tables.map((table) => [table.name, [...columnsOf(table)]]));
  return {
    type: 'manifest',
    version: 1,
    program: AGENT_VERSION,
    takenAt: new Date(now).toISOString(),
    agency: membership?.agency,
    gateway: membership?.gatewayUrl,
    database: config.database === undefined ? 'sqlite' : 'postgres',
    registers: imports.map((row) => ({
      id: String(row['register']),
      clients: Number(row['clients']),
      generation: Number(row['generation']),
      importedAt: new Date(Number(row['imported_at'])).toISOString(),
    })),
    logEntries: Number(rows[0]?.['n']),
    keys: keyFingerprints(keys),
    tables: { agent: columns(COPIED_TABLES), pushed: withPushed ? columns(PUSHED_TABLES) : {} },
    files: files.map(({ name, bytes }) => ({
      name,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    })),
    separately: separately(directory, withKeys),
  };
}

/** The files that this agent stands on and that no backup holds. */
function separately(directory: AgentDirectory, withKeys: boolean): string[] {
  const { settings, ...placed } = readPlacedConfig(directory.config);
  const unnamed = settings.keyFile ?? settings.passphraseFile;
  const shown = shownSettings({ settings, ...placed });
  const named = shown
    .filter(({ setting, value }) => /(?:File|\.file)$/.test(setting) && typeof value === 'string')
    .map(({ setting, value }) => `${String(value)} (${setting})`);
  return [
    ...(withKeys ? [] : ['keystore.json (the keys of this agency)', 'api-key (restore makes another)']),
    ...(unnamed === undefined ? ['key-file (opens keystore.json)'] : []),
    ...named,
  ];
}
