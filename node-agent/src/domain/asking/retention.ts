import { setImmediate } from 'node:timers/promises';
import type { AgencyLog } from '../../ports/agency-log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { OperationalLog } from '../../ports/operational-log.ts';

const DAY_MS = 86_400_000;

/** Entries whose content is removed in one step, in which nothing is answered. */
const AT_ONCE = 1_000;

interface RetentionDeps {
  readonly agencyLog: AgencyLog;
  readonly retentionDays: number;
  readonly clock: Clock;
  readonly log: OperationalLog;
}

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/**
 * Removes, once a day (UTC) however often it is called, what the agency's own log has kept for `retentionDays`, and the
 * persons asked about likewise. What fails is tried again with the next call.
 */
export function dailyRetention(deps: RetentionDeps): () => Promise<void> {
  let done: string | undefined;
  return async () => {
    const today = dayOf(deps.clock());
    if (done === today) return;
    const entries = await removeOldContent(deps);
    if (entries > 0) deps.log.info({ event: 'content-removed', entries });
    done = today;
  };
}

async function removeOldContent({ agencyLog, retentionDays, clock }: RetentionDeps): Promise<number> {
  const olderThan = clock() - retentionDays * DAY_MS;
  let entries = 0;
  for (;;) {
    const removed = await agencyLog.removeContent(olderThan, AT_ONCE, clock());
    entries += removed;
    if (removed < AT_ONCE) return entries;
    await setImmediate();
  }
}

/** The day (UTC, yyyy-mm-dd) until which what is asked now is kept. */
export function keptUntil(now: number, retentionDays: number): string {
  return dayOf(now + retentionDays * DAY_MS);
}
