import { z } from 'zod';
import type { Clock } from '../../ports/clock.ts';
import type { Alarm, LogStore } from '../../ports/log-store.ts';
import { ALARM_KINDS, isAboutTheLog } from '../../ports/log-store.ts';
import { owingInWords } from './log-alarms.ts';
import type { LogView } from './log-view.ts';
import type { PublishedCheckpoints } from './published-checkpoint.ts';
import type { Settling } from './settling.ts';

/** What an agent knows of the gateway's log. Times in ISO 8601, UTC. */
export const logStatusSchema = z.strictObject({
  entries: z.int().optional(),
  cosigned: z.int().optional(),
  published: z.strictObject({ entries: z.int(), at: z.string(), partners: z.int() }).optional(),
  unproved: z.int(),
  alarms: z.array(
    z.strictObject({ number: z.int(), at: z.string(), kind: z.enum(ALARM_KINDS), detail: z.string() }),
  ),
});
export type LogStatus = z.infer<typeof logStatusSchema>;

export interface WatchedLog {
  readonly view: LogView;
  readonly published: PublishedCheckpoints;
  readonly settling: Settling;
  readonly store: LogStore;
}

/** Milliseconds after which a proof that the gateway owes is worth a word, and after which it is a problem. */
const LATE_MS = 900_000;
const OVERDUE_MS = 3_600_000;

const inWords = ({ kind, detail }: Pick<Alarm, 'kind' | 'detail'>): string =>
  `${detail} (${kind}); see "hit-agent log alarms", and then "hit-agent trust log"`;

const iso = (at: number): string => new Date(at).toISOString();

export async function logStatusOf(
  { view, published, settling, store }: WatchedLog,
  clock: Clock,
): Promise<{
  readonly status: LogStatus;
  readonly problems: readonly string[];
  readonly notices: readonly string[];
}> {
  const { latest } = published;
  const alarms = await store.alarms(true);
  const { cosigned } = await store.heads();
  const [heads, lookups] = [view.unproved, await settling.waiting()];
  const { owing, doubts } = view;
  const since = Math.min(heads.since ?? Infinity, lookups.since ?? Infinity);
  const waited = clock() - since;
  const late = `the gateway owes proofs of its log since ${waited > LATE_MS ? iso(since) : ''}: that it only grows, or that lookups stand in it; ask its administrator`;
  const doubtful = `what the gateway shows of its log does not fit (${doubts} times); it is asked again, for a few minutes before it is an alarm`;
  const tooFew = published.problem();
  // An alarm that could not be stored keeps the agent from working all the same.
  const untold = view.alarm !== undefined && alarms.length === 0 ? [view.alarm] : [];
  return {
    status: {
      entries: view.newest?.size,
      cosigned: cosigned?.size,
      published: latest && { entries: latest.size, at: iso(latest.at), partners: latest.partners },
      unproved: heads.count + lookups.receipts,
      alarms: alarms.map(({ number, at, kind, detail }) => ({ number, at: iso(at), kind, detail })),
    },
    problems: [
      ...[...alarms.filter(isAboutTheLog), ...untold].map(inWords),
      ...(tooFew === undefined ? [] : [tooFew]),
      ...(owing === undefined ? [] : [owingInWords(owing)]),
      ...(owing === undefined && waited > OVERDUE_MS ? [late] : []),
    ],
    notices: [
      ...alarms.filter((alarm) => !isAboutTheLog(alarm)).map(inWords),
      ...(waited > LATE_MS && waited <= OVERDUE_MS ? [late] : []),
      ...(doubts > 0 && view.alarm === undefined ? [doubtful] : []),
    ],
  };
}
