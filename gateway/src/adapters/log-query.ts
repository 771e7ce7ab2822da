import type { LogEntry, LogEventName } from '@hitmachine/protocol';
import { HitError, decodeEntry } from '@hitmachine/protocol';
import type { FoundEntry, LogFigure, LogFilter } from '../ports/log-search.ts';
import { searchTermsOf } from '../ports/search-terms.ts';

const DAY_MS = 86_400_000;

/** What an entry is found by: the columns of the table search_entry, which is made from the log and helps to search it. */
export const SEARCH_COLUMNS = [
  ...[
    'idx',
    'at',
    'event',
    'agency',
    'purpose',
    'professional',
    'case_commitment',
    'lookup_id',
    'node',
    'status',
  ],
  ...['persons', 'milliseconds'],
] as const;

/** Stands for the event of an entry that is damaged. */
const DAMAGED = '';

/**
 * The row of an entry, in the order of {@link SEARCH_COLUMNS}. One that is damaged has one too: whoever comes to it is
 * told, and all others can be searched.
 */
export function searchRowOf(index: number, leaf: Uint8Array): (string | number | null)[] {
  let entry: LogEntry;
  try {
    entry = decodeEntry(leaf);
  } catch {
    return [index, 0, DAMAGED, ...SEARCH_COLUMNS.slice(3).map(() => null)];
  }
  const terms = searchTermsOf(entry);
  return [
    ...[index, entry.at, entry.event, terms.agency, terms.purpose, terms.professional, terms.caseCommitment],
    ...[terms.lookupId, terms.node, terms.status, terms.persons, terms.milliseconds],
  ].map((value) => value ?? null);
}

/** A statement with its values, in order. */
export interface Query<Value> {
  readonly text: string;
  readonly values: readonly Value[];
}
type Value = string | number;
/** How the n-th value is written in a statement: `?1` in SQLite, `$1` in PostgreSQL. */
export type Placeholder = (n: number) => string;
export type Row = Readonly<Record<string, unknown>>;

/** The indices of the entries that fit, newest first. */
export function findQuery(
  placeholder: Placeholder,
  filter: LogFilter,
  before: number | undefined,
  limit: number,
): Query<Value> {
  const { values, value, where } = conditions(placeholder, filter);
  if (before !== undefined) where.push(`idx < ${value(before)}`);
  const text = `SELECT idx FROM search_entry${whereText(where)} ORDER BY idx DESC LIMIT ${value(limit)}`;
  return { text, values };
}

/** How many fit. */
export function countQuery(placeholder: Placeholder, filter: LogFilter): Query<Value> {
  const { values, where } = conditions(placeholder, filter);
  return { text: `SELECT count(*) AS entries FROM search_entry${whereText(where)}`, values };
}

/** Figures of those that fit, oldest day first. */
export function figuresQuery(placeholder: Placeholder, filter: LogFilter): Query<Value> {
  const { values, where } = conditions(placeholder, filter);
  where.push(`event <> '${DAMAGED}'`);
  const key = 'event, agency, purpose, node, status';
  const text = `SELECT at / ${DAY_MS} AS day, ${key}, count(*) AS entries,
      coalesce(sum(persons), 0) AS persons, coalesce(sum(milliseconds), 0) AS milliseconds
    FROM search_entry${whereText(where)} GROUP BY at / ${DAY_MS}, ${key} ORDER BY 1, 2, 3, 4, 5, 6`;
  return { text, values };
}

function conditions(placeholder: Placeholder, filter: LogFilter) {
  const values: Value[] = [];
  const value = (one: Value): string => placeholder(values.push(one));
  const where: string[] = [];
  const { from, to, events, lookupIds, shownTo, withoutCanaries, ...equal } = filter;
  if (from !== undefined) where.push(`at >= ${value(from)}`);
  if (to !== undefined) where.push(`at < ${value(to)}`);
  const oneOf = (column: string, wanted: readonly Value[]): string =>
    wanted.length === 0 ? '1 = 0' : `${column} IN (${wanted.map(value).join(', ')})`;
  // Lookups that are named are found by their names. Of the events there is an index too, which SQLite would rather take,
  // and behind three of them stands nearly all of the log; there is none of an expression.
  const isNamed = lookupIds !== undefined || equal.lookupId !== undefined;
  if (events !== undefined) where.push(oneOf(isNamed ? "(event || '')" : 'event', events));
  if (lookupIds !== undefined) where.push(oneOf('lookup_id', lookupIds));
  if (shownTo !== undefined)
    where.push(`CASE event WHEN 'answer' THEN node ELSE agency END = ${value(shownTo)}`);
  if (withoutCanaries === true) where.push(NO_CANARY);
  for (const [name, column] of EQUAL) {
    const wanted = equal[name];
    if (wanted !== undefined) where.push(`${column} = ${value(wanted)}`);
  }
  return { values, value, where };
}

/** An answer does not say of which kind its lookup was. */
const NO_CANARY = `event <> 'canary' AND NOT (event = 'answer' AND EXISTS
  (SELECT 1 FROM search_entry AS asked WHERE asked.lookup_id = search_entry.lookup_id AND asked.event = 'canary'))`;

const EQUAL = [
  ['agency', 'agency'],
  ['purpose', 'purpose'],
  ['professional', 'professional'],
  ['caseCommitment', 'case_commitment'],
  ['lookupId', 'lookup_id'],
  ['status', 'status'],
] as const;

function whereText(where: readonly string[]): string {
  return where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`;
}

/** An entry that was found. Throws `storage-failed` for one that the gateway cannot have written. */
export function foundEntryOf(row: Row): FoundEntry {
  const index = Number(row['idx']);
  try {
    return { index, entry: decodeEntry(row['leaf'] as Uint8Array) };
  } catch (cause) {
    throw new HitError(
      'storage-failed',
      `entry ${index} of the log is damaged: it is not what a gateway writes; export the log and check it`,
      { cause },
    );
  }
}

/** A row of figures. */
export function figureOf(row: Row): LogFigure {
  const text = (name: string): string | undefined => (row[name] as string | null) ?? undefined;
  return {
    day: new Date(Number(row['day']) * DAY_MS).toISOString().slice(0, 10),
    event: row['event'] as LogEventName,
    agency: text('agency'),
    purpose: text('purpose'),
    node: text('node'),
    status: text('status'),
    entries: Number(row['entries']),
    persons: Number(row['persons']),
    milliseconds: Number(row['milliseconds']),
  };
}
