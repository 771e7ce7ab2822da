import type { LogEventName } from '@hitmachine/protocol';
import { REFUSED_EVENTS, base64Schema, slugSchema } from '@hitmachine/protocol';
import { momentOf, wallTime } from '@hitmachine/web';
import type { LogFilter } from '../src/ports/log-search.ts';
import type { Texts } from './texts/nl.ts';
import { nl } from './texts/nl.ts';

/** All events that an entry can be about. */
export const EVENTS = Object.keys(nl.events) as LogEventName[];

/** Events that are looked for together. */
export const EVENT_GROUPS = {
  lookups: ['lookup', 'canary', 'answer', 'lookup-refused'],
  refusals: REFUSED_EVENTS,
  signals: ['signal', 'signal-reported', 'review'],
  members: [
    'agency-invited',
    'invitation-revoked',
    'agency-removed',
    'enrolment',
    'registers',
    'key-change',
    'tables',
    'evaluation',
    'roster',
    'policy',
    'members',
  ],
  oversight: ['log-opened', 'witness-refused', 'log-read', 'access-refused'],
} as const satisfies Record<string, readonly LogEventName[]>;
export type EventGroup = keyof typeof EVENT_GROUPS;

/** The fields of the form, as they stand in the address of a page. */
export const SEARCH_FIELDS = [
  'from',
  'to',
  'event',
  'agency',
  'purpose',
  'status',
  'professional',
  'caseCommitment',
  'lookupId',
  'canaries',
  'readings',
] as const;
export type SearchField = (typeof SEARCH_FIELDS)[number];

/** A search as somebody filled it in. */
export interface SearchForm {
  readonly values: Readonly<Record<SearchField, string>>;
  /** What to look for; only of use when there are no mistakes. */
  readonly filter: LogFilter;
  readonly mistakes: ReadonlyMap<SearchField, keyof Texts['search']['mistake']>;
  /** Only entries with a lower index: the place in a long list. */
  readonly before: number | undefined;
}

const isGroup = (text: string): text is EventGroup => Object.hasOwn(EVENT_GROUPS, text);
const isEvent = (text: string): text is LogEventName => EVENTS.some((name) => name === text);

/** Days that are looked at unless something is filled in: a log of years takes long to count. */
const USUAL_DAYS = 30;
const DAY_MS = 86_400_000;

/**
 * Reads a search from the query of an address. Spaces around a value, as they come along when copying, are cut off. An
 * address that says nothing is a search through the last thirty days; `now` in milliseconds since 1970.
 */
export function readSearch(query: URLSearchParams, now: number): SearchForm {
  const values = Object.fromEntries(
    SEARCH_FIELDS.map((field) => [field, (query.get(field) ?? '').trim()]),
  ) as Record<SearchField, string>;
  if (SEARCH_FIELDS.every((field) => !query.has(field)))
    values.from = `${wallTime(now - USUAL_DAYS * DAY_MS).slice(0, 10)}T00:00`;
  const mistakes = new Map<SearchField, keyof Texts['search']['mistake']>();
  const check = (field: SearchField, fits: boolean, mistake: keyof Texts['search']['mistake']): void => {
    if (values[field] !== '' && !fits) mistakes.set(field, mistake);
  };
  const [from, to] = [momentOf(values.from), momentOf(values.to)];
  check('from', from !== undefined, 'time');
  check('to', to !== undefined, 'time');
  if (from !== undefined && to !== undefined && to < from) mistakes.set('to', 'order');
  check('event', isGroup(values.event) || isEvent(values.event), 'choice');
  // What is looked for is logged: a number in the place of a name could be that of a person.
  const isName = (text: string): boolean => /[a-z]/.test(text) && slugSchema.safeParse(text).success;
  check('agency', isName(values.agency), 'slug');
  check('purpose', isName(values.purpose), 'choice');
  check('status', isName(values.status), 'choice');
  check('professional', base64Schema(16).safeParse(values.professional).success, 'professional');
  check('caseCommitment', base64Schema(32).safeParse(values.caseCommitment).success, 'caseCommitment');
  check('lookupId', base64Schema(16).safeParse(values.lookupId).success, 'lookupId');
  return { values, filter: filterOf(values, from, to), mistakes, before: beforeOf(query) };
}

function filterOf(
  values: Record<SearchField, string>,
  from: number | undefined,
  to: number | undefined,
): LogFilter {
  const { agency, purpose, status, professional, caseCommitment, lookupId } = values;
  const given = Object.fromEntries(
    Object.entries({ agency, purpose, status, professional, caseCommitment, lookupId }).filter(
      ([, value]) => value !== '',
    ),
  );
  const events = eventsOf(values);
  return {
    ...given,
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(events !== undefined && { events }),
    // Who looks for one lookup, or for proof questions themselves, asks for them.
    ...(values.canaries === '' && lookupId === '' && values.event !== 'canary' && { withoutCanaries: true }),
  };
}

/** Readings of the log are left out unless they are asked for: every page that is shown adds one. */
function eventsOf({ event, readings }: Record<SearchField, string>): readonly LogEventName[] | undefined {
  if (isGroup(event)) return EVENT_GROUPS[event];
  if (isEvent(event)) return [event];
  return readings === '' ? EVENTS.filter((name) => name !== 'log-read') : undefined;
}

function beforeOf(query: URLSearchParams): number | undefined {
  const text = query.get('before') ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** The query of a search, without what is empty; with a place in the list when given. */
export function searchQuery(values: Partial<Record<SearchField, string>>, before?: number): string {
  const query = new URLSearchParams();
  for (const field of SEARCH_FIELDS) {
    const value = values[field];
    if (value !== undefined && value !== '') query.set(field, value);
  }
  if (before !== undefined) query.set('before', String(before));
  return query.toString();
}

/** A search in few words, times in UTC: what the log keeps of a reading. */
export function describeSearch({ values, filter, before }: SearchForm): string {
  const times: Partial<Record<SearchField, number | undefined>> = { from: filter.from, to: filter.to };
  const said = SEARCH_FIELDS.flatMap((field) => {
    const time = times[field];
    const value = time === undefined ? values[field] : new Date(time).toISOString();
    return value === '' ? [] : [`${field}=${value}`];
  });
  return [...said, ...(before === undefined ? [] : [`before=${before}`])].join(' ');
}
