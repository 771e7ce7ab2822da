import { join } from 'node:path';
import type { Members } from '@hitmachine/protocol';
import { HitError, decodeBase64, membersSchema, parseJson } from '@hitmachine/protocol';
import type { Command } from 'commander';
import { differences } from '../document-diff.ts';
import { prepareMembers, publishMembers } from '../domain/members.ts';
import type { CliContext, DirectoryOptions } from './context.ts';
import { directoryOption } from './context.ts';
import type { OpenedGateway } from './open-gateway.ts';
import { withGateway } from './open-gateway.ts';
import { readDecision, writeDecision } from './to-sign.ts';

/** `hit-gateway members prepare | publish`, where there is an offline key. */
export function addMembers(program: Command, context: CliContext): void {
  const members = program
    .command('members')
    .description('the list of members, which the offline key signs: who takes part, and with which keys');
  members
    .command('prepare')
    .description('write the agencies as they are now to a file for the offline key to sign')
    .option('--out <file>', 'where to write it')
    .addOption(directoryOption(context))
    .action((options: DirectoryOptions & { readonly out?: string }) =>
      withGateway(options.dir, (gateway) => prepare(context, gateway, options.out)),
    );
  members
    .command('publish')
    .description('put a signed list of members in force')
    .argument('<file>', 'what "hit-gateway sign" wrote')
    .addOption(directoryOption(context))
    .action((file: string, { dir }: DirectoryOptions) =>
      withGateway(dir, async (gateway) => {
        const { kind, document } = await readDecision(file);
        if (kind !== 'members') throw new HitError('config-invalid', `${file} is a policy: "policy publish"`);
        const { version, agencies } = await publishMembers(gateway, document, gateway.config.federation);
        context.print(`version ${version} of the list of members is published: ${agencies.length} agencies`);
        context.explain('A gateway that runs goes by it within a second.');
      }),
    );
}

async function prepare(context: CliContext, gateway: OpenedGateway, out: string | undefined): Promise<void> {
  const { members, document } = await prepareMembers(gateway, gateway.config.federation);
  const path = out ?? join(gateway.files.directory, `members-${members.version}.to-sign.json`);
  await writeDecision(path, 'members', document);
  for (const line of differences(await published(gateway), members)) context.explain(line);
  context.print(path);
  context.explain(`Next:  hit-gateway sign ${path} --key KEY-FILE     on the machine without network`);
  context.explain('and then here:  hit-gateway members publish SIGNED-FILE');
}

/** The list that was published last; an empty one before the first. */
async function published({ directory }: OpenedGateway): Promise<Partial<Members>> {
  const stored = await directory.latestMembers();
  return stored === undefined ? {} : parseJson(membersSchema, decodeBase64(stored.document.payload));
}
