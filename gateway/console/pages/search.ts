import { GATEWAY_RULES, SIGNALS } from '@hitmachine/protocol';
import type { Html } from '@hitmachine/web';
import {
  NOTHING,
  badge,
  button,
  buttonLink,
  checkbox,
  dataTable,
  flag,
  heading,
  html,
  link,
  message,
  numberText,
  paging,
  paragraph,
  selectField,
  textField,
  timeText,
} from '@hitmachine/web';
import type { FoundEntry } from '../../src/ports/log-search.ts';
import type { Wording } from '../entry-text.ts';
import { statusOf, statusText, summaryOf } from '../entry-text.ts';
import { PATHS, entryPath, exportPath, searchPath } from '../paths.ts';
import type { EventGroup, SearchField, SearchForm } from '../search-form.ts';
import { EVENTS, EVENT_GROUPS } from '../search-form.ts';
import type { Texts } from '../texts/nl.ts';

/** Entries on one page. */
export const PAGE_SIZE = 50;

export interface SearchPage {
  readonly form: SearchForm;
  /** Undefined when the form has mistakes, so that nothing was looked for. */
  readonly result: { readonly entries: readonly FoundEntry[]; readonly count: number } | undefined;
  readonly agencies: readonly string[];
  readonly purposes: readonly string[];
  /** Whether there is a processing log to send to. */
  readonly otlp: boolean;
}

const DEEP: readonly SearchField[] = ['professional', 'caseCommitment', 'lookupId'];

export function searchPage(page: SearchPage, wording: Wording): Html {
  const { texts } = wording;
  return html`
    ${heading(1, texts.search.title)}
    ${
      page.form.mistakes.size > 0
        ? message('error', texts.search.mistakes, texts.search.mistakesBody)
        : NOTHING
    }
    ${form(page, wording)} ${page.result === undefined ? NOTHING : results(page, page.result, wording)}
  `;
}

function form({ form: { values, mistakes }, agencies, purposes }: SearchPage, wording: Wording): Html {
  const { texts, names } = wording;
  const { search } = texts;
  const field = (name: SearchField) => {
    const mistake = mistakes.get(name);
    return {
      name,
      value: values[name],
      mistake: mistake === undefined ? undefined : search.mistake[mistake],
    };
  };
  const deep = DEEP.some((name) => values[name] !== '');
  return html`<form class="hit-form" method="get" action="${PATHS.search}" aria-label="${search.filters}">
    <div class="hit-fields">
      ${textField({ ...field('from'), label: search.from, type: 'datetime-local' })}
      ${textField({ ...field('to'), label: search.to, type: 'datetime-local' })}
      ${selectField({ ...field('event'), label: search.event, choices: eventChoices(texts) })}
      ${textField({ ...field('agency'), label: search.agency, suggestions: agencies })}
      ${selectField({
        ...field('purpose'),
        label: search.purpose,
        choices: [
          { value: '', text: search.anyPurpose },
          ...withChosen(purposes, values.purpose).map((value) => ({ value, text: names.purpose(value) })),
        ],
      })}
      ${selectField({
        ...field('status'),
        label: search.status,
        choices: statusChoices(texts, values.status),
      })}
    </div>
    <details class="hit-details" ${flag('open', deep)}>
      <summary>${search.more}</summary>
      <div class="hit-fields">
        ${DEEP.map((name) =>
          textField({
            ...field(name),
            label: search[name as 'professional' | 'caseCommitment' | 'lookupId'],
          }),
        )}
      </div>
    </details>
    <div class="hit-checks">
      ${checkbox({ name: 'canaries', label: search.canaries, on: values.canaries !== '' })}
      ${checkbox({ name: 'readings', label: search.readings, on: values.readings !== '' })}
    </div>
    <div class="utrecht-button-group hit-buttons">
      ${button(search.submit)} ${buttonLink(search.reset, PATHS.search)}
    </div>
  </form>`;
}

function eventChoices(texts: Texts) {
  const groups = Object.keys(EVENT_GROUPS) as EventGroup[];
  return [
    { value: '', text: texts.eventGroups.all },
    ...groups.map((value) => ({ value, text: texts.eventGroups[value] })),
    {
      label: texts.eventGroups.each,
      options: EVENTS.map((value) => ({ value, text: texts.events[value] })),
    },
  ];
}

