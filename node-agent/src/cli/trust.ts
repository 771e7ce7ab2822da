import { HitError, encodeBase64 } from '@hitmachine/protocol';
import { RosterKeeper, fingerprintsOf } from '../domain/membership/roster-keeper.ts';
import { openAgent } from '../open-agent.ts';
import { table } from './print.ts';
import type { Terminal } from './print.ts';
import { warnings } from './warnings.ts';

/** `hit-agent trust`: shows pinned and present keys, or pins an agency's new ones once their fingerprint was checked. */
export async function trust(
  path: string,
  agency: string | undefined,
  fingerprint: string | undefined,
  terminal: Terminal,
): Promise<void> {
  const agent = await openAgent(path);
  try {
    const { membership, gateway } = await agent.enrolled();
    // The table tells what has changed.
    const log = warnings(terminal, ['key-changed', 'register-vanished']);
    const roster = await RosterKeeper.open(agent.backend, agent.state, membership, log);
    await roster.accept(await gateway.roster());
    const present = fingerprintsOf(roster.roster);
    const pinned = new Map((await agent.state.pins()).map((pin) => [pin.name, pin.fingerprint]));
    if (agency === undefined) {
      const rows = [...present].map(([name, now]) => [
        name,
        pinned.get(name) ?? '-',
        pinned.get(name) === now ? 'same' : now,
      ]);
      const gone = roster.vanishedRegisters().map((name) => [name, 'listed', 'gone']);
      terminal.out(table([['NAME', 'PINNED', 'ON THE ROSTER'], ...rows, ...gone]));
      terminal.out(
        `\nThe gateway's key, for "hit-verify --gateway-key": ${encodeBase64(membership.gatewayKey)}`,
      );
      return;
    }
    if (roster.vanishedRegisters().includes(agency)) {
      await agent.state.removePin(agency);
      terminal.out(`${agency} is not expected on the roster any more.`);
      return;
    }
    const now = present.get(agency);
    if (now === undefined) throw new HitError('unknown-agency', `${agency} is not on the roster`);
    if (fingerprint === undefined)
      throw new HitError(
        'config-invalid',
        `--fingerprint: ask ${agency} for the fingerprint of its keys, by telephone, and give it here`,
      );
    if (
      fingerprint.trim() !== now &&
      fingerprint.toLowerCase().replace(/[^0-9a-f]/g, '') !== now.replaceAll('-', '')
    )
      throw new HitError(
        'key-changed',
        `the roster holds other keys for ${agency} than the fingerprint says; nothing was pinned`,
      );
    await agent.state.setPin({ name: agency, fingerprint: now });
    terminal.out(`The keys of ${agency} are pinned: ${now}`);
  } finally {
    await agent.database.close();
  }
}
