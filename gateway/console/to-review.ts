import type { LogEntry, Review } from '@hitmachine/protocol';
import { HitError, parseJson, reviewSchema, utf8ToBytes } from '@hitmachine/protocol';
import type { FoundEntry, LogSearch } from '../src/ports/log-search.ts';

type LookupEntry = Extract<LogEntry, { event: 'lookup' }>;

/** A lookup that was asked without the approval it needs, and what its agency says of it since. */
export interface UrgentLookup {
  readonly index: number;
  readonly entry: LookupEntry;
  readonly verdict: Review['verdict'] | undefined;
}

export interface ToReview {
  readonly lookups: readonly UrgentLookup[];
  /** What gateway and agencies told of professionals, newest first. */
  readonly signals: readonly FoundEntry[];
  /** True when there was more than is shown. */
  readonly cut: boolean;
}

/** Entries of each kind that are looked at. */
const MOST = 200;

/** Urgent lookups and signals of a period, the newest first. Reviews count whenever they came. */
export async function findToReview(search: LogSearch, from: number, to: number): Promise<ToReview> {
  const lookups = await search.find({ from, to, events: ['lookup'], status: 'break-glass' }, undefined, MOST);
  const signals = await search.find({ from, to, events: ['signal', 'signal-reported'] }, undefined, MOST);
  const found = await Promise.all(
    lookups.flatMap(({ index, entry }) =>
      entry.event === 'lookup'
        ? [reviewOf(search, entry).then((verdict): UrgentLookup => ({ index, entry, verdict }))]
        : [],
    ),
  );
  return { lookups: found, signals, cut: lookups.length === MOST || signals.length === MOST };
}

async function reviewOf(
  search: LogSearch,
  { agency, lookupId }: LookupEntry,
): Promise<Review['verdict'] | undefined> {
  const [review] = await search.find({ agency, lookupId, events: ['review'] }, undefined, 1);
  if (review?.entry.event !== 'review') return undefined;
  try {
    return parseJson(reviewSchema, utf8ToBytes(review.entry.body)).verdict;
  } catch (error) {
    if (error instanceof HitError) return undefined;
    throw error;
  }
}
