import type { Command } from 'commander';
import { Option } from 'commander';
import type { HandOverOptions } from './hand-over.ts';
import type { Terminal } from './print.ts';
import { handOver } from './when-called.ts';

/** `hit-agent hand-over` */
export function addHandOver(
  command: (name: string, description: string) => Command,
  terminal: Terminal,
  exit: (code: number) => void,
  interrupted?: AbortSignal,
): void {
  command('hand-over', 'import on a machine beside the source, and hand the serving agent what it needs')
    .argument('[file]', "CSV or JSON Lines in the place of the register's own source; - for standard input")
    .requiredOption('--register <id>', 'the register, as hand-over.yaml calls it')
    .option('--skip-invalid', 'import the good rows, leave out the bad ones', false)
    .option('--ignore-unknown-columns', 'leave out columns that are not known', false)
    .option('--allow-shrink', 'also when more clients than maxShrink would be gone, or all', false)
    .option('--dry-run', 'say what would change, and change nothing', false)
    .option(
      '--wait <seconds>',
      'for an agent or a gateway that goes away meanwhile',
      (text) => Math.max(0, Number(text) || 0),
      600,
    )
    .addOption(
      new Option('--progress <form>', 'how to show progress')
        .choices(['auto', 'json', 'none'])
        .default('auto'),
    )
    .option('--json', 'print the result as JSON', false)
    .action(async (file: string | undefined, options: HandOverOptions & { dir: string }) => {
      exit(await handOver(options.dir, file, options, terminal, interrupted));
    });
}
