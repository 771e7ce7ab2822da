import { ASKED_ABOUT_REGISTER, HitError } from '@hitmachine/protocol';
import type { Finding } from '@hitmachine/service';
import { fileOf, ok, warning, wrong } from '@hitmachine/service';
import { sqlAgencyLog } from '../../adapters/sql/agency-log.ts';
import { requireOwnLog } from '../../domain/running/log-continuity.ts';
import type { AgentStatus } from '../../domain/running/status.ts';
import type { OpenedAgent } from '../../open-agent.ts';
import { readHandOverKey } from '../../open-hand-overs.ts';
import { secureRandom } from '../../random.ts';
import { askAgent } from '../ask-agent.ts';

const DAY_MS = 86_400_000;
const OLD_DAYS = 7;

/** Whether the database can be read and written. */
export async function lookAtDatabase(agent: OpenedAgent): Promise<Finding[]> {
  const { state, directory, database, backend, keys } = agent;
  await state.probe();
  await requireOwnLog(sqlAgencyLog(database, backend, keys.logKey, secureRandom));
  return [ok('database', `${directory.database} can be written, and its log opens with these keys`)];
}

/** When each register of agent.yaml was imported. */
export async function lookAtRegisters({ config, pseudonyms, state }: OpenedAgent): Promise<Finding[]> {
  const handedOver = await state.handedOver();
  const imports = await pseudonyms.imports();
  if (config.registers.length === 0)
    return [warning('registers', 'agent.yaml has none: this agency asks, and never answers')];
  return config.registers.map(({ id, source }) => {
    const isHandedOver = config.handOver !== undefined && source === undefined;
    const check = `register ${id}`;
    const imported = imports.find(({ register }) => register === id);
    if (imported === undefined)
      return wrong(
        check,
        isHandedOver
          ? `nothing was handed over: hit-agent hand-over --register ${id} on the machine with the source`
          : `nothing was imported: hit-agent import FILE --register ${id}`,
      );
    const days = Math.floor((Date.now() - imported.importedAt) / DAY_MS);
    const what = handedOver.get(id) === imported.importedAt ? 'hand-over' : 'import';
    const done = what === 'import' ? 'imported' : 'handed over';
    return days >= OLD_DAYS
      ? warning(check, `the last ${what} was ${days} days ago: look at what runs it`)
      : ok(check, days === 0 ? `${done} today` : `${done} ${days} days ago`);
  });
}

/** The key of machines that hand registers over, and whether there is anything for them to hand over. */
export function lookAtHandOver({ config, directory }: OpenedAgent): Finding[] {
  if (config.handOver === undefined) return [];
  readHandOverKey(fileOf(directory.path, config.handOver.keyFile));
  const taken = config.registers.filter(({ source }) => source === undefined).map(({ id }) => id);
  return [
    taken.length === 0
      ? warning(
          'hand-over',
          'every register has a source of its own in agent.yaml: take it out of those that are to be handed over',
        )
      : ok('hand-over', `who has the key of handOver hands over ${taken.join(', ')}`),
  ];
}

/** What the running agent says of itself: canaries, pins, policy, the gateway's log. */
export async function lookAtRunning(path: string): Promise<Finding[]> {
  let status: AgentStatus;
  try {
    status = (await askAgent(path, 'GET', '/v1/status')) as AgentStatus;
  } catch (error) {
    // That it does not run is told with its port.
    if (error instanceof HitError && error.code === 'not-ready') return [];
    throw error;
  }
  const { registers, problems, notices, answering } = status;
  const canaries = registers.filter(({ id, state }) => id !== ASKED_ABOUT_REGISTER && state === 'answering');
  return [
    ...problems.map((problem) => wrong('agent', problem)),
    ...notices.map((notice) => warning('agent', notice)),
    ...(answering.stopped ? [warning('agent', 'answering is stopped: hit-agent answering on')] : []),
    ...canaries.map(({ id, canaryLastBack }) =>
      ok(
        'canary',
        `of ${id} came back ${canaryLastBack ?? 'with these tables'}: it answers, through the gateway`,
      ),
    ),
    ...(problems.length === 0 ? [ok('agent', 'connected and ready')] : []),
  ];
}
