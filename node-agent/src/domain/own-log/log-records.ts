import { setImmediate } from 'node:timers/promises';
import { AGENCY_LOG_START, HitError, encodeBase64, hexToBytes } from '@hitmachine/protocol';
import type {
  AccessRefusedDetail,
  AgencyEvent,
  AgencyLog,
  AnsweredDetail,
  AskingDetail,
  ContentRemovedDetail,
  LogRow,
  OpenedDetail,
  ReadDetail,
  ReviewedDetail,
  SignalDetail,
} from '../../ports/agency-log.ts';
import { nodesOf } from './reconciliation.ts';

type AskedDetail = Extract<AgencyEvent, { event: 'asked' }>['detail'];

/** Counts of one register's outcomes over the persons of a lookup, by status. */
export type OutcomeCounts = Readonly<Record<string, number>>;

/** A lookup that this agency asked: the entries about it in its log, put together. */
export interface AskedRecord {
  readonly kind: 'asked';
  readonly detail: AskingDetail;
  /** The gateway's name for it; undefined when it was never opened. */
  readonly lookupId: string | undefined;
  /** The agencies that were asked. */
  readonly nodes: readonly string[];
  /** By register (`agency/register`); undefined while it runs, when the agent was stopped meanwhile, or when they were removed. */
  readonly outcomes: Readonly<Record<string, OutcomeCounts>> | undefined;
  /** Whether the outcomes were kept as long as the purpose allows. */
  readonly outcomesRemoved: boolean;
  readonly answeredFrom: AskedDetail['answeredFrom'];
  readonly status: 'complete' | 'incomplete' | 'failed' | 'unfinished';
  /** Code of what went wrong. */
  readonly failure: string | undefined;
}

/** What a privacy officer reads the agency's own log as. */
export type LogRecord = { readonly sequence: number; readonly at: number } & (
  | AskedRecord
  | {
      readonly kind: 'answered' | 'refused';
      readonly lookupId: string;
      readonly detail: AnsweredDetail & { readonly reason?: string };
    }
  | { readonly kind: 'signal'; readonly detail: SignalDetail }
  | { readonly kind: 'reviewed'; readonly detail: ReviewedDetail }
  | { readonly kind: 'log-read'; readonly detail: ReadDetail }
  | { readonly kind: 'access-refused'; readonly detail: AccessRefusedDetail }
  | { readonly kind: 'content-removed'; readonly detail: ContentRemovedDetail }
  /** Its content was kept as long as it may be; of its time the day is left. */
  | { readonly kind: 'removed' }
  /** It does not open: it, or the one in front of it, was changed. */
  | { readonly kind: 'unreadable' }
);

/** The log as far as it is read here. */
export type ReadableLog = Pick<AgencyLog, 'rows' | 'open' | 'head'>;

/** Milliseconds after which what a lookup came to is in the log, unless the agent was stopped. */
export const LOOKUP_MS = 15 * 60_000;
/** Entries that are read at once, between which others get their turn. */
const PAGE = 200;

/**
 * The records of a time, in order: `from` inclusive, `to` exclusive, milliseconds since 1970. Entries outside are not
 * opened. Never rejects because of an entry that was tampered with.
 */
export async function recordsBetween(log: ReadableLog, from: number, to: number): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  /** Where the record of a lookup that this agency asks stands in the list. */
  const asked = new Map<string, number>();
  let { sequence, chain } = await startOf(log, from);
  for (let rows = await log.rows(sequence, PAGE); rows.length > 0; rows = await log.rows(sequence, PAGE)) {
    for (const row of rows) {
      if (row.at >= to + LOOKUP_MS) return records;
      await take(log, row, chain, { records, asked, inside: row.at < to });
      ({ sequence, chain } = row);
    }
    await setImmediate();
  }
  return records;
}

/** The record that an entry belongs to, with the entries that complete it. Undefined when there is no such entry. */
export async function recordAt(log: ReadableLog, sequence: number): Promise<LogRecord | undefined> {
  const [row] = sequence < 1 ? [] : await log.rows(sequence - 1, 1);
  if (row?.sequence !== sequence) return undefined;
  const own = row.content?.event === 'opened' || row.content?.event === 'asked';
  const near = await recordsBetween(log, row.at - (own ? LOOKUP_MS : 0), row.at + 1);
  const key = row.content?.lookupKey;
  const itself = near.find((record) => record.sequence === sequence);
  if (itself !== undefined) return itself;
  for (const record of near)
    if (record.kind === 'asked' && (await keyOf(log, record.sequence)) === key) return record;
  return withoutBeginning(log, row);
}

