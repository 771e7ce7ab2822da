import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Backend } from '@hitmachine/protocol';
import { HitError, createSuite, loadSodium } from '@hitmachine/protocol';
import { openedBackup } from '../adapters/files/sealed-backup.ts';
import { readConfig } from '../config.ts';
import type { Config } from '../config.ts';
import type { AgentDirectory } from '../directory.ts';
import { agentDirectory, isThere, makeDirectory, writeSecretFile } from '../directory.ts';
import { otherKeys } from '../domain/running/backup-manifest.ts';
import type { BackupManifest } from '../domain/running/backup-manifest.ts';
import { deriveKeys } from '../domain/keys.ts';
import { readSeeds } from '../open-agent.ts';
import type { FileRecord } from '../open-restore.ts';
import { openTarget, readManifest, takeIn } from '../open-restore.ts';
import { secureRandom } from '../random.ts';
import type { BackupUnlockOptions } from './backup.ts';
import { backupUnlock } from './backup.ts';
import { counted } from './print.ts';
import type { Terminal } from './print.ts';

/** What an agent without settings opens its key store with, so that a restore on an empty machine finds it. */
const NO_SETTINGS: Partial<Config> = {};
const WAITING = '.restoring';

/**
 * `hit-agent restore FILE`: makes an agent from a backup, in a directory (and a database, where agent.yaml names one)
 * that holds none. Files that are there stay: so another database, or the key store, can be laid down before. Until the
 * whole backup was read and found sound nothing counts; a restore that was killed is simply run again. `-` reads from
 * standard input. The agent answers nothing until somebody says that its registers are up to date.
 */
export async function restore(
  path: string,
  file: string,
  options: BackupUnlockOptions,
  terminal: Terminal,
): Promise<void> {
  const directory = agentDirectory(path);
  refuseUsed(directory);
  makeDirectory(path);
  const name = file === '-' ? 'standard input' : file;
  const laidDown = isThere(directory.config) ? readConfig(directory.config) : NO_SETTINGS;
  const unlock = backupUnlock(directory, laidDown, options);
  const records = openedBackup(file === '-' ? process.stdin : createReadStream(file), unlock, name);
  const manifest = await readManifest(records, name);
  const { files, next } = await filesOf(records, manifest, name);
  const settings = settingsOf(directory, files);
  const kept: string[] = [];
  let keys: Awaited<ReturnType<typeof checkKeys>>;
  try {
    keys = await checkKeys(await loadSodium(), directory, settings.config, manifest, files);
    const target = await openTarget(directory, settings.config, manifest, WAITING);
    try {
      await takeIn({ target, records, next, manifest, name, now: Date.now() }, () =>
        kept.push(...place(directory, files)),
      );
      await target.finish();
    } catch (error) {
      await target.abandon();
      throw error;
    }
  } finally {
    settings.forget();
  }
  if (!isThere(directory.apiKey))
    writeSecretFile(directory.apiKey, `${Buffer.from(secureRandom(32)).toString('base64url')}\n`);
  tell(path, manifest, kept, keys, terminal);
}

function refuseUsed({ path, database, pushed }: AgentDirectory): void {
  // A restore that was killed may have come as far as what was pushed; its database is waiting then.
  const ofNobody = isThere(`${database}${WAITING}`);
  for (const file of ofNobody ? [database] : [database, pushed])
    if (isThere(file))
      throw new HitError(
        'already-exists',
        `${file}: there is an agent in ${path}; nothing was changed. Restore into an empty directory, or move what is there away and keep it: the agency's log in it is a record`,
      );
}

/** The files, which come before all rows, and the first record behind them. */
async function filesOf(records: AsyncGenerator, { files }: BackupManifest, name: string) {
  const found: FileRecord[] = [];
  for (;;) {
    const { value: record } = (await records.next()) as { value: FileRecord | { type: string } | undefined };
    if (record?.type !== 'file') return { files: found, next: record };
    const one = record as FileRecord;
    const wanted = files[found.length];
    const bytes = Buffer.from(one.content, 'base64url');
    if (
      one.name !== basename(one.name) ||
      wanted?.name !== one.name ||
      wanted.sha256 !== createHash('sha256').update(bytes).digest('hex')
    )
      throw new HitError('backup-invalid', `${name}: its files are not those that it names`);
    found.push(one);
  }
}

