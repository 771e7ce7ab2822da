import { buttonLink } from './parts/form.ts';
import type { Html } from './parts/html.ts';
import { NOTHING, html } from './parts/html.ts';
import { code, heading, paragraph } from './parts/message.ts';

export interface ProblemTexts {
  readonly next: string;
  readonly requestId: string;
  readonly again: string;
  readonly toStart: string;
  readonly home: string;
}

/** An error as a page: what happened, and what the reader can do. */
export function problemPage(
  texts: ProblemTexts,
  words: { readonly title: string; readonly body: string; readonly next: string },
  details: {
    readonly loggedIn: boolean;
    /** Whether the way on is to log in again. */
    readonly again: boolean;
    readonly paths: { readonly login: string; readonly start: string; readonly home: string };
    /** Where an administrator can find out more. */
    readonly requestId: string | undefined;
  },
): Html {
  const { loggedIn, again, paths, requestId } = details;
  return html`
    ${heading(1, words.title)} ${paragraph(words.body, 'lead')} ${heading(2, texts.next)}
    ${paragraph(words.next)}
    <div class="utrecht-button-group hit-buttons">
      ${again ? buttonLink(texts.again, paths.login, 'primary') : NOTHING}
      ${loggedIn && !again ? buttonLink(texts.toStart, paths.start, 'primary') : NOTHING}
      ${loggedIn ? NOTHING : buttonLink(texts.home, paths.home)}
    </div>
    ${requestId === undefined ? NOTHING : paragraph(html`${texts.requestId}: ${code(requestId)}`, 'small')}
  `;
}
