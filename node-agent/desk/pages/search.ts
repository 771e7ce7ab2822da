import type { Html } from '@hitmachine/web';
import {
  NOTHING,
  button,
  buttonLink,
  checkbox,
  dataTable,
  heading,
  html,
  link,
  message,
  numberText,
  paging,
  paragraph,
  selectField,
  textField,
} from '@hitmachine/web';
import type { LogRecord } from '../../src/domain/own-log/log-records.ts';
import { PATHS, entryPath } from '../paths.ts';
import type { Wording } from '../record-text.ts';
import { statusBadge, summaryOf, whenOf, whoOf } from '../record-text.ts';
import type { SearchField, SearchForm } from '../search-form.ts';
import { DIRECTIONS, STATUSES } from '../search-form.ts';

/** Entries on one page. */
export const PAGE_SIZE = 50;

export interface SearchPage {
  readonly form: SearchForm;
  /** Undefined when the form has mistakes, so that nothing was looked for. `records` newest first. */
  readonly result: { readonly records: readonly LogRecord[]; readonly count: number } | undefined;
  readonly agencies: readonly string[];
  readonly purposes: readonly string[];
  readonly exportPath: (format: 'csv' | 'ndjson') => string;
}

export function searchPage(page: SearchPage, wording: Wording): Html {
  const { search } = wording.texts;
  return html`
    ${heading(1, search.title)}
    ${page.form.mistakes.size > 0 ? message('error', search.mistakes, search.mistakesBody) : NOTHING}
    ${form(page, wording)} ${page.result === undefined ? NOTHING : results(page, page.result, wording)}
  `;
}

/** Sent as a body: names of professionals stand in no address. */
function form({ form: { values, mistakes }, agencies, purposes }: SearchPage, wording: Wording): Html {
  const { texts, names } = wording;
  const { search } = texts;
  const field = (name: SearchField) => {
    const mistake = mistakes.get(name);
    return { name, value: values[name], mistake: mistake && search.mistake[mistake] };
  };
  const chosen = values.purpose === '' || purposes.includes(values.purpose) ? [] : [values.purpose];
  return html`<form class="hit-form" method="post" action="${PATHS.search}" aria-label="${search.filters}">
    <div class="hit-fields">
      ${textField({ ...field('from'), label: search.from, type: 'datetime-local' })}
      ${textField({ ...field('to'), label: search.to, type: 'datetime-local' })}
      ${selectField({
        ...field('direction'),
        label: search.direction,
        choices: [
          { value: '', text: search.anyDirection },
          ...DIRECTIONS.map((value) => ({ value, text: search.directions[value] })),
        ],
      })}
      ${textField({ ...field('professional'), label: search.professional })}
      ${textField({ ...field('caseReference'), label: search.caseReference })}
      ${textField({ ...field('agency'), label: search.agency, suggestions: agencies })}
      ${selectField({
        ...field('purpose'),
        label: search.purpose,
        choices: [
          { value: '', text: search.anyPurpose },
          ...[...purposes, ...chosen].map((value) => ({ value, text: names.purpose(value) })),
        ],
      })}
      ${selectField({
        ...field('status'),
        label: search.status,
        choices: [
          { value: '', text: search.anyStatus },
          ...STATUSES.map((value) => ({ value, text: texts.statuses[value] })),
        ],
      })}
      ${textField({ ...field('lookupId'), label: search.lookupId })}
    </div>
    <div class="hit-checks">
      ${checkbox({ name: 'readings', label: search.readings, on: values.readings !== '' })}
    </div>
    <div class="utrecht-button-group hit-buttons">
      ${button(search.submit)} ${buttonLink(search.reset, PATHS.search)}
    </div>
  </form>`;
}

function results(
  { form: { values, before }, exportPath }: SearchPage,
  { records, count }: NonNullable<SearchPage['result']>,
  wording: Wording,
): Html {
  const { language, texts } = wording;
  const { search } = texts;
  if (records.length === 0 && before === undefined) return message('info', search.none, search.noneBody);
  const last = records.at(-1);
  const shown =
    before === undefined
      ? count > records.length
        ? search.shown(records.length)
        : NOTHING
      : search.shownOlder(before);
  return html`
    ${
      records.some(({ kind }) => kind === 'unreadable')
        ? message(
            'error',
            search.unreadable,
            html`${search.unreadableBody} ${link(texts.pages.check, PATHS.check)}`,
          )
        : NOTHING
    }
    <section aria-labelledby="results">
      <h2 class="utrecht-heading-2" id="results">${search.results}</h2>
      ${paragraph(html`<strong>${search.count(numberText(language, count))}</strong>. ${shown}`)}
      ${recordTable(search.results, records, wording)}
      ${paging({
        label: search.paging,
        newest: { text: search.newest, href: before === undefined ? undefined : wording.searchPath(values) },
        older: {
          text: search.older,
          href:
            last === undefined || records.length < PAGE_SIZE
              ? undefined
              : wording.searchPath(values, last.sequence),
        },
      })}
    </section>
    <section aria-labelledby="export">
      <h2 class="utrecht-heading-2" id="export">${texts.export.title}</h2>
      ${paragraph(texts.export.lead)}
      <div class="utrecht-button-group hit-buttons">
        ${buttonLink(texts.export.csv, exportPath('csv'))}
        ${buttonLink(texts.export.ndjson, exportPath('ndjson'))}
      </div>
    </section>
  `;
}

function recordTable(caption: string, records: readonly LogRecord[], wording: Wording): Html {
  const { language, texts } = wording;
  const { columns } = texts.search;
  return dataTable({
    caption,
    quiet: true,
    columns: [
      { head: columns.sequence, numeric: true },
      ...[columns.time, columns.direction, columns.who, columns.what, columns.status].map((head) => ({
        head,
      })),
    ],
    rows: records.map((record) => [
      link(numberText(language, record.sequence), entryPath(record.sequence)),
      html`<span class="hit-time">${whenOf(record, language)}</span>`,
      texts.kinds[record.kind],
      whoOf(record, wording),
      summaryOf(record, wording),
      statusBadge(record, texts),
    ]),
  });
}
