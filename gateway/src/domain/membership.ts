import { HitError } from '@hitmachine/protocol';
import type { OperationalLog } from '../log.ts';
import type { Connections } from '../ports/connections.ts';
import type { Directory } from '../ports/directory.ts';
import type { RosterKeeper } from './roster-keeper.ts';

/** Milliseconds after which the gateway has seen what an administrator's command did beside it. */
const LOOK_EVERY_MS = 500;

interface MembershipDeps {
  readonly roster: RosterKeeper;
  readonly connections: Connections;
  readonly log: OperationalLog;
}

/**
 * Brings roster and connections in line with the directory, in which an administrator's command may have removed an
 * agency.
 */
export async function followDirectory({ roster, connections }: MembershipDeps): Promise<void> {
  const { agencies } = (await roster.refresh()).roster;
  connections.keepOnly(new Set(agencies.map(({ id }) => id)));
}

/**
 * Follows the directory twice a second until told to stop. A look that fails is logged once, until one succeeds: it
 * leaves the roster as it was.
 */
export function keepFollowingDirectory(deps: MembershipDeps): { stop(): Promise<void> } {
  let failing = false;
  let looking: Promise<void> = Promise.resolve();
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
    looking = look();
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
