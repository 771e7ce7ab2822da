import type { Html } from './html.ts';
import { html } from './html.ts';

/** A drawing and its values side by side, under one heading. */
export const illustrated = (id: string, title: string, drawing: Html, table: Html): Html =>
  html`<section aria-labelledby="${id}" class="hit-figure">
    <h2 class="utrecht-heading-2" id="${id}">${title}</h2>
    <div class="hit-figure-parts">${drawing}${table}</div>
  </section>`;

/** Numbers that matter most, each with its words. */
export const tiles = (values: readonly (readonly [value: string, text: string])[]): Html =>
  html`<ul class="hit-tiles" role="list">
    ${values.map(
      ([value, text]) => html`<li class="hit-tile"><span class="hit-tile-value">${value}</span> ${text}</li>`,
    )}
  </ul>`;
