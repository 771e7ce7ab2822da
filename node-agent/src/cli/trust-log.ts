import { HitError, headFingerprint, logOrigin, openCheckpoint } from '@hitmachine/protocol';
import type { OpenedAgent } from '../open-agent.ts';
import { openAgent } from '../open-agent.ts';
import { openLogStores } from '../open-log-watch.ts';
import { RosterKeeper } from '../domain/membership/roster-keeper.ts';
import type { Alarm, LogStore, SignedHead } from '../ports/log-store.ts';
import { counted, table } from './print.ts';
import type { Terminal } from './print.ts';
import { warnings } from './warnings.ts';

/**
 * `hit-agent trust log`: shows what is wrong with the gateway's log and the log that it shows now; with the fingerprint
 * of that one, as somebody else told it, goes on with it.
 */
export async function trustLog(
  path: string,
  fingerprint: string | undefined,
  terminal: Terminal,
): Promise<void> {
  const agent = await openAgent(path);
  try {
    const { store } = openLogStores(agent.database, agent.backend, agent.keys);
    const alarms = await store.alarms(true);
    if (alarms.length === 0) return terminal.out(await nothingToSettle(store));
    if (fingerprint !== undefined) return await confirm(store, alarms, fingerprint, terminal);
    const now = await shownNow(agent, terminal);
    await store.offer(now);
    terminal.out(explain(alarms, (await store.heads()).newest, now, path));
  } finally {
    await agent.database.close();
  }
}

async function nothingToSettle(store: LogStore): Promise<string> {
  const { newest } = await store.heads();
  return newest === undefined
    ? 'Nothing has been seen of the log yet, and nothing is wrong with it.'
    : `Nothing is wrong with the log: ${counted(newest.size, 'entry', 'entries')}, fingerprint ${headFingerprint(newest)}.`;
}

/** The latest checkpoint that the gateway publishes, with its signature checked. */
async function shownNow(agent: OpenedAgent, terminal: Terminal): Promise<SignedHead> {
  const { membership, gateway } = await agent.enrolled();
  const { roster } = await RosterKeeper.open(agent.backend, agent.state, membership, warnings(terminal));
  const note = await gateway.checkpoint();
  const key = { origin: logOrigin(roster.federation), publicKey: membership.gatewayKey };
  return { ...openCheckpoint(agent.backend, note, key).head, note };
}

function explain(
  alarms: readonly Alarm[],
  held: SignedHead | undefined,
  now: SignedHead,
  path: string,
): string {
  const row = (who: string, head: SignedHead | undefined): string[] =>
    head === undefined ? [who, '-', '-'] : [who, String(head.size), headFingerprint(head)];
  return [
    ...alarms.map(({ kind, detail }) => `! ${detail} (${kind})`),
    '',
    table([
      ['', 'ENTRIES', 'FINGERPRINT'],
      row('seen by this agent', held),
      row('shown by the gateway', now),
    ]),
    '',
    'The gateway promises a log that only grows and is the same for everybody. What this agent saw does not fit that.',
    'A gateway that was put back from a backup is the innocent reason: entries that came after the backup are gone then.',
    'Otherwise somebody has changed the log or shows different logs to different agencies. In both cases the evidence',
    'stays with this agent: hit-agent log alarms',
    '',
    `Ask the administrator of the gateway, by telephone, what happened, and for the fingerprint of its log at ${counted(now.size, 'entry', 'entries')};`,
    `there that is: hit-gateway audit head --entries ${now.size}`,
    'Ask a partner or the federation as well. If it is explained, and the fingerprint is the one above, go on with:',
    `  hit-agent trust log --fingerprint FINGERPRINT --dir ${path}`,
  ].join('\n');
}

const plain = (fingerprint: string): string => fingerprint.toLowerCase().replace(/[^0-9a-f]/g, '');

async function confirm(
  store: LogStore,
  alarms: readonly Alarm[],
  fingerprint: string,
  terminal: Terminal,
): Promise<void> {
  const { offered } = await store.heads();
  if (offered === undefined)
    throw new HitError(
      'config-invalid',
      'nothing was shown to be confirmed yet: run "hit-agent trust log" first',
    );
  if (plain(fingerprint) !== plain(headFingerprint(offered)))
    throw new HitError(
      'config-invalid',
      `--fingerprint: the log of ${counted(offered.size, 'entry', 'entries')} that was shown has another one; nothing was changed`,
    );
  const replaced = alarms.some(({ kind }) => kind === 'fork' || kind === 'rollback');
  await store.trust(replaced ? offered : undefined, Date.now());
  terminal.out(
    replaced
      ? `The log of ${counted(offered.size, 'entry', 'entries')} with the fingerprint ${headFingerprint(offered)} counts from now on.`
      : `${counted(alarms.length, 'alarm')} settled. They stay to be seen with: hit-agent log alarms --all`,
  );
}
