import { HitError } from '@hitmachine/protocol';
import { readClientFile } from '../adapters/csv/client-file.ts';
import { sqlitePseudonymStore } from '../adapters/sqlite/pseudonym-store.ts';
import { importClients, prepareImport } from '../domain/import-clients.ts';
import { publishRegisters } from '../domain/publish-registers.ts';
import { RosterKeeper } from '../domain/roster-keeper.ts';
import { openAgent } from '../open-agent.ts';
import type { OperationalLog } from '../ports/operational-log.ts';
import { secureRandom } from '../random.ts';
import type { Terminal } from './print.ts';

export interface ImportOptions {
  readonly register: string;
  readonly skipInvalid: boolean;
  readonly ignoreUnknownColumns: boolean;
  readonly progress: 'auto' | 'json' | 'none';
  readonly json: boolean;
}

/** `hit-agent import`: the file becomes the register's whole content, or nothing changes. */
export async function importFile(
  path: string,
  file: string,
  options: ImportOptions,
  log: OperationalLog,
  terminal: Terminal,
): Promise<void> {
  const agent = await openAgent(path);
  try {
    const { membership, gateway } = agent.enrolled();
    const register = agent.config.registers.find(({ id }) => id === options.register);
    if (register === undefined) {
      const known = agent.config.registers.map(({ id }) => id).join(', ');
      throw new HitError(
        'unknown-register',
        `--register: agent.yaml has no register ${options.register}; it has ${known || 'none'}`,
      );
    }
    const prepared = prepareImport(
      register,
      readClientFile(file, {
        tokenTypes: register.tokenTypes,
        ignoreUnknownColumns: options.ignoreUnknownColumns,
      }),
    );
    for (const { line, reason } of prepared.bad) terminal.err(`${file}:${line}: ${reason}\n`);
    if (prepared.bad.length > 0 && !options.skipInvalid)
      throw new HitError(
        'import-invalid',
        `${prepared.bad.length} of ${prepared.bad.length + prepared.clients} rows cannot be imported, so nothing was changed. ` +
          'Correct them, or import the others with --skip-invalid.',
      );
    if (prepared.bad.length > 0 && prepared.clients === 0)
      throw new HitError('import-invalid', 'none of the rows can be imported, so nothing was changed');
    if (prepared.clients === 0) terminal.err(`${file}: the file has no rows: ${register.id} will be empty\n`);
    const roster = new RosterKeeper(agent.backend, agent.state, membership, log);
    roster.accept(await gateway.roster());
    await publishRegisters(roster, gateway, agent.config.registers);
    const result = await importClients(
      {
        suite: agent.suite,
        keys: agent.keys,
        roster,
        gateway,
        pseudonyms: sqlitePseudonymStore(agent.database),
        random: secureRandom,
        clock: Date.now,
      },
      register,
      prepared,
      progressTo(terminal, options.progress, register.id),
    );
    terminal.out(
      options.json
        ? JSON.stringify(result)
        : `${result.register}: ${result.clients} clients (${result.added} pseudonyms added, ${result.removed} removed, ` +
            `${result.unchanged} unchanged)${result.skipped > 0 ? `; ${result.skipped} rows skipped` : ''}.`,
    );
  } finally {
    agent.database.close();
  }
}

const BAR = 30;

function progressTo(
  terminal: Terminal,
  form: ImportOptions['progress'],
  register: string,
): (done: number, total: number) => void {
  if (form === 'json')
    return (done, total) => terminal.err(`${JSON.stringify({ event: 'progress', done, total })}\n`);
  if (form === 'none' || !terminal.interactive) return () => undefined;
  return (done, total) => {
    const filled = Math.round((BAR * done) / total);
    const bar = '█'.repeat(filled) + '░'.repeat(BAR - filled);
    terminal.err(`\r${register} ${bar} ${done}/${total} pseudonyms${done === total ? '\n' : ''}`);
  };
}
