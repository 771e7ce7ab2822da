import { HitError } from '@hitmachine/protocol';
import { namedFileProblems, shownSettings } from '@hitmachine/service';
import type { Command } from 'commander';
import { readPlacedConfig } from '../config.ts';
import type { CliContext, DirectoryOptions } from './context.ts';
import { directoryOption } from './context.ts';
import { gatewayFiles } from './gateway-files.ts';
import { table } from './table.ts';

/** `hit-gateway config validate | show`. */
export function addConfig(program: Command, context: CliContext): void {
  const config = program.command('config').description('the settings in gateway.yaml');
  config
    .command('validate')
    .description('check gateway.yaml with the environment, and the files that it names')
    .argument('[file]', 'another file, before it takes the place of gateway.yaml')
    .addOption(directoryOption(context))
    .action((file: string | undefined, { dir }: DirectoryOptions) => validate(context, dir, file));
  config
    .command('show')
    .description('every setting in force, and where it comes from; without secrets')
    .addOption(directoryOption(context))
    .option('--json', 'print it as JSON', false)
    .action((options: DirectoryOptions & { readonly json: boolean }) => show(context, options));
}

/** Throws `config-invalid`: a line a mistake. */
function validate(context: CliContext, directory: string, file: string | undefined): void {
  const files = gatewayFiles(directory);
  const name = file ?? files.config;
  const shown = shownSettings(readPlacedConfig(name));
  const problems = namedFileProblems(files.directory, shown);
  if (problems.length > 0)
    throw new HitError('config-invalid', problems.map((line) => `${name}: ${line}`).join('\n'));
  const variables = shown.map(({ from }) => from).filter((from) => from.startsWith('HIT_'));
  context.print(`${name} is valid: settings in force: ${shown.length}`);
  if (variables.length > 0) context.print(`From the environment: ${[...new Set(variables)].join(', ')}`);
}

function show(context: CliContext, { dir, json }: DirectoryOptions & { readonly json: boolean }): void {
  const file = gatewayFiles(dir).config;
  const settings = shownSettings(readPlacedConfig(file));
  context.print(
    json
      ? JSON.stringify({ file, settings }, undefined, 2)
      : table(
          ['SETTING', 'VALUE', 'FROM'],
          settings.map(({ setting, value, from }) => [setting, String(value), from]),
        ),
  );
}
