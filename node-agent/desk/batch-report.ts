import type { Html, Language } from '@hitmachine/web';
import {
  csvLine,
  dataList,
  dataTable,
  dayText,
  heading,
  html,
  illustrated,
  message,
  NOTHING,
  numberText,
  paragraph,
  stackedRows,
  tiles,
} from '@hitmachine/web';
import type { BatchReport, BatchSummary, Shown } from './batch-summary.ts';
import { summaryOf } from './batch-summary.ts';
import { batchTexts as en } from './texts/en-batch.ts';
import type { BatchTexts } from './texts/nl-batch.ts';
import { batchTexts as nl } from './texts/nl-batch.ts';

export const batchTextsOf = (language: Language): BatchTexts => (language === 'nl' ? nl : en);

/** Combinations that are drawn one by one; the CSV has all. */
const MOST_COMBINATIONS = 20;
/** What stands for a number that is left out. */
const HIDDEN = '–';

interface Wording {
  readonly language: Language;
  readonly texts: BatchTexts;
  readonly nameOf: BatchReport['nameOf'];
}

/** The report as a part of a page: figures, drawings and the tables with their values. */
export function batchReport(report: BatchReport, language: Language): Html {
  const texts = batchTextsOf(language);
  const wording = { language, texts, nameOf: report.nameOf };
  const summary = summaryOf(report);
  const number = (value: Shown): string => shownText(wording, value);
  const { facts } = texts;
  return html`
    ${heading(1, texts.title)}
    ${paragraph(texts.intro(number(summary.households), number(summary.persons)), 'lead')}
    ${
      summary.households < report.households
        ? message('warning', texts.unfinished, texts.unfinishedBody)
        : NOTHING
    }
    ${summary.incomplete ? message('warning', texts.silent, texts.silentBody) : NOTHING}
    ${tiles([
      [number(summary.households), texts.tiles.households],
      [number(summary.persons), texts.tiles.persons],
      [number(summary.known), texts.tiles.known],
      [number(summary.nowhere), texts.tiles.nowhere],
    ])}
    ${numbersPart(summary, wording)} ${registersPart(summary, wording)} ${combinationsPart(summary, wording)}
    ${dataList([
      [facts.purpose, report.purpose.name],
      [facts.legalBasis, report.purpose.legalBasis],
      [facts.askedOn, dayText(language, report.askedOn)],
      [facts.of, texts.ofFile(number(summary.households), number(report.households))],
    ])}
    ${report.smallest > 1 ? paragraph(texts.small(report.smallest), 'small') : NOTHING}
  `;
}

function shownText({ language }: Pick<Wording, 'language'>, value: Shown): string {
  return value === undefined ? HIDDEN : numberText(language, value);
}

/** A cell of a table; a sign alone says nothing to who does not see it. */
const cell = (wording: Wording, value: Shown): Html | string =>
  value === undefined
    ? html`<span aria-hidden="true">${HIDDEN}</span><span class="hit-hidden">${wording.texts.hidden}</span>`
    : numberText(wording.language, value);

function numbersPart(summary: BatchSummary, wording: Wording): Html {
  const { texts } = wording;
  const named = summary.byNumber.map((row) => ({ ...row, name: kindText(row.kind, texts) }));
  // What is left out has no bar: one of length nothing would say that there is none.
  const drawn = named.flatMap(({ name, households }) =>
    households === undefined ? [] : [{ name, value: households }],
  );
  return illustrated(
    'by-number',
    texts.byNumber,
    stackedRows({
      id: 'chart-by-number',
      title: texts.byNumber,
      description: texts.byNumberDescription(
        shownText(wording, summary.households),
        shownText(wording, summary.nowhere),
      ),
      labels: drawn.map(({ name }) => name),
      series: [{ name: texts.columns.households, values: drawn.map(({ value }) => value) }],
      format: (value) => numberText(wording.language, value),
    }),
    dataTable({
      caption: texts.byNumber,
      quiet: true,
      columns: [
        { head: texts.columns.number },
        { head: texts.columns.households, numeric: true },
        { head: texts.columns.persons, numeric: true },
      ],
      rows: named.map(({ name, households, persons }) => [
        name,
        cell(wording, households),
        cell(wording, persons),
      ]),
    }),
  );
}

const kindText = (kind: BatchSummary['byNumber'][number]['kind'], texts: BatchTexts): string =>
  kind.type === 'known' ? texts.times(kind.registers) : texts[kind.type];

