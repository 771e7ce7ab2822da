import { HitError } from '@hitmachine/protocol';
import { sqlAgencyLog } from '../adapters/sql/agency-log.ts';
import { OpenReviews } from '../domain/desk/open-reviews.ts';
import { review } from '../domain/desk/review.ts';
import { openAgent } from '../open-agent.ts';
import { secureRandom } from '../random.ts';
import { counted, word } from './print.ts';
import type { Terminal } from './print.ts';

export interface ReviewOptions {
  readonly verdict?: 'justified' | 'not-justified';
  readonly by?: string;
  readonly json: boolean;
}

/**
 * `hit-agent review`: the lookups that were asked in need, without the approval that they needed, and that nobody has
 * looked at yet; with a number, what somebody thinks of it.
 */
export async function reviewLookups(
  path: string,
  lookupId: string | undefined,
  options: ReviewOptions,
  terminal: Terminal,
): Promise<void> {
  const { verdict, by } = options;
  if (lookupId !== undefined && (verdict === undefined || by === undefined))
    throw new HitError('malformed', 'give --verdict justified or not-justified, and --by NAME');
  const agent = await openAgent(path);
  try {
    const agencyLog = sqlAgencyLog(agent.database, agent.backend, agent.keys.logKey, secureRandom);
    const reviews = new OpenReviews(agencyLog);
    if (lookupId === undefined || verdict === undefined || by === undefined) {
      await list(reviews, options.json, terminal);
      return;
    }
    const { gateway } = await agent.enrolled();
    const given = { lookupId, verdict, by };
    const report = await review({ agencyLog, reviews, keys: agent.keys, clock: Date.now }, given);
    terminal.out(`${lookupId}: ${verdict}, by ${word(by)}. It stands in the log of this agency.`);
    try {
      await gateway.reportReview(report);
    } catch (error) {
      if (!(error instanceof HitError)) throw error;
      terminal.err(
        `The gateway was not told (${error.code}: ${error.detail}). Give the same command again later.\n`,
      );
    }
  } finally {
    await agent.database.close();
  }
}

async function list(reviews: OpenReviews, json: boolean, terminal: Terminal): Promise<void> {
  const open = await reviews.list();
  if (json) {
    for (const { at, ...one } of open)
      terminal.out(JSON.stringify({ ...one, at: new Date(at).toISOString() }));
    return;
  }
  if (open.length === 0) terminal.out('No lookups wait for a review.');
  for (const { lookupId, at, professional, purpose, caseReference, persons, reason } of open)
    terminal.out(
      [
        lookupId,
        new Date(at).toISOString(),
        `by ${word(professional)}`,
        `purpose ${word(purpose)}`,
        `case ${word(caseReference)}`,
        counted(persons, 'person'),
        `because ${word(reason)}`,
      ].join('  '),
    );
}
