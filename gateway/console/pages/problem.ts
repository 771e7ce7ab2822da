import type { ErrorCode } from '@hitmachine/protocol';
import { buttonLink } from '../parts/form.ts';
import type { Html } from '../parts/html.ts';
import { NOTHING, html } from '../parts/html.ts';
import { code, heading, paragraph } from '../parts/message.ts';
import { PATHS } from '../paths.ts';
import type { Texts } from '../texts/nl.ts';

/** Problems that have a page of their own. */
export type ProblemKind = Exclude<
  keyof Texts['problems'],
  'next' | 'requestId' | 'again' | 'toSearch' | 'home'
>;

/** The page for an error; what nobody foresaw, or what says nothing to a reader, is `internal`. */
export function problemKindOf(errorCode: ErrorCode): ProblemKind {
  switch (errorCode) {
    case 'not-allowed':
    case 'unauthorised':
    case 'not-found':
    case 'storage-failed':
    case 'not-ready':
    case 'field-invalid':
      return errorCode;
    default:
      return 'internal';
  }
}

/** An error as a page: what happened, and what the reader can do. */
export function problemPage(
  texts: Texts,
  kind: ProblemKind,
  details: { readonly requestId: string; readonly loggedIn: boolean },
): Html {
  const { title, body, next } = texts.problems[kind];
  const again = kind === 'not-allowed' || kind === 'unauthorised';
  return html`
    ${heading(1, title)} ${paragraph(body, 'lead')} ${heading(2, texts.problems.next)} ${paragraph(next)}
    <div class="utrecht-button-group hit-buttons">
      ${again ? buttonLink(texts.problems.again, PATHS.login, 'primary') : NOTHING}
      ${details.loggedIn && !again ? buttonLink(texts.problems.toSearch, PATHS.search, 'primary') : NOTHING}
      ${details.loggedIn ? NOTHING : buttonLink(texts.problems.home, PATHS.home)}
    </div>
    ${
      kind === 'internal' || kind === 'storage-failed' || kind === 'processing-log'
        ? paragraph(html`${texts.problems.requestId}: ${code(details.requestId)}`, 'small')
        : NOTHING
    }
  `;
}
