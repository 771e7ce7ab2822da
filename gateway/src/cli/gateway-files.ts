import { access, chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Backend, Random, Unlock } from '@hitmachine/protocol';
import { HitError, Secret, openKeystore, sealKeystore } from '@hitmachine/protocol';
import { configTemplate } from '../config-template.ts';
import type { GatewayConfig } from '../config.ts';
import { parseConfig, readConfig } from '../config.ts';
import { fileOf, secureRandom } from '@hitmachine/service';
import { policyFileJsonSchema, readPolicy } from '../policy-file.ts';
import { policyTemplate } from '../policy-template.ts';
import type { GatewaySeeds } from '../domain/keys.ts';
import { readPrivate } from './private-file.ts';

/** Random bytes of the operating system. */
export const systemRandom: Random = secureRandom;

const KEY_FILE_BYTES = 32;
const MIN_PASSPHRASE = 12;

/** The files of a gateway, all in one directory. */
export interface GatewayFiles {
  readonly directory: string;
  readonly config: string;
  /** The policy as people write it; what is in force stands in the database. */
  readonly policy: string;
  /** For editors of that file. */
  readonly policySchema: string;
  readonly keystore: string;
  readonly database: string;
  /** Held by the process that serves from the directory. */
  readonly lock: string;
}

export function gatewayFiles(directory: string): GatewayFiles {
  const root = resolve(directory);
  return {
    directory: root,
    config: join(root, 'gateway.yaml'),
    policy: join(root, 'policy.yaml'),
    policySchema: join(root, 'policy.schema.json'),
    keystore: join(root, 'keystore.json'),
    database: join(root, 'gateway.sqlite'),
    lock: join(root, 'gateway.lock'),
  };
}

const exists = async (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/**
 * Makes the directory, `gateway.yaml` and `policy.yaml` (what is there is checked and kept) and the keys; `prepare` does what else
 * has to be done with them. The key store comes last, so one that is there means that all of it was done. Throws
 * `already-exists`, `config-invalid`, `keystore-invalid` or what `prepare` throws, and overwrites nothing.
 */
export async function makeGatewayFiles(
  backend: Backend,
  directory: string,
  values: { readonly federation: string; readonly listen: string },
  prepare: (files: GatewayFiles, config: GatewayConfig) => Promise<void> = async () => undefined,
): Promise<{
  readonly files: GatewayFiles;
  readonly config: GatewayConfig;
  readonly made: readonly string[];
}> {
  const files = gatewayFiles(directory);
  if (await exists(files.keystore))
    throw new HitError(
      'already-exists',
      `there is a gateway in ${files.directory} already; nothing was changed`,
    );
  const made: string[] = [];
  const config = (await exists(files.config))
    ? readConfig(files.config)
    : parseConfig(configTemplate(values), 'gateway.yaml');
  if (await exists(files.policy)) await readPolicy(files.policy, config.federation);
  await mkdir(files.directory, { recursive: true, mode: 0o700 });
  await chmod(files.directory, 0o700);
  const templates = [
    [files.config, configTemplate(values)],
    [files.policy, policyTemplate],
    [files.policySchema, `${JSON.stringify(policyFileJsonSchema(), undefined, 2)}\n`],
  ] as const;
  for (const [path, text] of templates)
    if (!(await exists(path))) {
      await writeFile(path, text, { mode: 0o600, flag: 'wx' });
      made.push(path);
    }
  const keyFile = config.keyFile === undefined ? undefined : fileOf(files.directory, config.keyFile);
  if (keyFile !== undefined && !(await exists(keyFile))) {
    await writeFile(keyFile, systemRandom(KEY_FILE_BYTES), { mode: 0o600, flag: 'wx' });
    made.push(keyFile);
  }
  await prepare(files, config);
  const seeds = { identitySeed: systemRandom(32), evaluationSeed: systemRandom(32) };
  const sealed = await sealKeystore(backend, await readUnlock(files, config), seeds, systemRandom);
  await writeFile(files.keystore, `${JSON.stringify(sealed, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' });
  made.push(files.keystore);
  return { files, config, made };
}

/** Opens the key store. Throws `keystore-invalid`, with the command to run when a file is readable by others. */
export async function readSeeds(
  backend: Backend,
  files: GatewayFiles,
  config: GatewayConfig,
): Promise<GatewaySeeds> {
  if (!(await exists(files.keystore)))
    throw new HitError(
      'keystore-invalid',
      `${files.keystore} is missing: run "hit-gateway init" first, or give the right --dir`,
    );
  const text = (await readPrivate(files.keystore, 'keystore-invalid')).toString('utf8');
  const { identitySeed, evaluationSeed, nextEvaluationSeed, replicaRoot } = await openKeystore(
    backend,
    await readUnlock(files, config),
    parseJsonFile(text, files.keystore),
  );
  if (identitySeed === undefined || evaluationSeed === undefined)
    throw new HitError('keystore-invalid', `${files.keystore} is not the key store of a gateway`);
  return {
    identitySeed: new Secret(identitySeed),
    evaluationSeed: new Secret(evaluationSeed),
    ...(nextEvaluationSeed !== undefined && { nextEvaluationSeed: new Secret(nextEvaluationSeed) }),
    ...(replicaRoot !== undefined && { replicaRoot: new Secret(replicaRoot) }),
  };
}

/** Puts seeds in the place of those in the key store: complete or not at all. */
export async function writeSeeds(
  backend: Backend,
  files: GatewayFiles,
  config: GatewayConfig,
  seeds: GatewaySeeds,
): Promise<void> {
  const named = Object.fromEntries(
    Object.entries(seeds).flatMap(([name, seed]: [string, Secret<Uint8Array> | undefined]) =>
      seed === undefined ? [] : [[name, seed.reveal()]],
    ),
  );
  const sealed = await sealKeystore(backend, await readUnlock(files, config), named, systemRandom);
  const temporary = `${files.keystore}.new`;
  await writeFile(temporary, `${JSON.stringify(sealed, undefined, 2)}\n`, { mode: 0o600, flush: true });
  await rename(temporary, files.keystore);
}

function parseJsonFile(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new HitError('keystore-invalid', `${path} is damaged: it is not JSON`, { cause });
  }
}

async function readUnlock(files: GatewayFiles, config: GatewayConfig): Promise<Unlock> {
  if (config.keyFile !== undefined) {
    const path = fileOf(files.directory, config.keyFile);
    const key = new Uint8Array(await readPrivate(path, 'keystore-invalid'));
    if (key.length !== KEY_FILE_BYTES)
      throw new HitError(
        'keystore-invalid',
        `${path} has ${key.length} bytes where ${KEY_FILE_BYTES} are needed`,
      );
    return { type: 'key-file', key };
  }
  const path = fileOf(files.directory, config.passphraseFile ?? '');
  const passphrase = (await readPrivate(path, 'keystore-invalid')).toString('utf8').replace(/\r?\n$/, '');
  if (passphrase.length < MIN_PASSPHRASE)
    throw new HitError(
      'keystore-invalid',
      `the passphrase in ${path} needs at least ${MIN_PASSPHRASE} characters`,
    );
  return { type: 'passphrase', passphrase };
}