/** The settings to restore by: those that are there, or else those of the backup. */
function settingsOf(directory: AgentDirectory, files: readonly FileRecord[]) {
  if (isThere(directory.config))
    return { config: readConfig(directory.config), forget: (): void => undefined };
  const own = files.find(({ name }) => name === basename(directory.config));
  if (own === undefined)
    throw new HitError('backup-invalid', `there is no agent.yaml, in the backup or in ${directory.path}`);
  const waiting = `${directory.config}${WAITING}`;
  writeSecretFile(waiting, Buffer.from(own.content, 'base64url'));
  return { config: readConfig(waiting), forget: () => rmSync(waiting, { force: true }) };
}

/**
 * Whether the keys that this agent will have are those of the backup, if that can be known now. Throws `keystore-invalid`
 * for others: with them it would know nobody, and its log could not be read.
 */
async function checkKeys(
  backend: Backend,
  directory: AgentDirectory,
  config: Config,
  manifest: BackupManifest,
  files: readonly FileRecord[],
): Promise<'fit' | 'missing' | 'not-opened'> {
  const inBackup = files.find(({ name }) => name === basename(directory.keystore));
  if (!isThere(directory.keystore) && inBackup === undefined) return 'missing';
  const waiting = `${directory.keystore}${WAITING}`;
  if (!isThere(directory.keystore) && inBackup !== undefined)
    writeSecretFile(waiting, Buffer.from(inBackup.content, 'base64url'));
  const keystore = isThere(directory.keystore) ? directory.keystore : waiting;
  try {
    const seeds = await readSeeds(backend, { ...directory, keystore }, config).catch((error: unknown) => {
      // The key file may come to this machine later.
      if (error instanceof HitError && error.code === 'config-invalid') return undefined;
      throw error;
    });
    if (seeds === undefined) return 'not-opened';
    const keys = await deriveKeys(backend, createSuite('voprf', backend), config.kem, seeds);
    const others = otherKeys(keys, manifest.keys);
    if (others.length === 0) return 'fit';
    throw new HitError(
      'keystore-invalid',
      `${directory.keystore}: these are not the keys that the backup belongs to (other: ${others.join('; ')}); nothing was restored. Put the key store of that time there`,
    );
  } finally {
    rmSync(waiting, { force: true });
  }
}

/** Lays the files down that are not there; gives those that stay as they were and differ. */
function place(directory: AgentDirectory, files: readonly FileRecord[]): string[] {
  const kept: string[] = [];
  for (const { name, content } of files) {
    const file = join(directory.path, name);
    const bytes = Buffer.from(content, 'base64url');
    if (!isThere(file)) {
      writeSecretFile(`${file}${WAITING}`, bytes);
      renameSync(`${file}${WAITING}`, file);
    } else if (!readFileSync(file).equals(bytes)) kept.push(name);
  }
  return kept;
}

function tell(
  path: string,
  manifest: BackupManifest,
  kept: readonly string[],
  keys: 'fit' | 'missing' | 'not-opened',
  terminal: Terminal,
): void {
  const { agency = 'an agency that is not enrolled', takenAt, registers, logEntries, separately } = manifest;
  const first = {
    fit: [],
    missing: ['Put keystore.json into it, as it was at that time, and what opens it.'],
    'not-opened': ['Put what opens keystore.json in its place.'],
  }[keys];
  terminal.out(
    [
      `${path}: ${agency} as it was at ${takenAt}, with ${counted(logEntries, 'entry of its log', 'entries of its log')}:`,
      ...registers.map(
        ({ id, clients, importedAt }) => `  ${id}: ${counted(clients, 'client')}, imported at ${importedAt}`,
      ),
      ...kept.map((name) => `${name} was there and stays as it is; the one in the backup is another.`),
      '',
      'Belongs to it and was not in the backup:',
      ...separately.map((what) => `  ${what}`),
      '',
      'It answers nothing yet: whoever ended, left or was protected since the backup would be known. Next:',
      ...[
        ...first,
        `hit-agent doctor --dir ${path}, and start the agent: never two copies of one.`,
        'Import every register again; what systems push they have to push again.',
        'Then: hit-agent answering on',
      ].map((line, i) => `  ${i + 1}. ${line}`),
    ].join('\n'),
  );
}
