import type { Command } from 'commander';
import { backup } from './backup.ts';
import type { BackupOptions, BackupUnlockOptions } from './backup.ts';
import type { Terminal } from './print.ts';
import { restore } from './restore.ts';

/** `hit-agent backup` and `hit-agent restore`. */
export function addBackup(command: (name: string, description: string) => Command, terminal: Terminal): void {
  const withUnlock = (name: string, description: string, what: string): Command =>
    command(name, description)
      .argument('<file>', what)
      .option('--key-file <file>', "what seals it, in the place of the agent's own: 32 random bytes")
      .option('--passphrase-file <file>', 'the same, with a passphrase');
  withUnlock(
    'backup',
    'write this agent into one sealed file, while it serves',
    'a file that is not there yet; - for standard output',
  )
    .option('--with-keys', 'with keystore.json: keep such a file apart from what opens it', false)
    .action((file: string, options: BackupOptions & { dir: string }) =>
      backup(options.dir, file, options, terminal),
    );
  withUnlock(
    'restore',
    'make an agent from a backup, where there is none',
    'the backup; - for standard input',
  ).action((file: string, options: BackupUnlockOptions & { dir: string }) =>
    restore(options.dir, file, options, terminal),
  );
}
