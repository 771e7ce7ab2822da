import type { Html } from './html.ts';
import { NOTHING, html } from './html.ts';

/** A series of values, one for each label of the chart. */
export interface Series {
  readonly name: string;
  readonly values: readonly number[];
  /** One of the colours, from 1; its place among the series unless told. */
  readonly colour?: number;
}

export interface Chart {
  /** Names parts of this chart on its page. */
  readonly id: string;
  readonly title: string;
  /** What it shows, in a sentence, for who does not see it. The table beside it has the values. */
  readonly description: string;
  readonly labels: readonly string[];
  readonly series: readonly Series[];
  /** How a value is written. */
  readonly format: (value: number) => string;
}

/** Colours that the style sheet has; what comes after them shares the last. */
export const MAX_SERIES = 7;

const WIDTH = 720;
const HEIGHT = 280;
const LEFT = 48;
const TOP = 12;
const BOTTOM = 28;
/** Pixels that a label below the chart takes. */
const LABEL_WIDTH = 64;
/** Lines of the background above its first. */
const MAX_LINES = 5;

const ROW = 30;
const NAME_WIDTH = 190;
const TOTAL_WIDTH = 60;
/** Letters that fit beside a bar. */
const NAME_LETTERS = 26;

/** Columns side by side, the series on top of each other: values over time. */
export function stackedColumns(chart: Chart): Html {
  const grid = gridOf(Math.max(1, ...totals(chart)));
  const top = grid.at(-1) as number;
  const [plotWidth, plotHeight] = [WIDTH - LEFT, HEIGHT - TOP - BOTTOM];
  const step = plotWidth / Math.max(1, chart.labels.length);
  const bar = Math.max(1, step * 0.8);
  const y = (value: number): number => TOP + plotHeight * (1 - value / top);
  const every = Math.max(1, Math.ceil(LABEL_WIDTH / step));
  const lines = grid.map(
    (value) =>
      html`<line class="hit-grid" x1="${LEFT}" x2="${WIDTH}" y1="${n(y(value))}" y2="${n(y(value))}" />
        <text class="hit-axis" x="${LEFT - 8}" y="${n(y(value) + 4)}" text-anchor="end">
          ${chart.format(value)}
        </text>`,
  );
  const columns = chart.labels.map((label, index) => {
    const x = LEFT + step * index + (step - bar) / 2;
    let below = 0;
    return html`${chart.series.map(({ name, values }, series) => {
      const value = values[index] ?? 0;
      if (value === 0) return NOTHING;
      below += value;
      return html`<rect
        class="hit-series-${colourOf(chart, series)}"
        x="${n(x)}"
        y="${n(y(below))}"
        width="${n(bar)}"
        height="${n((plotHeight * value) / top)}"
        ><title>${label}, ${name}: ${chart.format(value)}</title></rect
      >`;
    })}${
      index % every === 0
        ? html`<text class="hit-axis" x="${n(x + bar / 2)}" y="${HEIGHT - 8}" text-anchor="middle"
            >${label}</text
          >`
        : NOTHING
    }`;
  });
  return figure(chart, HEIGHT, html`${lines}${columns}`);
}

/** Rows under each other, the series behind each other, with the total at the end: one thing beside another. */
export function stackedRows(chart: Chart): Html {
  const sums = totals(chart);
  const most = Math.max(1, ...sums);
  const width = WIDTH - NAME_WIDTH - TOTAL_WIDTH;
  const rows = chart.labels.map((label, index) => {
    const y = TOP + ROW * index;
    let x = NAME_WIDTH;
    const bars = chart.series.map(({ name, values }, series) => {
      const value = values[index] ?? 0;
      if (value === 0) return NOTHING;
      const length = (width * value) / most;
      x += length;
      return html`<rect
        class="hit-series-${colourOf(chart, series)}"
        x="${n(x - length)}"
        y="${y}"
        width="${n(length)}"
        height="${ROW - 10}"
        ><title>${label}, ${name}: ${chart.format(value)}</title></rect
      >`;
    });
    return html`<text class="hit-axis" x="${NAME_WIDTH - 8}" y="${y + 15}" text-anchor="end">
        ${label.length > NAME_LETTERS ? `${label.slice(0, NAME_LETTERS - 1)}…` : label}
      </text>
      ${bars}
      <text class="hit-axis" x="${n(x + 6)}" y="${y + 15}">${chart.format(sums[index] ?? 0)}</text>`;
  });
  return figure(chart, TOP * 2 + ROW * chart.labels.length, html`${rows}`);
}

const figure = ({ id, title, description, series }: Chart, height: number, drawing: Html): Html => html`
  <div class="hit-chart" role="region" aria-labelledby="${id}-title" tabindex="0">
    <svg
      class="hit-chart-drawing"
      viewBox="0 0 ${WIDTH} ${height}"
      role="img"
      aria-labelledby="${id}-title ${id}-description"
    >
      <title id="${id}-title">${title}</title>
      <desc id="${id}-description">${description}</desc>
      ${drawing}
    </svg>
    ${
      series.length < 2
        ? NOTHING
        : html`<ul class="hit-legend" role="list" aria-hidden="true">
            ${series.map(
              ({ name }, index) =>
                html`<li>
                  <svg class="hit-swatch" viewBox="0 0 14 14" focusable="false">
                    <rect class="hit-series-${colourOf({ series }, index)}" width="14" height="14" />
                  </svg>
                  ${name}
                </li>`,
            )}
          </ul>`
    }
  </div>
`;

const colourOf = (chart: Pick<Chart, 'series'>, series: number): number =>
  chart.series[series]?.colour ?? Math.min(series, MAX_SERIES - 1) + 1;

const totals = ({ labels, series }: Chart): number[] =>
  labels.map((_, index) => series.reduce((sum, { values }) => sum + (values[index] ?? 0), 0));

/** Lines in the background: whole numbers, 1, 2 or 5 times a power of ten apart, the last not below the value. */
function gridOf(value: number): number[] {
  const atLeast = Math.max(1, value / MAX_LINES);
  const power = 10 ** Math.floor(Math.log10(atLeast));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= atLeast) ?? 10) * power;
  return Array.from({ length: Math.ceil(value / step) + 1 }, (_, line) => line * step);
}

/** Coordinates to a tenth of a pixel. */
const n = (value: number): number => Math.round(value * 10) / 10;
