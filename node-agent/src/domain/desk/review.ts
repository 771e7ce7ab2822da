import type { Review } from '@hitmachine/protocol';
import { HitError, refusalOf } from '@hitmachine/protocol';
import type { AgencyLog } from '../../ports/agency-log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AgencyKeys } from '../keys.ts';
import type { OpenReviews } from './open-reviews.ts';
import { canonicalName, professionalPseudonym } from '../pseudonymise.ts';

export interface GivenReview {
  readonly lookupId: string;
  readonly verdict: Review['verdict'];
  /** Who reviewed it: somebody else than who asked. */
  readonly by: string;
  /** Other names under which he or she may have asked. */
  readonly alsoKnownAs?: readonly string[];
}

/**
 * Writes into the agency's own log that somebody has looked at a lookup that was asked in need, and gives what the
 * gateway is to be told. The same review given again writes nothing more. Throws `not-found` when there is none to
 * be reviewed, `not-allowed` when it is who asked who reviews, and `storage-failed`.
 */
export async function review(
  deps: {
    readonly agencyLog: AgencyLog;
    readonly reviews: OpenReviews;
    readonly keys: AgencyKeys;
    readonly clock: Clock;
  },
  { lookupId, verdict, by, alsoKnownAs = [] }: GivenReview,
): Promise<Review> {
  const report = { lookupId, verdict, reviewer: professionalPseudonym(deps.keys, by) };
  const open = (await deps.reviews.list()).find((one) => one.lookupId === lookupId);
  if (open === undefined) {
    const given = deps.reviews.given(lookupId);
    if (given?.verdict === verdict && given.by === by) return report;
    const detail =
      given === undefined
        ? 'no lookup of this number waits for a review'
        : 'this lookup was reviewed already';
    throw new HitError('not-found', detail, { fields: [{ field: 'lookupId', detail }] });
  }
  if ([by, ...alsoKnownAs].some((name) => sameName(open.professional, name)))
    throw refusalOf({
      rule: 'break-glass',
      field: 'by',
      detail: 'somebody else than the professional who asked',
    });
  await deps.agencyLog.append(
    { event: 'reviewed', lookupKey: '', detail: { lookupId, verdict, by } },
    deps.clock(),
  );
  return report;
}

const sameName = (one: string, other: string): boolean => canonicalName(one) === canonicalName(other);
