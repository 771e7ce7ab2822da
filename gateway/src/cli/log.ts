import type { Command } from 'commander';
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
    .option('--after <sequence>', 'only entries with a higher sequence', '0')
    .action(async (options: DirectoryOptions & { readonly after: string }) => {
      const files = gatewayFiles(options.dir);
      await readConfig(files.config);
      const store = openStore(files.database);
      try {
        let after = Number.parseInt(options.after, 10) || 0;
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
