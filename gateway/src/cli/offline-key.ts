import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Backend, Unlock } from '@hitmachine/protocol';
import {
  HitError,
  base64Schema,
  decodeBase64,
  encodeBase64,
  loadSodium,
  openKeystore,
  parseJson,
  policySchema,
  sealKeystore,
} from '@hitmachine/protocol';
import type { Command } from 'commander';
import { z } from 'zod';
import { prepareMembers } from '../domain/members.ts';
import { signPolicy } from '../domain/policies.ts';
import type { CliContext, DirectoryOptions } from './context.ts';
import { directoryOption } from './context.ts';
import { systemRandom } from './gateway-files.ts';
import type { OpenedGateway } from './open-gateway.ts';
import { withGateway } from './open-gateway.ts';
import { readPrivate } from './private-file.ts';
import { writeDecision } from './to-sign.ts';

/** A key that lies in a file as it is, for who keeps the medium itself locked away. */
const plainSchema = z.strictObject({ format: z.literal('hitmachine-offline-key-1'), seed: base64Schema(32) });

const MIN_PASSPHRASE = 12;

/** `hit-gateway offline-key make | use`. */
export function addOfflineKey(program: Command, context: CliContext): void {
  const command = program
    .command('offline-key')
    .description(
      "the federation's second key, kept offline, which signs every policy and every list of members",
    );
  command
    .command('make')
    .description('make an offline key, on a machine without network; prints its public key')
    .argument('<file>', 'where to put it: a file that is not there yet')
    .option('--passphrase-file <file>', 'a file (chmod 600) with a passphrase to seal the key with')
    .action((file: string, { passphraseFile }: PassphraseOption) => make(context, file, passphraseFile));
  command
    .command('use')
    .description('at the gateway: from now on no policy and no agency counts without this key')
    .argument('<public-key>', 'what "offline-key make" printed')
    // It may begin with a hyphen.
    .allowUnknownOption()
    .addOption(directoryOption(context))
    .action((publicKey: string, { dir }: DirectoryOptions) =>
      withGateway(dir, (gateway) => use(context, gateway, publicKey)),
    );
}

export interface PassphraseOption {
  readonly passphraseFile?: string;
}

async function make(context: CliContext, file: string, passphraseFile: string | undefined): Promise<void> {
  const backend = await loadSodium();
  const seed = systemRandom(32);
  const content =
    passphraseFile === undefined
      ? { format: 'hitmachine-offline-key-1', seed: encodeBase64(seed) }
      : await sealKeystore(
          backend,
          await readPassphrase(passphraseFile),
          { offlineSeed: seed },
          systemRandom,
        );
  try {
    await writeFile(file, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    throw new HitError('already-exists', `${file} is there already, or cannot be written`, { cause });
  }
  context.print(encodeBase64(backend.signatures.publicKey(seed)));
  context.explain(
    `The key is in ${file}${passphraseFile === undefined ? ', readable by its owner alone' : ''}. Keep it,`,
  );
  context.explain(
    'and a copy elsewhere, off every network: without it no policy and no agency can be changed any more.',
  );
  context.explain('At the gateway:  hit-gateway offline-key use PUBLIC-KEY');
}

/** The seed in a file that `offline-key make` made. Throws `keystore-invalid`. */
export async function readOfflineKey(
  backend: Backend,
  file: string,
  passphraseFile: string | undefined,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(await readPrivate(file, 'keystore-invalid'));
  if (passphraseFile !== undefined) {
    const sealed: unknown = parseKeyFile(z.json(), bytes, file);
    const { offlineSeed } = await openKeystore(backend, await readPassphrase(passphraseFile), sealed);
    if (offlineSeed === undefined) throw new HitError('keystore-invalid', `${file} holds no offline key`);
    return offlineSeed;
  }
  if (new TextDecoder().decode(bytes).includes('"hitmachine-keystore-1"'))
    throw new HitError('keystore-invalid', `${file} is sealed with a passphrase: give --passphrase-file`);
  return decodeBase64(parseKeyFile(plainSchema, bytes, file).seed, 32);
}

function parseKeyFile<T>(schema: z.ZodType<T>, bytes: Uint8Array, file: string): T {
  try {
    return parseJson(schema, bytes);
  } catch (cause) {
    throw new HitError('keystore-invalid', `${file} is no offline key, or is damaged`, { cause });
  }
}

async function readPassphrase(file: string): Promise<Unlock> {
  const passphrase = (await readPrivate(file, 'keystore-invalid')).toString('utf8').replace(/\r?\n$/, '');
  if (passphrase.length < MIN_PASSPHRASE)
    throw new HitError(
      'keystore-invalid',
      `the passphrase in ${file} needs at least ${MIN_PASSPHRASE} characters`,
    );
  return { type: 'passphrase', passphrase };
}

async function use(context: CliContext, gateway: OpenedGateway, publicKey: string): Promise<void> {
  if (!base64Schema(32).safeParse(publicKey).success)
    throw new HitError('config-invalid', '<public-key>: 43 characters, as "offline-key make" printed them');
  const { directory, config, files } = gateway;
  const stored = await directory.latestPolicy();
  if (stored === undefined || (await directory.latestRoster()) === undefined)
    throw new HitError('config-invalid', 'start the gateway once before: there has to be a policy to sign');
  await directory.useOfflineKey(publicKey);
  const current = parseJson(policySchema, decodeBase64(stored.document.payload));
  const version = current.version + 1;
  const policyPath = join(files.directory, `policy-${version}.to-sign.json`);
  const { members, document } = await prepareMembers(gateway, config.federation);
  const membersPath = join(files.directory, `members-${members.version}.to-sign.json`);
  await writeDecision(policyPath, 'policy', signPolicy(gateway, { ...current, version }));
  await writeDecision(membersPath, 'members', document);
  context.print(policyPath);
  context.print(membersPath);
  context.explain(
    'Nothing that people decide counts without this key from now on. It comes on the roster once it has',
  );
  context.explain('signed the policy and the list of members. For both files:');
  context.explain('  hit-gateway sign FILE --key KEY-FILE        on the machine without network');
  context.explain('and then here:');
  context.explain('  hit-gateway policy publish SIGNED-POLICY');
  context.explain('  hit-gateway members publish SIGNED-MEMBERS');
}