/** An entry that goes on with a lookup whose first entry was removed, or does not open. */
const withoutBeginning = async (log: ReadableLog, { sequence, at }: LogRow): Promise<LogRecord> => ({
  sequence,
  at,
  kind: (await log.rows(0, 1))[0]?.content === undefined ? 'removed' : 'unreadable',
});

const keyOf = async (log: ReadableLog, sequence: number): Promise<string | undefined> =>
  (await log.rows(sequence - 1, 1))[0]?.content?.lookupKey;

/** What stands in front of the first entry of a time; times never go back. */
async function startOf(log: ReadableLog, from: number): Promise<Pick<LogRow, 'sequence' | 'chain'>> {
  let [low, high] = [0, (await log.head()).sequence];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [row] = await log.rows(middle, 1);
    if (row !== undefined && row.at < from) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return AGENCY_LOG_START;
  const [row] = await log.rows(low - 1, 1);
  return row ?? { sequence: low, chain: AGENCY_LOG_START.chain };
}

interface Taken {
  readonly records: LogRecord[];
  readonly asked: Map<string, number>;
  /** Whether the entry itself lies in the time, or only what it says of one that does. */
  readonly inside: boolean;
}

async function take(
  log: ReadableLog,
  row: LogRow,
  previous: Uint8Array,
  { records, asked, inside }: Taken,
): Promise<void> {
  const { sequence, at, content } = row;
  if (content === undefined) {
    if (inside) records.push({ sequence, at, kind: 'removed' });
    return;
  }
  const { event, lookupKey } = content;
  const place = asked.get(lookupKey);
  const completes = event === 'opened' || event === 'asked';
  if (completes ? place === undefined : !inside) return;
  const detail = await opened(log, content, previous);
  if (detail === undefined) {
    if (inside) records.push({ sequence, at, kind: 'unreadable' });
    return;
  }
  if (place !== undefined && completes) {
    const record = records[place] as LogRecord & AskedRecord;
    records[place] =
      event === 'opened' ? withName(record, detail as OpenedDetail) : withEnd(record, detail as AskedDetail);
    return;
  }
  if (event === 'asking') asked.set(lookupKey, records.length);
  records.push({ sequence, at, ...bodyOf(event, lookupKey, detail) } as LogRecord);
}

/** The details of an entry; undefined when it does not open. */
async function opened(
  log: ReadableLog,
  content: LogRow['content'] & {},
  previous: Uint8Array,
): Promise<unknown> {
  try {
    return (await log.open(content, previous)).detail;
  } catch (error) {
    if (error instanceof HitError) return undefined;
    throw error;
  }
}

/** An entry that opens was written by this agent itself, so it is as it was written. */
function bodyOf(event: string, lookupKey: string, detail: unknown): object {
  switch (event) {
    case 'asking': {
      const asking = detail as AskingDetail;
      return {
        kind: 'asked',
        detail: asking,
        lookupId: undefined,
        nodes: nodesOf(asking.registers),
        outcomes: undefined,
        outcomesRemoved: false,
        answeredFrom: undefined,
        status: 'unfinished',
        failure: undefined,
      } satisfies AskedRecord;
    }
    case 'answered':
    case 'refused':
      return { kind: event, lookupId: encodeBase64(hexToBytes(lookupKey)), detail };
    case 'signal':
    case 'reviewed':
    case 'log-read':
    case 'access-refused':
    case 'content-removed':
      return { kind: event, detail };
    default:
      return { kind: 'unreadable' };
  }
}

const withName = (record: LogRecord & AskedRecord, { lookupId, nodes }: OpenedDetail): LogRecord => ({
  ...record,
  lookupId,
  nodes,
});

function withEnd(
  record: LogRecord & AskedRecord,
  { lookupId, outcomes, answeredFrom, failure, complete, outcomesRemoved }: AskedDetail,
): LogRecord {
  const counts: Record<string, Record<string, number>> = {};
  for (const person of outcomes)
    for (const [register, outcome] of Object.entries(person)) {
      const of = (counts[register] ??= {});
      of[outcome] = (of[outcome] ?? 0) + 1;
    }
  const answered =
    complete ??
    record.detail.registers.every((register) =>
      outcomes.every((person) => ['known', 'not-known'].includes(person[register] ?? '')),
    );
  const status = failure !== undefined ? 'failed' : answered ? 'complete' : 'incomplete';
  return {
    ...record,
    lookupId: lookupId ?? record.lookupId,
    outcomes: outcomesRemoved === true ? undefined : counts,
    outcomesRemoved: outcomesRemoved === true,
    answeredFrom,
    failure,
    status,
  };
}
