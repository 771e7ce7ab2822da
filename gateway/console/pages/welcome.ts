import { buttonLink, link } from '../parts/form.ts';
import type { Html } from '../parts/html.ts';
import { NOTHING, html } from '../parts/html.ts';
import { heading, message, paragraph } from '../parts/message.ts';
import { PATHS } from '../paths.ts';
import type { Texts } from '../texts/nl.ts';

/** What somebody sees who is not logged in. */
export const welcomePage = (texts: Texts, loggedOut: boolean): Html => html`
  ${heading(1, texts.welcome.title)}
  ${loggedOut ? message('ok', texts.welcome.loggedOut, texts.welcome.loggedOutBody) : NOTHING}
  ${paragraph(texts.welcome.lead, 'lead')} ${paragraph(texts.welcome.about)}
  <div class="utrecht-button-group hit-buttons">${buttonLink(texts.login, PATHS.login, 'primary')}</div>
`;

/** Shown for a moment, on the way to the identity provider. */
export const leavingPage = (texts: Texts, url: string): Html => html`
  ${heading(1, texts.welcome.leaving)} ${paragraph(texts.welcome.leavingBody)}
  ${paragraph(link(texts.welcome.leavingLink, url))}
`;
