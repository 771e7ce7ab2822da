import { openAgent } from '../open-agent.ts';
import { openLogStores } from '../open-log-watch.ts';
import type { Alarm } from '../ports/log-store.ts';
import type { Terminal } from './print.ts';

export interface LogAlarmsOptions {
  /** Also those that an administrator settled. */
  readonly all: boolean;
  readonly json: boolean;
}

const iso = (at: number | undefined): string | undefined =>
  at === undefined ? undefined : new Date(at).toISOString();

/**
 * `hit-agent log alarms`: what is wrong with the gateway's log, with the evidence: notes that the gateway signed, for
 * whoever has its key.
 */
export async function logAlarms(path: string, options: LogAlarmsOptions, terminal: Terminal): Promise<void> {
  const agent = await openAgent(path);
  try {
    const { store } = openLogStores(agent.database, agent.backend, agent.keys);
    const alarms = await store.alarms(!options.all);
    if (options.json) for (const alarm of alarms) terminal.out(inJson(alarm));
    else if (alarms.length === 0) terminal.out('No alarms.');
    else terminal.out(alarms.map(inWords).join('\n\n'));
  } finally {
    await agent.database.close();
  }
}

const inJson = ({ at, resolvedAt, ...alarm }: Alarm): string =>
  JSON.stringify({ ...alarm, at: iso(at), resolvedAt: iso(resolvedAt) });

function inWords({ number, at, kind, detail, evidence, resolvedAt }: Alarm): string {
  const settled = resolvedAt === undefined ? '' : `  settled ${iso(resolvedAt) ?? ''}`;
  return [
    `${number}  ${iso(at) ?? ''}  ${kind}${settled}`,
    detail,
    ...evidence.map((text) => text.trimEnd().replace(/^/gm, '    ')),
  ].join('\n');
}
