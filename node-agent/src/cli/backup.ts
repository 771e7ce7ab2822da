import { createWriteStream, renameSync, rmSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Unlock } from '@hitmachine/protocol';
import { HitError } from '@hitmachine/protocol';
import { sealedBackup } from '../adapters/files/sealed-backup.ts';
import type { Run } from '../adapters/database.ts';
import { snapshotOf } from '../adapters/sqlite/agent-database.ts';
import type { Config } from '../config.ts';
import type { AgentDirectory } from '../directory.ts';
import { isThere, keyIn, passphraseIn, readUnlock } from '../directory.ts';
import type { BackupManifest } from '../domain/running/backup-manifest.ts';
import { handOverFile, isBesideSource } from '../hand-over-config.ts';
import type { BackupRecord } from '../open-backup.ts';
import { backupRecords } from '../open-backup.ts';
import type { OpenedAgent } from '../open-agent.ts';
import { openAgent } from '../open-agent.ts';
import { openPushedClients } from '../open-sources.ts';
import { secureRandom } from '../random.ts';
import { counted } from './print.ts';
import type { Terminal } from './print.ts';

/** What seals a backup, or opens one: what opens the agent's key store, unless another file is named. */
export interface BackupUnlockOptions {
  readonly keyFile?: string | undefined;
  readonly passphraseFile?: string | undefined;
}

export interface BackupOptions extends BackupUnlockOptions {
  readonly withKeys: boolean;
}

export function backupUnlock(
  directory: AgentDirectory,
  config: Pick<Config, 'keyFile' | 'passphraseFile'>,
  { keyFile, passphraseFile }: BackupUnlockOptions,
): Unlock {
  if (keyFile !== undefined && passphraseFile !== undefined)
    throw new HitError('config-invalid', 'give --key-file or --passphrase-file, not both');
  const cure = 'name the file of what seals this backup';
  if (keyFile !== undefined) return keyIn(keyFile, cure);
  if (passphraseFile !== undefined) return passphraseIn(passphraseFile, cure);
  return readUnlock(directory, config);
}

/**
 * `hit-agent backup FILE`: everything of this agent in one sealed file, of one moment, while the agent serves. The file is
 * there whole or not at all; `-` writes to standard output.
 */
export async function backup(
  path: string,
  file: string,
  options: BackupOptions,
  terminal: Terminal,
): Promise<void> {
  if (file !== '-' && isThere(file))
    throw new HitError('already-exists', `${file}: there is such a file; a backup takes nobody's place`);
  if (isBesideSource(path)) throw nothingToKeep(path);
  const agent = await openAgent(path);
  try {
    const unlock = backupUnlock(agent.directory, agent.config, options);
    const told: Told = { manifest: undefined };
    await intoFile(file, (sink) => write(agent, unlock, options.withKeys, told, sink));
    if (told.manifest !== undefined) tell(file, told.manifest, unlock, options.withKeys, terminal);
  } finally {
    await agent.database.close();
  }
}

const nothingToKeep = (path: string): HitError =>
  new HitError(
    'config-invalid',
    `${handOverFile(path)}: this machine hands registers over and has nothing that a backup would bring back: keep a copy of that file. ` +
      'Without the cache and import-REGISTER.sqlite the next hand-over makes and sends everything; a lost key is made anew, here and at the agent',
  );

interface Told {
  manifest: BackupManifest | undefined;
}

function write(
  agent: OpenedAgent,
  unlock: Unlock,
  withKeys: boolean,
  told: Told,
  sink: Writable,
): Promise<void> {
  const { database, directory } = agent;
  return database.snapshot(async (run) => {
    // The first look fixes the moment: what was pushed is of a later one, as after a crash between the two.
    await run('SELECT count(*) FROM state');
    const pour = async (pushed: Run | undefined): Promise<void> => {
      const records = noting(backupRecords(agent, run, pushed, withKeys, Date.now()), told);
      await pipeline(sealedBackup(records, unlock, secureRandom), sink, { end: sink !== process.stdout });
    };
    if (agent.shared !== undefined) return pour(run);
    // One of an earlier version is brought up to date first.
    if (isThere(directory.pushed)) openPushedClients(directory.path).close();
    return isThere(directory.pushed) ? snapshotOf(directory.pushed, pour) : pour(undefined);
  });
}

async function* noting(records: AsyncGenerator<BackupManifest | BackupRecord>, told: Told) {
  for await (const record of records) {
    if (record.type === 'manifest') told.manifest = record;
    yield record;
  }
}

/** Under its name only when all of it is on the disk. */
async function intoFile(file: string, work: (sink: Writable) => Promise<void>): Promise<void> {
  if (file === '-') return work(process.stdout);
  const temporary = `${file}.new`;
  rmSync(temporary, { force: true });
  try {
    await work(createWriteStream(temporary, { flags: 'wx', mode: 0o600, flush: true }));
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function tell(
  file: string,
  { registers, logEntries, takenAt, separately }: BackupManifest,
  { type }: Unlock,
  withKeys: boolean,
  terminal: Terminal,
): void {
  const clients = registers.reduce((sum, register) => sum + register.clients, 0);
  const lines = [
    `${file === '-' ? 'Standard output' : file}: this agent as it was at ${takenAt}: ${counted(registers.length, 'register')} ` +
      `with ${counted(clients, 'client')}, ${counted(logEntries, 'entry of its log', 'entries of its log')}. ` +
      `It is sealed with the ${type}: without that it is worthless.`,
    ...(withKeys
      ? [
          '',
          'THE KEYS OF THIS AGENCY ARE IN IT: who has this file, what opens it and what opens keystore.json is this agency.',
          'Keep it where nobody has all three.',
        ]
      : []),
    '',
    'Not in it, and needed for a restore; keep copies of them apart:',
    ...separately.map((what) => `  ${what}`),
  ];
  const say =
    file === '-' ? (text: string) => terminal.err(`${text}\n`) : (text: string) => terminal.out(text);
  say(lines.join('\n'));
}
