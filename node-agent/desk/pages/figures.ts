import type { Html, PeriodForm, Series } from '@hitmachine/web';
import {
  MAX_SERIES,
  NOTHING,
  QUICK_PERIODS,
  button,
  buttonLink,
  dataTable,
  dayText,
  heading,
  html,
  illustrated,
  message,
  numberText,
  paragraph,
  quickPeriodPath,
  shortDayText,
  stackedColumns,
  textField,
  tiles,
} from '@hitmachine/web';
import type { Daily, LogFigures } from '../../src/domain/own-log/log-figures.ts';
import { PATHS } from '../paths.ts';
import type { Wording } from '../record-text.ts';
import { ruleText } from '../record-text.ts';

export interface FiguresPage {
  readonly form: PeriodForm;
  /** Undefined when the form has a mistake. */
  readonly figures: LogFigures | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export function figuresPage({ form, figures, now }: FiguresPage, wording: Wording): Html {
  const words = wording.texts.figures;
  const field = { mistake: form.mistake ? words.mistake : undefined, type: 'date' } as const;
  return html`
    ${heading(1, words.title)}
    <form class="hit-form" method="get" action="${PATHS.figures}" aria-label="${words.period}">
      <div class="hit-fields">
        ${textField({ ...field, name: 'from', label: words.from, value: form.from })}
        ${textField({ ...field, name: 'to', label: words.to, value: form.to })}
      </div>
      <div class="utrecht-button-group hit-buttons">
        ${button(words.submit)}
        ${QUICK_PERIODS.map((days) => buttonLink(words.quick(days), quickPeriodPath(PATHS.figures, days, now)))}
      </div>
      ${paragraph(words.days, 'small')}
    </form>
    ${figures === undefined ? NOTHING : everything(figures, wording)}
  `;
}

function everything(figures: LogFigures, wording: Wording): Html {
  const { language, texts, names } = wording;
  const words = texts.figures;
  const { asked, persons, answered, refused } = figures;
  if (asked + answered + refused === 0) return message('info', words.none, words.noneBody);
  const number = (value: number): string => numberText(language, value);
  return html`
    ${tiles([
      [number(asked), words.tiles.asked],
      [number(persons), words.tiles.persons],
      [number(answered), words.tiles.answered],
      [number(refused), words.tiles.refused],
    ])}
    ${overTime('by-purpose', words.byPurpose, figures.byPurpose, (code) => names.purpose(code), figures, wording)}
    ${overTime('by-asker', words.byAsker, figures.byAsker, (id) => names.agency(id), figures, wording)}
    <section aria-labelledby="refusals">
      <h2 class="utrecht-heading-2" id="refusals">${words.refusals}</h2>
      ${
        figures.refusals.length === 0
          ? paragraph(words.refusalsNone)
          : dataTable({
              caption: words.refusals,
              quiet: true,
              columns: [
                { head: words.columns.asker },
                { head: words.columns.reason },
                { head: words.columns.times, numeric: true },
              ],
              rows: figures.refusals.map(({ asker, reason, times }) => [
                names.agency(asker),
                ruleText(reason, wording),
                number(times),
              ]),
            })
      }
    </section>
  `;
}

/** A drawing over the days and its table, newest day first. */
function overTime(
  id: string,
  title: string,
  rows: readonly Daily[],
  nameOf: (name: string) => string,
  { days }: LogFigures,
  { language, texts: { figures: words } }: Wording,
): Html {
  const number = (value: number): string => numberText(language, value);
  const [first] = rows;
  if (first === undefined)
    return html`<section aria-labelledby="${id}">
      <h2 class="utrecht-heading-2" id="${id}">${title}</h2>
      ${paragraph(words.nothing)}
    </section>`;
  const shown = rows.length > MAX_SERIES ? rows.slice(0, MAX_SERIES - 1) : rows;
  const rest = rows.slice(shown.length);
  const sumAt = (of: readonly Daily[], day: number): number =>
    of.reduce((sum, { perDay }) => sum + (perDay[day] ?? 0), 0);
  const series: Series[] = shown.map(({ name, perDay }) => ({ name: nameOf(name), values: perDay }));
  if (rest.length > 0) series.push({ name: words.others, values: days.map((_, day) => sumAt(rest, day)) });
  const all = rows.reduce((sum, { total }) => sum + total, 0);
  return illustrated(
    id,
    title,
    stackedColumns({
      id: `chart-${id}`,
      title,
      description: words.description(number(all), days.length, nameOf(first.name)),
      labels: days.map((day) => shortDayText(language, day)),
      series,
      format: number,
    }),
    dataTable({
      caption: title,
      quiet: true,
      columns: [
        { head: words.columns.day },
        ...series.map(({ name }) => ({ head: name, numeric: true })),
        { head: words.columns.total, numeric: true },
      ],
      rows: days
        .map((day, index) => [
          html`<span class="hit-time">${dayText(language, day)}</span>`,
          ...series.map(({ values }) => number(values[index] ?? 0)),
          number(sumAt(rows, index)),
        ])
        .toReversed(),
    }),
  );
}
