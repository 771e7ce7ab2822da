import { writeFileSync } from 'node:fs';
import { HitError, loadSodium, sealKeystore } from '@hitmachine/protocol';
import { NODE_POLICY_TEMPLATE } from '../node-policy-file.ts';
import { CONFIG_TEMPLATE, readConfig } from '../config.ts';
import {
  agentDirectory,
  isThere,
  keyFileOf,
  makeDirectory,
  readUnlock,
  writeSecretFile,
} from '../directory.ts';
import { makeSeeds } from '../domain/keys.ts';
import { enrolledAs, withoutKeys } from '../open-agent.ts';
import { openStores } from '../open-stores.ts';
import { secureRandom } from '../random.ts';
import type { Terminal } from './print.ts';

/** `hit-agent init`: makes the directory, settings, keys and database. Destroys nothing that is there. */
export async function init(path: string, terminal: Terminal): Promise<void> {
  const directory = agentDirectory(path);
  makeDirectory(path);
  if (isThere(directory.keystore))
    throw new HitError(
      'already-exists',
      `${directory.keystore}: this agent has keys already; they were left as they are`,
    );
  const before = isThere(directory.config) ? readConfig(directory.config) : {};
  if ((await enrolledAs(directory, before)) !== undefined) throw await withoutKeys(directory, before);
  if (!isThere(directory.config)) writeFileSync(directory.config, CONFIG_TEMPLATE, { mode: 0o600 });
  if (!isThere(directory.policy)) writeFileSync(directory.policy, NODE_POLICY_TEMPLATE, { mode: 0o600 });
  const config = readConfig(directory.config);
  const keyFile = keyFileOf(directory, config);
  if (config.passphraseFile === undefined && !isThere(keyFile)) writeSecretFile(keyFile, secureRandom(32));
  const backend = await loadSodium();
  const unlock = readUnlock(directory, config);
  const sealed = await sealKeystore(backend, unlock, makeSeeds(secureRandom), secureRandom);
  if (!isThere(directory.apiKey))
    writeSecretFile(directory.apiKey, `${Buffer.from(secureRandom(32)).toString('base64url')}\n`);
  await (await openStores(directory, config)).database.close();
  // Last, because its presence means that everything else is there.
  writeSecretFile(directory.keystore, `${JSON.stringify(sealed, undefined, 2)}\n`);
  terminal.out(
    [
      `Made ${path}:`,
      '  agent.yaml     settings and registers; edit it now',
      '  policy.yaml    what this agency answers; edit it too',
      `  ${config.passphraseFile === undefined ? 'key-file       opens the key store: keep a copy elsewhere' : 'passphrase     opens the key store'}`,
      '  keystore.json  the keys of this agency: back it up, apart from what opens it',
      '  api-key        the key of the API on this machine',
      ...(config.database === undefined ? ['  agent.sqlite   pseudonyms and log'] : []),
      '',
      'Next:',
      `  hit-agent enrol --gateway URL --token-file FILE --dir ${path}`,
      `  hit-agent import FILE.csv --register REGISTER --dir ${path}`,
      `  hit-agent serve --dir ${path}`,
    ].join('\n'),
  );
}
