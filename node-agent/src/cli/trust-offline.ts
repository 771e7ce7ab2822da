import { HitError, keysFingerprint, openRoster } from '@hitmachine/protocol';
import { OFFLINE_KEY } from '../domain/membership/roster-keeper.ts';
import { openAgent } from '../open-agent.ts';
import type { Terminal } from './print.ts';

/**
 * `hit-agent trust offline`: the federation's second key, which is kept offline: what was pinned and what the gateway
 * shows, and, with the fingerprint as those who keep that key told it, pins a new one.
 */
export async function trustOffline(
  path: string,
  fingerprint: string | undefined,
  terminal: Terminal,
): Promise<void> {
  const agent = await openAgent(path);
  try {
    const { membership, gateway } = await agent.enrolled();
    const shown = openRoster(agent.backend, await gateway.roster(), membership.gatewayKey).gateway.offlineKey;
    const now = shown === undefined ? undefined : keysFingerprint(shown);
    if (fingerprint === undefined) {
      const pinned = (await agent.state.pins()).find(({ name }) => name === OFFLINE_KEY)?.fingerprint;
      terminal.out(`pinned:               ${pinned ?? 'none'}\nshown by the gateway: ${now ?? 'none'}`);
      return;
    }
    const digits = (text: string): string => text.toLowerCase().replace(/[^0-9a-f]/g, '');
    if (now === undefined || digits(fingerprint) !== digits(now))
      throw new HitError(
        'key-changed',
        'the gateway shows another offline key than the fingerprint says, or none; nothing was pinned',
      );
    await agent.state.setPin({ name: OFFLINE_KEY, fingerprint: now });
    terminal.out(`The offline key of the federation is pinned: ${now}`);
  } finally {
    await agent.database.close();
  }
}
