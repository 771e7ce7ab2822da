import type { Command } from 'commander';
import { HitError, loadSodium, slugSchema } from '@hitmachine/protocol';
import { listenSchema } from '../config.ts';
import { gatewayFiles, makeGatewayFiles } from './gateway-files.ts';
import { openGatewayStore } from './gateway-store.ts';
import type { CliContext, DirectoryOptions } from './context.ts';
import { directoryOption } from './context.ts';

interface InitOptions extends DirectoryOptions {
  readonly federation: string;
  readonly listen: string;
}

/** `hit-gateway init`: everything that a gateway needs, in one directory. */
export function addInit(program: Command, context: CliContext): void {
  program
    .command('init')
    .description('make the directory of a new gateway: configuration, keys and database')
    .addOption(directoryOption(context))
    .option(
      '--federation <id>',
      'name of the federation: lower-case letters, digits and hyphens',
      'federation',
    )
    .option('--listen <host:port>', 'where to listen', '127.0.0.1:8460')
    .action(async (options: InitOptions) => {
      requireValid('--federation', slugSchema.safeParse(options.federation).error?.issues[0]?.message);
      requireValid('--listen', listenSchema.safeParse(options.listen).error?.issues[0]?.message);
      const { files, config, made } = await makeGatewayFiles(
        await loadSodium(),
        options.dir,
        options,
        async (...of) => (await openGatewayStore(...of)).close(),
      );
      for (const path of made) context.print(`made ${path}`);
      context.print(
        config.database === undefined
          ? `made ${files.database}`
          : 'made the tables in the PostgreSQL database',
      );
      context.print('');
      context.print(`This is the gateway of the federation "${config.federation}". Next:`);
      const where =
        gatewayFiles('./hit-gateway').directory === files.directory ? '' : ` --dir ${options.dir}`;
      context.print(
        `  hit-gateway agency add ID --name NAME --kind KIND${where}    invite an agency; prints its token`,
      );
      context.print(`  hit-gateway serve${where}    start the gateway`);
      context.print(`Settings are in ${files.config}; who may ask what, and why, in ${files.policy}.`);
    });
}

function requireValid(option: string, complaint: string | undefined): void {
  if (complaint !== undefined) throw new HitError('config-invalid', `${option}: ${complaint}`);
}
