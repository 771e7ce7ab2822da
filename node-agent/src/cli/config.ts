import { HitError } from '@hitmachine/protocol';
import type { Command } from 'commander';
import type { ShownSetting } from '@hitmachine/service';
import { namedFileProblems, secretFileProblem, shownSettings } from '@hitmachine/service';
import { readPlacedConfig } from '../config.ts';
import { handOverFile, isBesideSource, readPlacedHandOverConfig } from '../hand-over-config.ts';
import { agentDirectory } from '../directory.ts';
import { readNodePolicy } from '../node-policy-file.ts';
import { counted, table } from './print.ts';
import type { Terminal } from './print.ts';

/** `hit-agent config`: whether the settings hold, and which are in force. */
export function addConfig(program: Command, defaultDirectory: string, terminal: Terminal): void {
  const config = program.command('config').description('the settings in agent.yaml').exitOverride();
  const part = (name: string, description: string): Command =>
    config
      .command(name)
      .description(description)
      .option('--dir <directory>', "the agent's directory", defaultDirectory)
      .exitOverride();
  part('validate', 'check agent.yaml with the environment, and the files that it names')
    .argument('[file]', 'another file, before it takes the place of agent.yaml')
    .action((file: string | undefined, { dir }: { dir: string }) => validateConfig(dir, file, terminal));
  part('show', 'every setting in force, and where it comes from; without secrets')
    .option('--json', 'print it as JSON', false)
    .action((options: { dir: string; json: boolean }) => showConfig(options.dir, options, terminal));
}

/** `hit-agent config validate [FILE]`. Throws `config-invalid`: a line a mistake. */
function validateConfig(path: string, file: string | undefined, terminal: Terminal): void {
  if (file === undefined && isBesideSource(path)) return validateHandOver(path, terminal);
  const directory = agentDirectory(path);
  const name = file ?? directory.config;
  const read = readPlacedConfig(name);
  const shown = shownSettings(read);
  const { keyFile, passphraseFile } = read.settings;
  const unsaid = keyFile ?? passphraseFile;
  const opening = unsaid === undefined ? secretFileProblem(path, 'key-file') : undefined;
  const problems = [
    ...namedFileProblems(path, shown),
    ...(opening === undefined ? [] : [`keyFile (as nothing is said): ${opening}`]),
  ];
  refuse(name, problems);
  readNodePolicy(directory.policy);
  tellValid(name, shown, terminal);
}

/** The same for hand-over.yaml, on a machine that hands registers over. */
function validateHandOver(path: string, terminal: Terminal): void {
  const name = handOverFile(path);
  const shown = shownSettings(readPlacedHandOverConfig(name));
  refuse(name, namedFileProblems(path, shown));
  tellValid(name, shown, terminal);
}

function refuse(name: string, problems: readonly string[]): void {
  if (problems.length > 0)
    throw new HitError('config-invalid', problems.map((line) => `${name}: ${line}`).join('\n'));
}

function tellValid(name: string, shown: readonly ShownSetting[], terminal: Terminal): void {
  const own = shown.filter(({ from }) => from.startsWith('line ')).length;
  const variables = shown.map(({ from }) => from).filter((from) => from.startsWith('HIT_'));
  terminal.out(
    [
      `${name} is valid: ${counted(own, 'setting')}, ${counted(shown.length - own - variables.length, 'default')}.`,
      ...(variables.length === 0 ? [] : [`From the environment: ${[...new Set(variables)].join(', ')}.`]),
    ].join('\n'),
  );
}

/** `hit-agent config show`. */
function showConfig(path: string, { json }: { readonly json: boolean }, terminal: Terminal): void {
  const isBeside = isBesideSource(path);
  const file = isBeside ? handOverFile(path) : agentDirectory(path).config;
  const settings = isBeside
    ? shownSettings(readPlacedHandOverConfig(file))
    : shownSettings(readPlacedConfig(file));
  terminal.out(
    json
      ? JSON.stringify({ file, settings }, undefined, 2)
      : table([
          ['SETTING', 'VALUE', 'FROM'],
          ...settings.map(({ setting, value, from }) => [setting, String(value), from]),
        ]),
  );
}
