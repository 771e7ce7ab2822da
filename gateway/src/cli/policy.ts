import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Agency, Policy } from '@hitmachine/protocol';
import { HitError, signersOf } from '@hitmachine/protocol';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { differences } from '../document-diff.ts';
import { enrolledAgency, federationKeys } from '../domain/members.ts';
import { openPolicy, publishPolicy, signPolicy } from '../domain/policies.ts';
import { participantsOf, policyWarnings } from '../domain/policy-warnings.ts';
import { policyFileJsonSchema, readPolicy } from '../policy-file.ts';
import type { CliContext, DirectoryOptions } from './context.ts';
import { directoryOption } from './context.ts';
import type { OpenedGateway } from './open-gateway.ts';
import { withGateway } from './open-gateway.ts';
import { isDecision, readDecision, writeDecision } from './to-sign.ts';

/** `hit-gateway policy validate | diff | publish | show | schema`. All of them work while the gateway runs. */
export function addPolicy(program: Command, context: CliContext): void {
  const policy = program
    .command('policy')
    .description('who may ask what, and why: check it, and put it in force');
  policy
    .command('validate')
    .description('check a policy file; with --dir also against those who take part and the policy in force')
    .argument('<file>', 'policy file (YAML)')
    .option('--dir <directory>', 'directory of a gateway (or HIT_GATEWAY_DIR)')
    .action((file: string, { dir }: Partial<DirectoryOptions>) =>
      validate(context, file, dir ?? context.environment['HIT_GATEWAY_DIR']),
    );
  policy
    .command('diff')
    .description('say what is other in a policy file than in the policy in force')
    .argument('<file>', 'policy file (YAML)')
    .addOption(directoryOption(context))
    .action((file: string, { dir }: DirectoryOptions) =>
      withGateway(dir, async (gateway) => printChanges(context, await changes(gateway, file))),
    );
  policy
    .command('publish')
    .description('put a policy in force: a policy file, or a document that the offline key has signed')
    .argument('<file>', 'policy file (YAML), or a signed document')
    .option('--out <file>', 'where to write the document for the offline key')
    .addOption(directoryOption(context))
    .action((file: string, options: DirectoryOptions & { readonly out?: string }) =>
      withGateway(options.dir, (gateway) => publish(context, gateway, file, options.out)),
    );
  policy
    .command('show')
    .description('print the policy in force, as YAML')
    .addOption(directoryOption(context))
    .action(({ dir }: DirectoryOptions) =>
      withGateway(dir, async (gateway) => {
        const { format: _, federation: __, ...content } = (await inForce(gateway)) ?? noPolicy();
        context.print(stringify(content, { lineWidth: 100 }).trimEnd());
      }),
    );
  policy
    .command('schema')
    .description('print the JSON Schema of policy files, for editors')
    .option('--out <file>', 'write it there instead')
    .action(async ({ out }: { readonly out?: string }) => {
      const text = JSON.stringify(policyFileJsonSchema(), undefined, 2);
      if (out === undefined) context.print(text);
      else await writeFile(out, `${text}\n`);
    });
}

function noPolicy(): never {
  throw new HitError(
    'config-invalid',
    'no policy is in force yet: start the gateway once, it takes policy.yaml',
  );
}

/** The newest policy that was published. */
async function inForce({ directory, keys }: OpenedGateway): Promise<Policy | undefined> {
  const stored = await directory.latestPolicy();
  if (stored === undefined) return undefined;
  const [own] = signersOf(federationKeys(keys, undefined));
  return openPolicy({ keys }, stored.document, own === undefined ? [] : [own]);
}

const takingPart = async ({ directory }: OpenedGateway): Promise<Agency[]> =>
  (await directory.agencies()).flatMap((record) => enrolledAgency(record, Date.now()));

/** A policy file that was checked against those who take part. */
async function checked(gateway: OpenedGateway, file: string): Promise<Policy> {
  return readPolicy(file, gateway.config.federation, participantsOf(await takingPart(gateway)));
}

async function changes(gateway: OpenedGateway, file: string): Promise<readonly string[]> {
  const next = await checked(gateway, file);
  const before = await inForce(gateway);
  return before === undefined ? ['no policy is in force yet'] : differences(before, next);
}

function printChanges(context: CliContext, lines: readonly string[]): void {
  if (lines.length === 0) context.print('nothing is other than in the policy in force');
  for (const line of lines) context.print(line);
}

async function validate(context: CliContext, file: string, dir: string | undefined): Promise<void> {
  if (dir === undefined) {
    const { version, purposes } = await readPolicy(file, 'federation');
    context.print(`${file} is a valid policy: version ${version}, ${purposes.length} purposes`);
    context.explain(
      'It was not checked against the agencies and registers that there are: give --dir for that.',
    );
    return;
  }
  await withGateway(dir, async (gateway) => {
    const policy = await checked(gateway, file);
    context.print(`${file} is a valid policy: version ${policy.version}, ${policy.purposes.length} purposes`);
    for (const line of policyWarnings(policy, await takingPart(gateway))) context.explain(`warning: ${line}`);
    printChanges(context, await changes(gateway, file));
    const before = await inForce(gateway);
    if (before !== undefined && policy.version <= before.version)
      context.explain(`warning: version ${before.version} is in force: publishing needs a higher one`);
  });
}

async function publish(
  context: CliContext,
  gateway: OpenedGateway,
  file: string,
  out: string | undefined,
): Promise<void> {
  const offlineKey = await gateway.directory.offlineKey();
  const signers = signersOf(federationKeys(gateway.keys, offlineKey));
  const { federation } = gateway.config;
  const before = await inForce(gateway);
  if (await isDecision(file)) {
    const { kind, document, value } = await readDecision(file);
    if (kind !== 'policy')
      throw new HitError('config-invalid', `${file} is a list of members: "members publish"`);
    const { version } = await publishPolicy(gateway, document, signers, federation);
    return told(context, before, value, version);
  }
  const policy = await checked(gateway, file);
  if (before !== undefined && policy.version <= before.version)
    throw new HitError(
      'config-invalid',
      `version: version ${before.version} of the policy is in force; give the new one a higher number`,
    );
  for (const line of policyWarnings(policy, await takingPart(gateway))) context.explain(`warning: ${line}`);
  const document = signPolicy(gateway, policy);
  if (offlineKey === undefined) {
    const { version } = await publishPolicy(gateway, document, signers, federation);
    return told(context, before, policy, version);
  }
  const path = out ?? join(gateway.files.directory, `policy-${policy.version}.to-sign.json`);
  await writeDecision(path, 'policy', document);
  context.print(path);
  context.explain('This policy has to be signed with the offline key before it counts. Next:');
  context.explain(`  hit-gateway sign ${path} --key KEY-FILE     on the machine without network`);
  context.explain('  hit-gateway policy publish SIGNED-FILE    here, with what comes out');
}

function told(context: CliContext, before: Policy | undefined, policy: Policy, version: number): void {
  if (before !== undefined) printChanges(context, differences(before, policy));
  context.print(`version ${version} of the policy is published`);
  context.explain('A gateway that runs goes by it within a second.');
}
