import { ASKED_ABOUT_REGISTER, HitError } from '@hitmachine/protocol';
import { isBesideSource } from '../hand-over-config.ts';
import { openAgent } from '../open-agent.ts';
import { openLogStores } from '../open-log-watch.ts';
import type { AgentStatus } from '../domain/running/status.ts';
import { askAgent } from './ask-agent.ts';
import { handOverStatus } from './hand-over-status.ts';
import { counted, table } from './print.ts';
import type { Terminal } from './print.ts';

/**
 * `hit-agent status`: how the running agent is doing, or what stands in its directory when none runs. On a machine that
 * hands registers over: how that is doing.
 */
export async function status(
  path: string,
  options: { readonly json: boolean },
  terminal: Terminal,
): Promise<boolean> {
  if (isBesideSource(path)) return handOverStatus(path, options, terminal);
  let running: AgentStatus;
  try {
    running = (await askAgent(path, 'GET', '/v1/status')) as AgentStatus;
  } catch (error) {
    if (!(error instanceof HitError) || error.code !== 'not-ready') throw error;
    terminal.err(`${error.detail}\n`);
    await printStored(path, options, terminal);
    return false;
  }
  terminal.out(options.json ? JSON.stringify(running, undefined, 2) : render(running));
  return running.problems.length === 0;
}

function render({
  agency,
  gateway,
  rosterVersion,
  policyVersion,
  epoch,
  registers,
  answering,
  log,
  problems,
  notices,
}: AgentStatus): string {
  const link = gateway.connected
    ? `connected since ${gateway.since}`
    : `NOT CONNECTED: ${gateway.problem ?? 'connecting'}`;
  const rows = registers.map(({ id, state, clients, importedAt, canaryLastBack }) => [
    id,
    state,
    clients === undefined ? '-' : String(clients),
    importedAt ?? '-',
    canaryLastBack ?? '-',
  ]);
  return [
    `${agency}, gateway ${gateway.url}: ${link}`,
    ...gateway.connections.map(
      ({ url, connected, replica, since }, i) =>
        `  connection ${i + 1}: ${url}, ${connected ? `replica ${replica ?? '-'} since ${since}` : 'down'}`,
    ),
    `roster version ${rosterVersion}, policy version ${policyVersion}, epoch ${epoch === undefined ? 'none yet' : `${epoch.number} (${epoch.day})`}`,
    inWords(log),
    ...(answering.stopped ? ['NOTHING IS ANSWERED: this agency has stopped answering'] : []),
    '',
    table([['REGISTER', 'STATE', 'CLIENTS', 'IMPORTED', 'CANARY BACK'], ...rows]),
    ...registers
      .filter(({ state, problem }) => state === 'answering' && problem !== undefined)
      .map(({ id, problem }) => `  ${id}: ${problem ?? ''}`),
    ...registers.flatMap(({ id, handOver }) =>
      handOver === undefined ? [] : [`  ${id}: handed over last ${handOver.last ?? 'never'}`],
    ),
    ...(problems.length > 0 ? ['', ...problems.map((problem) => `! ${problem}`)] : ['', 'No problems.']),
    ...notices.map((notice) => `i ${notice}`),
  ].join('\n');
}

/** What stands in the gateway's log, and who vouches for that. */
function inWords({ entries, cosigned, published, alarms }: AgentStatus['log']): string {
  if (alarms.some(({ kind }) => kind === 'fork' || kind === 'rollback'))
    return "the gateway's log contradicts itself: NOTHING IS ASKED OR ANSWERED";
  if (entries === undefined) return "nothing seen of the gateway's log yet";
  const signed =
    cosigned === undefined ? 'not cosigned by this agent yet' : `${cosigned} cosigned by this agent`;
  const others =
    published === undefined ? '' : `, ${published.entries} by ${counted(published.partners, 'partner')}`;
  return `the gateway's log: ${counted(entries, 'entry', 'entries')} seen, ${signed}${others}`;
}

async function printStored(
  path: string,
  options: { readonly json: boolean },
  terminal: Terminal,
): Promise<void> {
  const agent = await openAgent(path);
  try {
    const membership = await agent.state.membership();
    const imports = await agent.pseudonyms.imports();
    const { store } = openLogStores(agent.database, agent.backend, agent.keys);
    const alarms = (await store.alarms(true)).map(({ kind, detail }) => ({ kind, detail }));
    const handedOver = await agent.state.handedOver();
    const handed = Object.fromEntries([...handedOver].map(([id, at]) => [id, new Date(at).toISOString()]));
    const stored = { agency: membership?.agency, running: false, imports, handedOver: handed, alarms };
    if (options.json) terminal.out(JSON.stringify(stored, undefined, 2));
    else
      terminal.out(
        [
          membership === undefined
            ? 'not enrolled'
            : `${membership.agency}, enrolled at ${membership.gatewayUrl}`,
          ...imports
            .filter(({ register }) => register !== ASKED_ABOUT_REGISTER)
            .map(
              ({ register, clients, importedAt }) =>
                `${register}: ${counted(clients, 'client')}, imported ${new Date(importedAt).toISOString()}` +
                (handed[register] === undefined ? '' : `, handed over last ${handed[register]}`),
            ),
          ...imports
            .filter(({ register }) => register === ASKED_ABOUT_REGISTER)
            .map(
              ({ register, clients, importedAt }) =>
                `${register}: ${counted(clients, 'person')}, since ${new Date(importedAt).toISOString()}`,
            ),
        ].join('\n'),
      );
  } finally {
    await agent.database.close();
  }
}
