import type { Policy } from '@hitmachine/protocol';
import { HitError, purposeOf } from '@hitmachine/protocol';
import type { AskedRecord, LogRecord, ReadableLog } from '../own-log/log-records.ts';
import { LOOKUP_MS, recordAt, recordsBetween } from '../own-log/log-records.ts';
import { canonicalName } from '../pseudonymise.ts';

const DAY_MS = 86_400_000;
/** Entries that are read at once. */
const PAGE = 50;

export type OwnRecord = Extract<LogRecord, AskedRecord>;

/** A lookup of one's own: what was asked, and per person what came out at each register, as long as that is kept. */
export interface OwnLookup {
  readonly record: OwnRecord;
  /** By `agency/register`: a status, or a status and its reason with a colon between them. */
  readonly outcomes: readonly Readonly<Record<string, string>>[] | undefined;
}

const isOf = (record: LogRecord, professional: string): record is OwnRecord =>
  record.kind === 'asked' && canonicalName(record.detail.professional) === canonicalName(professional);

/** Whether the asker may still see that it was asked: as long as the policy says for its purpose. */
function isKept(policy: Policy, { at, detail }: OwnRecord, now: number): boolean {
  const days = purposeOf(policy, detail.purpose)?.retention.lookupDays;
  return days !== undefined && at > now - days * DAY_MS;
}

/** What a professional asked in a time (milliseconds since 1970, `to` exclusive), newest first. */
export async function ownLookups(
  log: ReadableLog,
  policy: Policy,
  professional: string,
  { from, to, now }: { readonly from: number; readonly to: number; readonly now: number },
): Promise<OwnRecord[]> {
  const records = await recordsBetween(log, from, to);
  return records
    .filter((record) => isOf(record, professional))
    .filter((record) => isKept(policy, record, now))
    .reverse();
}

/** One of them. Rejects with `not-found` for one that is not there, not kept or somebody else's: nobody learns which. */
export async function ownLookup(
  log: ReadableLog,
  policy: Policy,
  professional: string,
  { sequence, now }: { readonly sequence: number; readonly now: number },
): Promise<OwnLookup> {
  const record = await recordAt(log, sequence);
  if (record === undefined || !isOf(record, professional) || !isKept(policy, record, now))
    throw new HitError('not-found');
  const outcomes = record.outcomes === undefined ? undefined : await outcomesOf(log, record);
  return { record, outcomes };
}

/** What came out per person: in the last entry about the lookup. */
async function outcomesOf(log: ReadableLog, { sequence, at }: OwnRecord): Promise<OwnLookup['outcomes']> {
  let [previous] = await log.rows(sequence - 1, 1);
  const key = previous?.content?.lookupKey;
  for (;;) {
    const rows = await log.rows(previous?.sequence ?? sequence, PAGE);
    for (const row of rows) {
      if (row.at > at + LOOKUP_MS) return undefined;
      if (row.content?.event === 'asked' && row.content.lookupKey === key && previous !== undefined) {
        const { detail } = await log.open(row.content, previous.chain);
        return (detail as { readonly outcomes: OwnLookup['outcomes'] }).outcomes;
      }
      previous = row;
    }
    if (rows.length < PAGE) return undefined;
  }
}