function registersPart({ registers }: BatchSummary, wording: Wording): Html {
  const { texts, nameOf, language } = wording;
  const [first] = registers;
  if (first === undefined) return NOTHING;
  const most = registers.reduce((a, b) => ((b.known ?? 0) > (a.known ?? 0) ? b : a), first);
  const drawn = registers.flatMap(({ name, known }) =>
    known === undefined ? [] : [{ name: nameOf(name).name, value: known }],
  );
  const { columns } = texts;
  return illustrated(
    'by-register',
    texts.byRegister,
    stackedRows({
      id: 'chart-by-register',
      title: texts.byRegister,
      description: texts.byRegisterDescription(nameOf(most.name).name),
      labels: drawn.map(({ name }) => name),
      series: [{ name: columns.known, values: drawn.map(({ value }) => value) }],
      format: (value) => numberText(language, value),
    }),
    dataTable({
      caption: texts.byRegister,
      quiet: true,
      columns: [
        { head: columns.register },
        ...[
          columns.asked,
          columns.known,
          columns.silent,
          columns.householdsAsked,
          columns.householdsKnown,
        ].map((head) => ({ head, numeric: true })),
      ],
      rows: registers.map((row) => [
        nameCell(nameOf(row.name)),
        ...[row.asked, row.known, row.silent, row.householdsAsked, row.householdsKnown].map((value) =>
          cell(wording, value),
        ),
      ]),
    }),
  );
}

/** A row for each combination with a mark below every register that is in it: who is known together. */
function combinationsPart({ combinations, registers }: BatchSummary, wording: Wording): Html {
  const { texts, nameOf } = wording;
  const title = heading(2, texts.combinations);
  if (combinations.length === 0) return html`${title}${paragraph(texts.combinationsNone)}`;
  const shown = combinations.slice(0, MOST_COMBINATIONS);
  const names = registers
    .map(({ name }) => name)
    .filter((name) => combinations.some((set) => set.registers.includes(name)));
  return html`${title}
  ${dataTable({
    caption: texts.combinations,
    quiet: true,
    columns: [
      { head: texts.columns.combination },
      ...names.map((name) => ({ head: nameOf(name).name })),
      { head: texts.columns.households, numeric: true },
    ],
    rows: shown.map(({ registers: set, households }) => [
      html`<span class="hit-time">${texts.times(set.length)}</span>`,
      ...names.map((name) => mark(set.includes(name), texts)),
      cell(wording, households),
    ]),
  })}
  ${
    combinations.length > shown.length
      ? paragraph(texts.combinationsRest(combinations.length - shown.length), 'small')
      : NOTHING
  }`;
}

const mark = (known: boolean, texts: BatchTexts): Html =>
  html`<span class="hit-mark" aria-hidden="true">${known ? '●' : '·'}</span
    ><span class="hit-hidden">${known ? texts.in : texts.out}</span>`;

/** A register, and below it the agency that has it. */
const nameCell = ({ name, agency }: ReturnType<BatchReport['nameOf']>): Html =>
  html`${name}<br /><small>${agency}</small>`;

/** All numbers as CSV: what, of which registers, households, persons. A number that is left out is empty. */
export function batchCsv(report: BatchReport, language: Language): string {
  const { columns, ...texts } = batchTextsOf(language);
  const summary = summaryOf(report);
  const lines: (string | number | undefined)[][] = [
    [texts.byNumber, columns.households, columns.persons],
    ...summary.byNumber.map(({ kind, households, persons }) => [
      kindText(kind, { columns, ...texts }),
      households,
      persons,
    ]),
    [],
    [
      columns.register,
      columns.asked,
      columns.known,
      columns.silent,
      columns.householdsAsked,
      columns.householdsKnown,
    ],
    ...summary.registers.map((row) => [
      inFull(report.nameOf(row.name)),
      row.asked,
      row.known,
      row.silent,
      row.householdsAsked,
      row.householdsKnown,
    ]),
    [],
    [columns.combination, columns.households],
    ...summary.combinations.map(({ registers, households }) => [
      registers.map((name) => inFull(report.nameOf(name))).join(' + '),
      households,
    ]),
  ];
  return `\ufeff${lines.map(csvLine).join('')}`;
}

const inFull = ({ name, agency }: ReturnType<BatchReport['nameOf']>): string => `${name} (${agency})`;
