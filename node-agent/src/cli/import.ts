import { HitError } from '@hitmachine/protocol';
import { readClientFile } from '../adapters/csv/client-file.ts';
import { sqlitePseudonymStore } from '../adapters/sqlite/pseudonym-store.ts';
import { announcedRegisters } from '../domain/asked-about.ts';
import { importClients, prepareImport, refuseShrinking } from '../domain/import-clients.ts';
import { publishRegisters } from '../domain/publish-registers.ts';
import { RosterKeeper } from '../domain/roster-keeper.ts';
import { ownSettings } from '../domain/token-types.ts';
import { openAgent } from '../open-agent.ts';
import type { ImportResult } from '../domain/import-clients.ts';
import type { OperationalLog } from '../ports/operational-log.ts';
import { secureRandom } from '../random.ts';
import { checkTokenTypes } from './check-token-types.ts';
import { counted } from './print.ts';
import type { Terminal } from './print.ts';

export interface ImportOptions {
  readonly register: string;
  readonly skipInvalid: boolean;
  readonly ignoreUnknownColumns: boolean;
  readonly allowShrink: boolean;
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
    await checkTokenTypes(agent);
    const prepared = await prepareImport(
      register,
      readClientFile(file, {
        tokenTypes: register.tokenTypes,
        ignoreUnknownColumns: options.ignoreUnknownColumns,
      }),
      Date.now(),
    );
    for (const { line, reason } of prepared.bad) terminal.err(`${file}:${line}: ${reason}\n`);
    const bad = prepared.bad.length;
    if (bad > 0 && !options.skipInvalid)
      throw new HitError(
        'import-invalid',
        `${bad} of ${counted(bad + prepared.clients + prepared.repeated, 'row')} cannot be imported, so nothing was changed. ` +
          'Correct them, or import the others with --skip-invalid.',
      );
    if (bad > 0 && prepared.clients === 0)
      throw new HitError('import-invalid', 'none of the rows can be imported, so nothing was changed');
    const pseudonyms = sqlitePseudonymStore(agent.database);
    const held = pseudonyms.imports().find((state) => state.register === register.id)?.clients;
    if (!options.allowShrink) refuseShrinking(register.id, held, prepared.clients);
    const roster = new RosterKeeper(agent.backend, agent.state, membership, log, Date.now, agent.keys);
    roster.accept(await gateway.roster());
    const announced = announcedRegisters(agent.config, membership.agency, () => ownSettings(roster));
    await publishRegisters(roster, gateway, announced);
    const result = await importClients(
      {
        suite: agent.suite,
        keys: agent.keys,
        roster,
        gateway,
        pseudonyms,
        random: secureRandom,
        clock: Date.now,
      },
      register,
      prepared,
      progressTo(terminal, options.progress, register.id),
    );
    terminal.out(options.json ? JSON.stringify(result) : inWords(result, register.tokenTypes.length));
  } finally {
    agent.database.close();
  }
}

function inWords(result: ImportResult, tokenTypes: number): string {
  const { register, clients, repeated, skipped, added, removed, unchanged } = result;
  const rows = [
    ...(repeated > 0 ? [`${counted(repeated, 'row')} said what another had said`] : []),
    ...(skipped > 0 ? [`${counted(skipped, 'row')} skipped`] : []),
  ];
  const canaries = tokenTypes === 1 ? "the agent's own canary" : `${tokenTypes} canaries of the agent's own`;
  return (
    `${[`${register}: ${counted(clients, 'client')}`, ...rows].join('; ')}.\n` +
    `Pseudonyms, one for each identifier and ${canaries}: ${added} added, ${removed} removed, ${unchanged} unchanged.`
  );
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
