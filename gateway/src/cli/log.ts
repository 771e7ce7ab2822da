import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { readConfig } from '../config.ts';
import { gatewayFiles } from './gateway-files.ts';
import { openStore } from './gateway-store.ts';
import type { CliContext, DirectoryOptions } from './context.ts';
import { directoryOption } from './context.ts';

const PAGE = 500;

/** `hit-gateway log`: the audit log as JSON lines, oldest first. */
export function addLog(program: Command, context: CliContext): void {
  program
    .command('log')
    .description('print the audit log as JSON lines, oldest first')
    .addOption(directoryOption(context))
    .addOption(
      new Option('--after <sequence>', 'only entries with a higher sequence').default(0).argParser(sequence),
    )
    .action(async (options: DirectoryOptions & { readonly after: number }) => {
      const files = gatewayFiles(options.dir);
      await readConfig(files.config);
      const store = openStore(files.database);
      try {
        let { after } = options;
        for (;;) {
          const entries = await store.auditLog.read(after, PAGE);
          for (const { sequence, at, event } of entries)
            context.print(JSON.stringify({ sequence, at: new Date(at).toISOString(), ...event }));
          const last = entries.at(-1);
          if (last === undefined) return;
          after = last.sequence;
        }
      } finally {
        store.close();
      }
    });
}

function sequence(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number))
    throw new InvalidArgumentError('Give the number of an entry.');
  return number;
}
