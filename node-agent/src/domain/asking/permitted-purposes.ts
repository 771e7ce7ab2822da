import type { Purpose } from '@hitmachine/protocol';
import { SUBJECT_ACCESS_PURPOSE, objectionTo } from '@hitmachine/protocol';
import type { RosterKeeper } from '../membership/roster-keeper.ts';

/** A purpose that a professional may ask for, and the roles in which he or she may. */
export interface PermittedPurpose {
  readonly purpose: Purpose;
  readonly roles: readonly string[];
}

/**
 * The purposes that somebody with these roles of the federation may ask for at this agency, by the same rules that the
 * question is held against later. A citizen's own request is the privacy officer's and none of them.
 */
export function permittedPurposes(
  { roster: { policy }, self }: Pick<RosterKeeper, 'roster' | 'self'>,
  roles: readonly string[],
): PermittedPurpose[] {
  return policy.purposes
    .filter(({ code }) => code !== SUBJECT_ACCESS_PURPOSE)
    .map((purpose) => ({
      purpose,
      roles: roles.filter(
        (role) =>
          objectionTo(policy, purpose.code, {
            asker: self,
            role,
            registers: [],
            tokenTypes: [],
            persons: 1,
            grounds: purpose.approval === 'none' ? 'plain' : 'approved',
          }) === undefined,
      ),
    }))
    .filter((permitted) => permitted.roles.length > 0);
}
