import { readFileSync } from 'node:fs';
import type { Policy, Settings } from '@hitmachine/protocol';
import {
  HitError,
  decodeEnrolmentToken,
  encodeBase64,
  keysFingerprint,
  openRoster,
} from '@hitmachine/protocol';
import { httpGatewayClient } from '../adapters/http/gateway-client.ts';
import { announcedRegisters } from '../domain/asked-about.ts';
import { publicPart } from '../domain/membership/publish-registers.ts';
import { OFFLINE_KEY, fingerprintsOf } from '../domain/membership/roster-keeper.ts';
import { gatewayUrlComplaint } from '../gateway-config.ts';
import { openAgent } from '../open-agent.ts';
import { refuseUnknown } from './check-token-types.ts';
import { counted } from './print.ts';
import type { Terminal } from './print.ts';

export interface EnrolOptions {
  readonly gateway: string;
  readonly token?: string | undefined;
  /** A file with the token, or `-` for standard input: what stands on a command line can be read by all users. */
  readonly tokenFile?: string | undefined;
}

/** `hit-agent enrol`: brings this agency onto the roster. May safely be retried with the same token. */
export async function enrol(path: string, options: EnrolOptions, terminal: Terminal): Promise<void> {
  const url = gatewayUrl(options.gateway);
  const token = decodeEnrolmentToken(readToken(options));
  const agent = await openAgent(path);
  try {
    const existing = await agent.state.membership();
    if (existing !== undefined && existing.agency !== token.agency)
      throw new HitError(
        'already-exists',
        `this directory belongs to ${existing.agency}; use another one (--dir) for ${token.agency}`,
      );
    const client = httpGatewayClient(agent.signer(token.agency), agent.net(url));
    // Before the token is spent.
    const before = openRoster(agent.backend, await client.roster(), token.gatewayKey);
    await refuseUnknown(agent, before, token.agency);
    const registers = announcedRegisters(agent.config, token.agency, () => settingsBefore(before.policy));
    const document = await client.enrol({
      agency: token.agency,
      secret: encodeBase64(token.secret),
      identityKey: encodeBase64(agent.keys.identityKey),
      sessionKey: agent.keys.sessionKey,
      registers: registers.map((register) => ({ ...publicPart(register), tableBits: {} })),
    });
    const roster = openRoster(agent.backend, document, token.gatewayKey);
    const entry = roster.agencies.find(({ id }) => id === token.agency);
    if (entry === undefined)
      throw new HitError(
        'not-ready',
        `${token.agency} has enrolled and is not on the roster yet: the federation has to sign a list of members with it first; run this command again once it has`,
      );
    if (
      entry.identityKey !== encodeBase64(agent.keys.identityKey) ||
      entry.sessionKey.publicKey !== agent.keys.sessionKey.publicKey
    )
      throw new HitError(
        'key-changed',
        'the gateway put other keys on the roster than those of this agent; do not use it',
      );
    const pinned = (await agent.state.pins()).find(({ name }) => name === OFFLINE_KEY)?.fingerprint;
    const { offlineKey } = roster.gateway;
    if (pinned !== undefined && (offlineKey === undefined || keysFingerprint(offlineKey) !== pinned))
      throw new HitError(
        'key-changed',
        'the roster is not signed with the offline key of the federation that was pinned; ask its administrator',
      );
    await agent.state.setRoster(JSON.stringify(document));
    // Whoever enrols anew has new keys of its own; those of the others stay pinned.
    const own = fingerprintsOf(roster).get(token.agency);
    if (own !== undefined) await agent.state.setPin({ name: token.agency, fingerprint: own });
    await agent.state.setMembership({ agency: token.agency, gatewayUrl: url, gatewayKey: token.gatewayKey });
    terminal.out(
      `${token.agency} is on the roster of ${roster.federation} (version ${roster.version}, ${counted(roster.agencies.length, 'agency', 'agencies')}).\n` +
        `Fingerprint of its keys, for partners who ask for it: ${own ?? '-'}`,
    );
  } finally {
    await agent.database.close();
  }
}

/**
 * What the register of persons asked about may hold as long as nobody has told which kind of agency this is: the token
 * types that everybody may use, if there are any. The others come with the agent's first round.
 */
function settingsBefore({ settings, tokenRights }: Policy): Pick<Settings, 'tokenTypes'> {
  const open = Object.entries(settings.tokenTypes).filter(([type]) => !Object.hasOwn(tokenRights, type));
  return open.length === 0 ? settings : { tokenTypes: Object.fromEntries(open) };
}

function readToken({ token, tokenFile }: EnrolOptions): string {
  if ((token === undefined) === (tokenFile === undefined))
    throw new HitError(
      'config-invalid',
      'give the token of the administrator of the gateway: --token-file FILE (or - for standard input), or else --token TOKEN',
    );
  return token ?? readFileSync(tokenFile === '-' ? 0 : (tokenFile as string), 'utf8');
}

function gatewayUrl(text: string): string {
  const complaint = gatewayUrlComplaint(text);
  if (complaint !== undefined) throw new HitError('config-invalid', `--gateway: ${complaint}`);
  return new URL(text).origin;
}