const ANSWERS = [
  ...['answered', 'refused', 'session-unknown', 'rejected', 'not-connected', 'timeout'],
  ...['overloaded', 'connection-lost', 'not-logged', 'abandoned'],
];
const ALARMS = ['fork', 'rollback'];
const REVIEWS = ['break-glass', 'justified', 'not-justified'];
const RULES: readonly string[] = GATEWAY_RULES.filter((rule) => !REVIEWS.includes(rule));
const GROUPED: readonly string[] = [...ANSWERS, ...ALARMS, ...RULES, ...SIGNALS, ...REVIEWS];

function statusChoices(texts: Texts, chosen: string) {
  const known = Object.keys(texts.statuses);
  const refusals = withChosen(
    known.filter((code) => !GROUPED.includes(code)),
    known.includes(chosen) ? '' : chosen,
  );
  const options = (codes: readonly string[]) =>
    codes.map((value) => ({ value, text: statusText(texts, value) }));
  return [
    { value: '', text: texts.search.anyStatus },
    { label: texts.statusGroups.answers, options: options(ANSWERS) },
    { label: texts.statusGroups.rules, options: options(RULES) },
    { label: texts.statusGroups.refusals, options: options(refusals) },
    { label: texts.statusGroups.signals, options: options(SIGNALS) },
    { label: texts.statusGroups.reviews, options: options(REVIEWS) },
    { label: texts.statusGroups.witnesses, options: options(ALARMS) },
  ];
}

/** A choice that came with the address and is not on the list stays chosen. */
const withChosen = (choices: readonly string[], chosen: string): readonly string[] =>
  chosen === '' || choices.includes(chosen) ? choices : [...choices, chosen];

function results(
  { form: { values, before }, otlp }: SearchPage,
  { entries, count }: NonNullable<SearchPage['result']>,
  wording: Wording,
): Html {
  const { language, texts } = wording;
  const { search } = texts;
  if (entries.length === 0 && before === undefined) return message('info', search.none, search.noneBody);
  const last = entries.at(-1);
  return html`
    <section aria-labelledby="results">
      <h2 class="utrecht-heading-2" id="results">${search.results}</h2>
      ${paragraph(
        html`<strong>${search.count(numberText(language, count))}</strong>.
          ${
            before === undefined
              ? count > entries.length
                ? search.shown(entries.length)
                : NOTHING
              : search.shownOlder(before)
          }`,
      )}
      ${entryTable(search.results, entries, wording)}
      ${paging({
        label: search.paging,
        newest: { text: search.newest, href: before === undefined ? undefined : searchPath(values) },
        older: {
          text: search.older,
          href:
            last === undefined || last.index === 0 || entries.length < PAGE_SIZE
              ? undefined
              : searchPath(values, last.index),
        },
      })}
    </section>
    <section aria-labelledby="export">
      <h2 class="utrecht-heading-2" id="export">${texts.export.title}</h2>
      ${paragraph(texts.export.lead)}
      <div class="utrecht-button-group hit-buttons">
        ${buttonLink(texts.export.csv, exportPath('csv', values))}
        ${buttonLink(texts.export.ndjson, exportPath('ndjson', values))}
        ${
          otlp
            ? html`<form method="post" action="${exportPath('otlp', values)}">
                ${button(texts.export.otlp, 'secondary')}
              </form>`
            : NOTHING
        }
      </div>
    </section>
  `;
}

/** Entries as a table, each with the way to its own page. */
export function entryTable(caption: string, entries: readonly FoundEntry[], wording: Wording): Html {
  const { language, texts, names } = wording;
  const { columns } = texts.search;
  return dataTable({
    caption,
    quiet: true,
    columns: [
      { head: columns.index, numeric: true },
      ...[columns.time, columns.event, columns.agency, columns.what, columns.status].map((head) => ({
        head,
      })),
    ],
    rows: entries.map(({ index, entry }) => [
      link(numberText(language, index), entryPath(index)),
      html`<span class="hit-time">${timeText(language, entry.at)}</span>`,
      texts.events[entry.event],
      'agency' in entry ? names.agency(entry.agency) : '',
      summaryOf(entry, wording),
      statusBadge(statusOf(entry), texts),
    ]),
  });
}

function statusBadge(status: string | undefined, texts: Texts): Html {
  if (status === undefined) return NOTHING;
  if (status === 'answered' || status === 'justified') return badge('ok', statusText(texts, status));
  return badge(ALARMS.includes(status) ? 'error' : 'warning', statusText(texts, status));
}
