import type { Html } from './html.ts';
import { html } from './html.ts';

export type MessageKind = 'ok' | 'info' | 'warning' | 'error';

/** Something that the reader should not miss: a heading that says what, and what to do about it. */
export const message = (kind: MessageKind, heading: string, body: Html | string): Html =>
  html`<div class="utrecht-alert utrecht-alert--${kind} hit-message">
    <div class="utrecht-alert__content">
      <div class="utrecht-alert__message">
        <h2 class="utrecht-heading-3">${heading}</h2>
        <p class="utrecht-paragraph">${body}</p>
      </div>
    </div>
  </div>`;

const BADGES: Readonly<Record<MessageKind, string>> = {
  ok: 'safe',
  info: 'neutral',
  warning: 'warning',
  error: 'danger',
};

/** A state in a word, in a table. The word says it, the colour only repeats it. */
export const badge = (kind: MessageKind, text: string): Html =>
  html`<span class="utrecht-status-badge utrecht-status-badge--${BADGES[kind]}">${text}</span>`;

/** A question, the answer to it in a word, and what that means. */
export const verdict = (kind: MessageKind, question: string, word: string, meaning: Html | string): Html =>
  html`<div class="hit-verdict hit-verdict-${kind}">
    <h3 class="utrecht-heading-3">${question}: ${badge(kind, word)}</h3>
    ${paragraph(meaning)}
  </div>`;

export const heading = (level: 1 | 2 | 3, text: Html | string): Html => {
  if (level === 1) return html`<h1 class="utrecht-heading-1">${text}</h1>`;
  if (level === 2) return html`<h2 class="utrecht-heading-2">${text}</h2>`;
  return html`<h3 class="utrecht-heading-3">${text}</h3>`;
};

export const paragraph = (text: Html | string, kind: 'normal' | 'lead' | 'small' = 'normal'): Html =>
  html`<p class="utrecht-paragraph ${kind === 'normal' ? '' : `utrecht-paragraph--${kind}`}">${text}</p>`;

/** A value that is compared or copied, never read out as a word. */
export const code = (text: string): Html => html`<code class="utrecht-code hit-code">${text}</code>`;

/** Lines as they are, in a box that a keyboard can scroll. */
export const codeBlock = (label: string, text: string): Html =>
  html`<pre
    class="utrecht-code-block hit-code-block"
    role="region"
    aria-label="${label}"
    tabindex="0"
  ><code class="utrecht-code-block__content">${text}</code></pre>`;
