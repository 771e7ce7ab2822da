import { HitError } from '@hitmachine/protocol';
import { fileOf } from '@hitmachine/service';
import type { NotAdmitted } from '../domain/importing/admit-clients.ts';
import { announcedRegisters } from '../domain/asked-about.ts';
import { GatewayPatience } from '../domain/importing/gateway-patience.ts';
import { importClients, refuseShrinking } from '../domain/importing/import-clients.ts';
import { publishRegisters } from '../domain/membership/publish-registers.ts';
import { RosterKeeper } from '../domain/membership/roster-keeper.ts';
import { ownSettings } from '../domain/membership/token-types.ts';
import type { ConfiguredRegister } from '../config.ts';
import type { ImportResult } from '../domain/importing/import-clients.ts';
import type { OpenedAgent } from '../open-agent.ts';
import { openAgent } from '../open-agent.ts';
import type { ImportTools } from '../open-import.ts';
import { openImport } from '../open-import.ts';
import { openSource } from '../open-source.ts';
import type { OperationalLog } from '../ports/operational-log.ts';
import { secureRandom } from '../random.ts';
import { agreePushed } from './agree-pushed.ts';
import { checkTokenTypes } from './check-token-types.ts';
import type { ProgressForm } from './import-progress.ts';
import { progressTo, waitingTo } from './import-progress.ts';
import { counted } from './print.ts';
import type { Terminal } from './print.ts';
import { readSource } from './read-source.ts';

export interface ImportOptions {
  readonly register: string;
  readonly skipInvalid: boolean;
  readonly ignoreUnknownColumns: boolean;
  readonly allowShrink: boolean;
  readonly dryRun: boolean;
  /** A folder for what unchanged clients need not be made anew from. */
  readonly cache?: string | undefined;
  /** Seconds to wait for a gateway that goes away meanwhile. */
  readonly wait: number;
  readonly progress: ProgressForm;
  readonly json: boolean;
}

/** As shells know it: a program that was told to stop by Ctrl-C. */
const INTERRUPTED = 130;

/**
 * `hit-agent import`: what the source has becomes the register's whole content, or nothing changes. Without a file from
 * the source that agent.yaml gives the register. Gives the exit code. When it is told to stop, what is done is kept, and
 * the next import of the register goes on from there.
 */
export async function importFile(
  path: string,
  file: string | undefined,
  options: ImportOptions,
  log: OperationalLog,
  terminal: Terminal,
  stopped: AbortSignal = new AbortController().signal,
): Promise<number> {
  const agent = await openAgent(path);
  let tools: ImportTools | undefined;
  try {
    const { membership, gateway } = await agent.enrolled();
    const register = agent.config.registers.find(({ id }) => id === options.register);
    if (register === undefined) {
      const known = agent.config.registers.map(({ id }) => id).join(', ');
      throw new HitError(
        'unknown-register',
        `--register: agent.yaml has no register ${options.register}; it has ${known || 'none'}`,
      );
    }
    if (register.source?.push !== undefined && options.allowShrink && !options.dryRun && file === undefined) {
      await agreePushed(agent, register.id, options.json, terminal);
      return 0;
    }
    await checkTokenTypes(agent);
    tools = openImport(agent.directory, register.id, cacheFolder(agent, register, options));
    const { pseudonyms } = agent;
    const held = (await pseudonyms.imports()).find((state) => state.register === register.id);
    const source = openSource(agent.directory.path, register, {
      file,
      stream: process.stdin,
      ignoreUnknownColumns: options.ignoreUnknownColumns,
    });
    const { prepared, left } = await readSource(
      agent.directory.path,
      register,
      source,
      options,
      tools.spool,
      terminal,
    );
    stopped.throwIfAborted();
    if (!options.allowShrink) refuseShrinking(register, held?.clients, prepared.clients);
    const roster = await RosterKeeper.open(agent.backend, agent.state, membership, log, Date.now, agent.keys);
    await roster.accept(await gateway.roster());
    const announced = announcedRegisters(agent.config, membership.agency, () => ownSettings(roster));
    if (!options.dryRun) await publishRegisters(roster, gateway, announced);
    const imported = await importClients(
      {
        suite: agent.suite,
        keys: agent.keys,
        roster,
        gateway,
        pseudonyms,
        random: secureRandom,
        clock: Date.now,
        startMaker: tools.startMaker,
        kept: tools.kept,
        cache: tools.cache,
        over: { importedAt: held?.importedAt },
        patience: new GatewayPatience({
          stopped,
          patienceMs: options.wait * 1_000,
          waiting: waitingTo(terminal, options.progress, register.id, options.wait * 1_000),
        }),
        stopped,
      },
      register,
      prepared,
      progressTo(terminal, options.progress, register.id),
      options.dryRun,
    );
    const result = { ...imported, ended: left.ended, protected: left.protected };
    terminal.out(
      options.json ? JSON.stringify(result) : inWords(result, register.tokenTypes.length, options.dryRun),
    );
    return 0;
  } catch (error) {
    if (!stopped.aborted) throw error;
    terminal.err(
      `\nhit-agent: stopped; ${options.register} is as it was. What is done is kept (sealed, in ${tools?.kept.place ?? path}): ` +
        'the same command goes on from there.\n',
    );
    return INTERRUPTED;
  } finally {
    tools?.close();
    await agent.database.close();
  }
}

function cacheFolder(
  agent: OpenedAgent,
  { source }: ConfiguredRegister,
  { cache }: ImportOptions,
): string | undefined {
  if (cache !== undefined) return cache;
  return source?.cache === undefined ? undefined : fileOf(agent.directory.path, source.cache);
}

/** What an import printed: with those who were left out, for whoever holds the source anyway. */
type PrintedResult = ImportResult & Pick<NotAdmitted, 'ended' | 'protected'>;

function inWords(result: PrintedResult, tokenTypes: number, dryRun: boolean): string {
  const { register, clients, repeated, skipped, ended, added, removed, unchanged } = result;
  const rows = [
    ...(repeated > 0 ? [`${counted(repeated, 'row')} said what another had said`] : []),
    ...(skipped > 0 ? [`${counted(skipped, 'row')} skipped`] : []),
    ...(ended > 0 ? [`${counted(ended, 'client')} left out, whose last day is over`] : []),
    ...(result.protected > 0
      ? [
          `${counted(result.protected, 'client')} left out, who ${result.protected === 1 ? 'is' : 'are'} protected`,
        ]
      : []),
  ];
  const canaries = tokenTypes === 1 ? "the agent's own canary" : `${tokenTypes} canaries of the agent's own`;
  return (
    `${[`${register}: ${counted(clients, 'client')}`, ...rows].join('; ')}.\n` +
    `Pseudonyms, one for each identifier and ${canaries}: ${added} added, ${removed} removed, ${unchanged} unchanged.` +
    (dryRun ? '\nThis is what would be: nothing was changed.' : '')
  );
}
