import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { decodeEntry } from '@hitmachine/protocol';
import { readConfig } from '../config.ts';
import { gatewayFiles } from './gateway-files.ts';
import { openGatewayStore } from './gateway-store.ts';
import { noteReadingHere } from './reader.ts';
import type { CliContext, DirectoryOptions } from './context.ts';
import { directoryOption } from './context.ts';

const PAGE = 500;

/** `hit-gateway log`: the log as JSON lines, oldest first. */
export function addLog(program: Command, context: CliContext): void {
  program
    .command('log')
    .description('print the log as JSON lines, oldest first; the log says that it was done')
    .addOption(directoryOption(context))
    .addOption(
      new Option('--from <index>', 'begin with the entry at this index').default(0).argParser(entryIndex),
    )
    .action(async (options: DirectoryOptions & { readonly from: number }) => {
      const files = gatewayFiles(options.dir);
      const config = readConfig(files.config);
      const store = await openGatewayStore(files, config);
      try {
        // First: what cannot be logged is not read. The entry about it is the last one printed.
        await noteReadingHere(store.auditLog, `printed from entry ${options.from} on`);
        const { size } = await store.auditLog.head();
        for (let index = options.from; index < size;) {
          const leaves = await store.auditLog.leaves(index, Math.min(PAGE, size - index));
          if (leaves.length === 0) return;
          for (const leaf of leaves) {
            const { at, ...event } = decodeEntry(leaf);
            context.print(JSON.stringify({ index: index++, at: new Date(at).toISOString(), ...event }));
          }
        }
      } finally {
        await store.close();
      }
    });
}

function entryIndex(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number))
    throw new InvalidArgumentError('Give the index of an entry, counted from 0.');
  return number;
}
