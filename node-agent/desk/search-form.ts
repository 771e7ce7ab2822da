import { base64Schema, slugSchema } from '@hitmachine/protocol';
import type { CookieSeal } from '@hitmachine/web';
import { DAY_MS, momentOf, wallTime } from '@hitmachine/web';
import { z } from 'zod';
import type { LogFilter } from '../src/domain/own-log/log-filter.ts';
import type { Texts } from './texts/nl.ts';

/** The fields of the form, as they stand in the address of a page. */
const OPEN = ['from', 'to', 'direction', 'purpose', 'agency', 'status', 'lookupId', 'readings'] as const;
/** Fields that name a person: in an address they stand sealed, so that no log of a proxy and no history has them. */
const HIDDEN = ['professional', 'caseReference'] as const;
type Hidden = (typeof HIDDEN)[number];
export const SEARCH_FIELDS = [...OPEN, ...HIDDEN] as const;
export type SearchField = (typeof SEARCH_FIELDS)[number];
const SEALED_FIELD = 'who';
const SEAL_PURPOSE = 'hitmachine-v1 desk search';
const hiddenSchema = z.strictObject({ professional: z.string(), caseReference: z.string() });

export const DIRECTIONS = ['asked', 'answered', 'oversight'] as const;
export const STATUSES = ['complete', 'incomplete', 'failed', 'unfinished', 'answered', 'refused'] as const;

type Mistake = keyof Texts['search']['mistake'];

/** A search as somebody filled it in. */
export interface SearchForm {
  readonly values: Readonly<Record<SearchField, string>>;
  /** What to look for; only of use when there are no mistakes. */
  readonly filter: LogFilter;
  readonly mistakes: ReadonlyMap<SearchField, Mistake>;
  /** Only entries with a lower number: the place in a long list. */
  readonly before: number | undefined;
}

/** Days that are looked at unless something is filled in. */
const USUAL_DAYS = 30;
const MAX_TEXT = 200;

/** The values of a form that was sent, before they are put into an address. */
export const valuesOf = (form: URLSearchParams): Record<SearchField, string> =>
  Object.fromEntries(
    SEARCH_FIELDS.map((field) => [field, (form.get(field) ?? '').trim().slice(0, MAX_TEXT)]),
  ) as Record<SearchField, string>;

/** Reads a search from the query of an address. One that says nothing is a search through the last thirty days. */
export function readSearch(query: URLSearchParams, seal: CookieSeal, now: number): SearchForm {
  const hidden = seal.open(SEAL_PURPOSE, hiddenSchema, query.get(SEALED_FIELD) ?? undefined);
  const values = { ...valuesOf(query), professional: '', caseReference: '', ...hidden };
  if (hidden === undefined && SEARCH_FIELDS.every((field) => !query.has(field)))
    values.from = `${wallTime(now - USUAL_DAYS * DAY_MS).slice(0, 10)}T00:00`;
  const mistakes = new Map<SearchField, Mistake>();
  const check = (field: SearchField, fits: boolean, mistake: Mistake): void => {
    if (values[field] !== '' && !fits) mistakes.set(field, mistake);
  };
  const [from, to] = [momentOf(values.from), momentOf(values.to)];
  check('from', from !== undefined, 'time');
  check('to', to !== undefined, 'time');
  if (from !== undefined && to !== undefined && to < from) mistakes.set('to', 'order');
  const direction = DIRECTIONS.find((one) => one === values.direction);
  check('direction', direction !== undefined, 'choice');
  check(
    'status',
    STATUSES.some((one) => one === values.status),
    'choice',
  );
  check('purpose', slugSchema.safeParse(values.purpose).success, 'choice');
  check('agency', slugSchema.safeParse(values.agency).success, 'slug');
  check('lookupId', base64Schema(16).safeParse(values.lookupId).success, 'lookupId');
  const given = (field: SearchField): string | undefined =>
    values[field] === '' ? undefined : values[field];
  const filter = {
    from,
    to,
    direction,
    purpose: given('purpose'),
    agency: given('agency'),
    professional: given('professional'),
    caseReference: given('caseReference'),
    lookupId: given('lookupId'),
    status: given('status'),
    readings: values.readings !== '',
  };
  const before = query.get('before') ?? '';
  return { values, filter, mistakes, before: /^\d{1,15}$/.test(before) ? Number(before) : undefined };
}

/** The query of a search, without what is empty. */
export function searchQuery(
  values: Partial<Record<SearchField, string>>,
  seal: CookieSeal,
  before?: number,
): string {
  const query = new URLSearchParams();
  for (const field of SEARCH_FIELDS) {
    const value = values[field] ?? '';
    // An empty beginning is one that somebody chose.
    if (!isHidden(field) && (value !== '' || field === 'from')) query.set(field, value);
  }
  const { professional = '', caseReference = '' } = values;
  if (professional !== '' || caseReference !== '')
    query.set(SEALED_FIELD, seal.seal(SEAL_PURPOSE, { professional, caseReference }));
  if (before !== undefined) query.set('before', String(before));
  return query.toString();
}

const isHidden = (field: SearchField): field is Hidden => HIDDEN.some((one) => one === field);

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
