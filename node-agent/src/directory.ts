import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Unlock } from '@hitmachine/protocol';
import { HitError } from '@hitmachine/protocol';
import type { Config } from './config.ts';
import { fileOf, isOpenToOthers } from '@hitmachine/service';

/** The files of one agent, all in one directory that its service account alone can read. */
export interface AgentDirectory {
  readonly path: string;
  readonly config: string;
  /** The agency's own rules for what it answers. */
  readonly policy: string;
  readonly keystore: string;
  readonly database: string;
  /** What systems of the agency have pushed, where a register's source is that. */
  readonly pushed: string;
  /** Bearer key of the loopback API. */
  readonly apiKey: string;
}

export function agentDirectory(path: string): AgentDirectory {
  return {
    path,
    config: join(path, 'agent.yaml'),
    policy: join(path, 'policy.yaml'),
    keystore: join(path, 'keystore.json'),
    database: join(path, 'agent.sqlite'),
    pushed: join(path, 'pushed.sqlite'),
    apiKey: join(path, 'api-key'),
  };
}

/** Makes a directory for the service account alone. One that is there keeps its mode: it may be somebody's home. */
export function makeDirectory(path: string): void {
  if (mkdirSync(path, { recursive: true, mode: 0o700 }) !== undefined) chmodSync(path, 0o700);
}

/** Writes a file that holds a secret: complete or not at all, and readable by the owner alone. */
export function writeSecretFile(file: string, content: string | Uint8Array): void {
  const temporary = `${file}.new`;
  writeFileSync(temporary, content, { mode: 0o600, flush: true });
  renameSync(temporary, file);
}

/** Whether there is such a file. One that this account may not look at is not taken for a missing one: that throws. */
export function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/**
 * Reads a file that holds a secret. Throws `config-invalid` when others may read it, or when it is missing: then with
 * `cure`.
 */
export function readSecretFile(file: string, cure = '"hit-agent init" makes it'): Buffer {
  if (!isThere(file)) throw new HitError('config-invalid', `${file}: there is no such file; ${cure}`);
  if (isOpenToOthers(file, statSync(file).mode))
    throw new HitError(
      'config-invalid',
      `${file}: others than its owner may read it; run: chmod 600 ${file}`,
    );
  return readFileSync(file);
}

/** The bearer key of the loopback API. Throws like {@link readSecretFile}. */
export function readApiKey({ apiKey, keystore }: AgentDirectory): string {
  const cure = `restore your copy, or make a new one with: (umask 077; openssl rand -base64 32 > ${apiKey})`;
  return readSecretFile(apiKey, isThere(keystore) ? cure : undefined)
    .toString('utf8')
    .trim();
}

const NOTHING_ELSE_OPENS = 'nothing else opens the key store';

/** What opens the key store, as the configuration says. */
export function readUnlock(
  directory: AgentDirectory,
  config: Pick<Config, 'keyFile' | 'passphraseFile'>,
): Unlock {
  if (config.passphraseFile !== undefined) {
    const file = fileOf(directory.path, config.passphraseFile);
    const cure = isThere(directory.keystore)
      ? `restore your copy: ${NOTHING_ELSE_OPENS}`
      : `write a passphrase into it, and run: chmod 600 ${file}`;
    return passphraseIn(file, cure);
  }
  return keyIn(keyFileOf(directory, config), `restore your copy: ${NOTHING_ELSE_OPENS}`);
}

/** A passphrase from a file that only this account may read. Throws `config-invalid`; `cure` is for one that is missing. */
export function passphraseIn(file: string, cure: string): Unlock {
  const passphrase = readSecretFile(file, cure).toString('utf8').trim();
  if (passphrase.length < 12)
    throw new HitError('config-invalid', `${file}: the passphrase has fewer than 12 characters`);
  return { type: 'passphrase', passphrase };
}

/** A key from a file that only this account may read. Throws as {@link passphraseIn}. */
export function keyIn(file: string, cure: string): Unlock {
  const key = readSecretFile(file, cure);
  if (key.length !== 32) throw new HitError('config-invalid', `${file}: a key file has 32 bytes`);
  return { type: 'key-file', key };
}

export function keyFileOf(directory: AgentDirectory, config: Pick<Config, 'keyFile'>): string {
  return fileOf(directory.path, config.keyFile ?? 'key-file');
}
