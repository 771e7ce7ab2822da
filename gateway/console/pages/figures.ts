import type { Column, Html, PeriodForm, Series } from '@hitmachine/web';
import {
  tiles,
  illustrated,
  MAX_SERIES,
  NOTHING,
  QUICK_PERIODS,
  button,
  buttonLink,
  checkbox,
  dataTable,
  dayText,
  heading,
  html,
  message,
  numberText,
  paragraph,
  percentText,
  quickPeriodPath,
  shares,
  shortDayText,
  stackedColumns,
  stackedRows,
  textField,
} from '@hitmachine/web';
import type { Wording } from '../entry-text.ts';
import { statusText } from '../entry-text.ts';
import type { Figures } from '../figures.ts';
import { PATHS } from '../paths.ts';
import type { Signals } from '../signals.ts';
import type { ToReview } from '../to-review.ts';
import { signalSection } from './signals.ts';
import { toReviewSections } from './to-review.ts';

export interface FiguresPage {
  readonly form: PeriodForm;
  /** Undefined when the form has a mistake. */
  readonly result:
    { readonly figures: Figures; readonly signals: Signals; readonly toReview: ToReview } | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Bars of a chart that are told apart; the rest stands in the table. */
const MAX_BARS = 12;
const OUTCOMES = [
  { outcome: 'answered', colour: 1 },
  { outcome: 'refused', colour: 2 },
  { outcome: 'none', colour: 7 },
] as const;

export function figuresPage({ form, result, now }: FiguresPage, wording: Wording): Html {
  const { texts } = wording;
  return html`
    ${heading(1, texts.figures.title)} ${periodForm(form, now, wording)}
    ${result === undefined ? NOTHING : everything(result, wording)}
  `;
}

function periodForm({ from, to, canaries, mistake }: PeriodForm, now: number, { texts }: Wording): Html {
  const { figures } = texts;
  const field = { mistake: mistake ? figures.mistake : undefined, type: 'date' } as const;
  return html`<form class="hit-form" method="get" action="${PATHS.figures}" aria-label="${figures.period}">
    <div class="hit-fields">
      ${textField({ ...field, name: 'from', label: figures.from, value: from })}
      ${textField({ ...field, name: 'to', label: figures.to, value: to })}
    </div>
    <div class="hit-checks">${checkbox({ name: 'canaries', label: figures.canaries, on: canaries })}</div>
    <div class="utrecht-button-group hit-buttons">
      ${button(figures.submit)}
      ${QUICK_PERIODS.map((days) => buttonLink(figures.quick(days), quickPeriodPath(PATHS.figures, days, now)))}
    </div>
    ${paragraph(figures.days, 'small')}
  </form>`;
}

function everything(
  { figures, signals, toReview }: NonNullable<FiguresPage['result']>,
  wording: Wording,
): Html {
  const { texts } = wording;
  const empty = figures.lookups === 0 && figures.refusals === 0 && figures.asked === 0;
  return html`
    ${empty ? message('info', texts.figures.none, texts.figures.noneBody) : totals(figures, wording)}
    ${figures.lookups === 0 ? NOTHING : html`${perDay(figures, wording)} ${perPurpose(figures, wording)}`}
    ${empty ? NOTHING : html`${refusals(figures, wording)} ${nodes(figures, wording)}`}
    ${toReviewSections(toReview, wording)} ${signalSection(signals, wording)}
  `;
}

function totals(figures: Figures, { language, texts }: Wording): Html {
  const words = texts.figures.tiles;
  const share = figures.asked === 0 ? '-' : percentText(language, figures.answered / figures.asked);
  return tiles([
    [numberText(language, figures.lookups), words.lookups],
    [numberText(language, figures.persons), words.persons],
    [share, words.answered],
    [numberText(language, figures.refusals), words.refused],
  ]);
}

function perDay({ days, perDay: agencies, lookups }: Figures, wording: Wording): Html {
  const { language, texts, names } = wording;
  const { figures } = texts;
  const number = (value: number): string => numberText(language, value);
  const shown = agencies.length > MAX_SERIES ? agencies.slice(0, MAX_SERIES - 1) : agencies;
  const rest = agencies.slice(shown.length);
  const series: Series[] = shown.map(({ agency, lookups: values }) => ({
    name: names.agency(agency),
    values,
  }));
  if (rest.length > 0) series.push({ name: figures.others, values: days.map((_, day) => total(rest, day)) });
  const totals = days.map((_, day) => total(agencies, day));
  const most = Math.max(0, ...totals);
  const peak = days[totals.indexOf(most)] ?? '';
  const columns: Column[] = [
    { head: figures.columns.day },
    ...series.map(({ name }) => ({ head: name, numeric: true })),
    { head: figures.columns.total, numeric: true },
  ];
  const rows = days.map((day, index) => [
    html`<span class="hit-time">${dayText(language, day)}</span>`,
    ...series.map(({ values }) => number(values[index] ?? 0)),
    number(totals[index] ?? 0),
  ]);
  return illustrated(
    'per-day',
    figures.perDay,
    stackedColumns({
      id: 'chart-per-day',
      title: figures.perDay,
      description: figures.perDayDescription(
        number(lookups),
        days.length,
        dayText(language, peak),
        number(most),
      ),
      labels: days.map((day) => shortDayText(language, day)),
      series,
      format: number,
    }),
    dataTable({ caption: figures.perDay, quiet: true, columns, rows: rows.toReversed() }),
  );
}

const total = (agencies: Figures['perDay'], day: number): number =>
  agencies.reduce((sum, { lookups }) => sum + (lookups[day] ?? 0), 0);

function perPurpose({ perPurpose: rows }: Figures, wording: Wording): Html {
  const { language, texts, names } = wording;
  const { figures } = texts;
  const number = (value: number): string => numberText(language, value);
  const { labels, series } = shares(
    rows.map(({ agency, purpose, lookups }) => ({
      label: names.agency(agency),
      series: names.purpose(purpose),
      value: lookups,
    })),
    { labels: MAX_BARS, series: MAX_SERIES, others: figures.others },
  );
  const { columns } = figures;
  return illustrated(
    'per-purpose',
    figures.perPurpose,
    stackedRows({
      id: 'chart-per-purpose',
      title: figures.perPurpose,
      description: figures.perPurposeDescription(
        labels[0] ?? '',
        number(series.reduce((sum, { values }) => sum + (values[0] ?? 0), 0)),
      ),
      labels,
      series,
      format: number,
    }),
    dataTable({
      caption: figures.perPurpose,
      quiet: true,
      columns: [
        { head: columns.agency },
        { head: columns.purpose },
        { head: columns.lookups, numeric: true },
        { head: columns.persons, numeric: true },
      ],
      rows: rows.map(({ agency, purpose, lookups, persons }) => [
        names.agency(agency),
        names.purpose(purpose),
        number(lookups),
        number(persons),
      ]),
    }),
  );
}

function refusals({ refused }: Figures, wording: Wording): Html {
  const { language, texts, names } = wording;
  const { figures } = texts;
  if (refused.length === 0)
    return html`<section aria-labelledby="refusals">
      <h2 class="utrecht-heading-2" id="refusals">${figures.refusals}</h2>
      ${paragraph(figures.refusalsNone)}
    </section>`;
  const number = (value: number): string => numberText(language, value);
  const { labels, series } = shares(
    refused.map(({ code, agency, times }) => ({
      label: statusText(texts, code),
      series: names.agency(agency),
      value: times,
    })),
    { labels: MAX_BARS, series: MAX_SERIES, others: figures.others },
  );
  const { columns } = figures;
  return illustrated(
    'refusals',
    figures.refusals,
    stackedRows({
      id: 'chart-refusals',
      title: figures.refusals,
      description: figures.refusalsDescription(
        labels[0] ?? '',
        number(series.reduce((sum, { values }) => sum + (values[0] ?? 0), 0)),
      ),
      labels,
      series,
      format: number,
    }),
    dataTable({
      caption: figures.refusals,
      quiet: true,
      columns: [
        { head: columns.code },
        { head: columns.event },
        { head: columns.agency },
        { head: columns.times, numeric: true },
      ],
      rows: refused.map(({ code, event, agency, times }) => [
        statusText(texts, code),
        texts.events[event],
        names.agency(agency),
        number(times),
      ]),
    }),
  );
}

function nodes({ nodes: all, asked, answered }: Figures, wording: Wording): Html {
  const { language, texts, names } = wording;
  const { figures } = texts;
  if (all.length === 0)
    return html`<section aria-labelledby="nodes">
      <h2 class="utrecht-heading-2" id="nodes">${figures.nodes}</h2>
      ${paragraph(figures.nodesNone)}
    </section>`;
  const number = (value: number): string => numberText(language, value);
  const { columns } = figures;
  const shown = all.slice(0, MAX_BARS);
  return illustrated(
    'nodes',
    figures.nodes,
    stackedRows({
      id: 'chart-nodes',
      title: figures.nodes,
      description: figures.nodesDescription(all.length, percentText(language, answered / asked)),
      labels: shown.map(({ node }) => names.agency(node)),
      series: OUTCOMES.map(({ outcome, colour }) => ({
        name: columns[outcome],
        values: shown.map((node) => node[outcome]),
        colour,
      })),
      format: number,
    }),
    dataTable({
      caption: figures.nodes,
      quiet: true,
      columns: [
        { head: columns.node },
        ...[columns.answered, columns.refused, columns.none, columns.mean].map((head) => ({
          head,
          numeric: true,
        })),
      ],
      rows: all.map((node) => [
        names.agency(node.node),
        number(node.answered),
        number(node.refused),
        number(node.none),
        node.milliseconds === undefined ? '-' : number(node.milliseconds),
      ]),
    }),
  );
}
