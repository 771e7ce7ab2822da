import type { Html } from './html.ts';
import { NOTHING, html } from './html.ts';

export interface Column {
  readonly head: string;
  /** Numbers stand to the right. */
  readonly numeric?: boolean;
}

export interface Table {
  readonly caption: string;
  readonly columns: readonly Column[];
  /** Cells; the first of a row is its head. */
  readonly rows: readonly (readonly (Html | string | number)[])[];
  /** The caption is read out, and not shown: where a heading says the same. */
  readonly quiet?: boolean;
}

/**
 * A table that scrolls sideways by itself where the screen is narrow, and that a keyboard can scroll too; read out
 * with the caption as its name.
 */
export const dataTable = ({ caption, columns, rows, quiet = false }: Table): Html => html`
  <div class="utrecht-table-container hit-table" role="region" aria-label="${caption}" tabindex="0">
    <table class="utrecht-table utrecht-table--alternate-row-color">
      <caption class="utrecht-table__caption ${quiet ? 'hit-hidden' : ''}">
        ${caption}
      </caption>
      <thead class="utrecht-table__header">
        <tr class="utrecht-table__row">
          ${columns.map(
            ({ head, numeric }) =>
              html`<th scope="col" class="utrecht-table__header-cell ${numeric === true ? 'hit-number' : ''}">
                ${head}
              </th>`,
          )}
        </tr>
      </thead>
      <tbody class="utrecht-table__body">
        ${rows.map(
          (cells, row) =>
            html`<tr class="utrecht-table__row ${row % 2 === 0 ? 'hit-even' : 'hit-odd'}">
              ${cells.map((cell, column) => tableCell(cell, column, columns))}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>
`;

function tableCell(cell: Html | string | number, column: number, columns: readonly Column[]): Html {
  const side = columns[column]?.numeric === true ? 'hit-number' : '';
  return column === 0
    ? html`<th scope="row" class="utrecht-table__cell hit-row-head ${side}">${cell}</th>`
    : html`<td class="utrecht-table__cell ${side}">${cell}</td>`;
}

/** Names with what belongs to them. A value may be more than a word. */
export const dataList = (items: readonly (readonly [name: string, value: Html | string | number])[]): Html =>
  items.length === 0
    ? NOTHING
    : html`<dl class="utrecht-data-list utrecht-data-list--rows">
        ${items.map(
          ([name, value]) =>
            html`<div class="utrecht-data-list__item">
              <dt class="utrecht-data-list__item-key">${name}</dt>
              <dd class="utrecht-data-list__item-value utrecht-data-list__item-value--html-dd">${value}</dd>
            </div>`,
        )}
      </dl>`;
