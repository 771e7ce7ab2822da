import { HitError, encodeBase64 } from '@hitmachine/protocol';
import type { OperationalLog } from '../log.ts';
import type { Connections } from '../ports/connections.ts';
import type { Directory } from '../ports/directory.ts';
import type { Runtime } from '../ports/runtime.ts';
import type { Caller } from './authentication.ts';
import { identityKeysAt } from './agency-keys.ts';
import type { CurrentRoster, RosterKeeper } from './roster-keeper.ts';

/** Milliseconds after which the gateway has seen what an administrator's command did beside it. */
const LOOK_EVERY_MS = 500;

interface MembershipDeps {
  readonly roster: RosterKeeper;
  readonly directory: Directory;
  readonly runtime: Runtime;
  readonly connections: Connections;
  readonly log: OperationalLog;
}

/**
 * Brings roster and connections in line with the directory, in which an administrator's command may have removed an
 * agency, or another replica put other keys, and with the clock, by which announced keys take effect.
 */
export async function followDirectory(deps: MembershipDeps): Promise<void> {
  const { roster, directory, connections, runtime } = deps;
  const { roster: current } = await roster.refresh();
  const now = runtime.now();
  const members = (await directory.agencies()).flatMap(({ id, enrolment }) =>
    enrolment === undefined
      ? []
      : [[id, identityKeysAt({ id, enrolment }, current, now).map(encodeBase64)] as const],
  );
  connections.keepOnly(new Map(members));
}

/**
 * Follows the directory twice a second until told to stop, one look at a time. A look that fails is logged once, until one succeeds: it
 * leaves the roster as it was.
 */
export function keepFollowingDirectory(deps: MembershipDeps): { stop(): Promise<void> } {
  let failing = false;
  let looking: Promise<void> | undefined;
  const look = async (): Promise<void> => {
    try {
      await followDirectory(deps);
      failing = false;
    } catch (err) {
      if (!failing) deps.log.error('directory-not-read', { err });
      failing = true;
    }
  };
  const timer = setInterval(() => {
    looking ??= look().finally(() => (looking = undefined));
  }, LOOK_EVERY_MS);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await looking;
    },
  };
}

/** Throws `unauthorised` when an agency was taken off after it had opened a lookup. */
export async function requireMember(directory: Directory, agency: string): Promise<void> {
  if ((await directory.agency(agency))?.enrolment === undefined) throw new HitError('unauthorised');
}

/**
 * Throws `not-ready` for an agency that enrolled and stands on no roster with its keys yet: where there
 * is an offline key, it has to sign a list of members first.
 */
export async function requireOnRoster(roster: RosterKeeper, { agency }: Caller): Promise<void> {
  const { identityKey, keyChange } = agency.enrolment;
  const keys = [encodeBase64(identityKey), keyChange?.identityKey];
  const stands = ({ roster: { agencies } }: CurrentRoster): boolean =>
    agencies.some((one) => one.id === agency.id && keys.includes(one.identityKey));
  // Another gateway may have taken the enrolment a moment ago.
  if (stands(roster.current) || stands(await roster.refresh())) return;
  throw new HitError(
    'not-ready',
    'this agency waits until the federation has signed a list of members with its keys: ask the administrator of the gateway',
  );
}
