import { HitError } from '@hitmachine/protocol';
import type { Context, Env } from 'hono';
import type { PageRoute } from '../page-app.ts';
import { buttonLink, link } from '../parts/form.ts';
import type { Html } from '../parts/html.ts';
import { NOTHING, html } from '../parts/html.ts';
import type { Language } from '../parts/language.ts';
import { heading, message, paragraph } from '../parts/message.ts';
import type { Site } from '../site.ts';
import { isAllowed } from './reader-sessions.ts';
import {
  clearSession,
  languageOf,
  loginPaths,
  queryOf,
  readLogin,
  readSession,
  safeReturn,
  writeLogin,
  writeSession,
} from '../site.ts';

/** Words of the way in and out. */
export interface LoginTexts {
  readonly login: string;
  readonly welcome: {
    readonly title: string;
    readonly lead: string;
    readonly about: string;
    readonly loggedOut: string;
    readonly loggedOutBody: string;
    readonly leaving: string;
    readonly leavingBody: string;
    readonly leavingLink: string;
  };
}

interface LoginHooks<E extends Env> {
  readonly texts: (language: Language) => LoginTexts;
  readonly show: (
    c: Context<E>,
    page: { readonly title: string; readonly content: Html; readonly goOn?: string },
  ) => Promise<Response> | Response;
  /** Tells operators of a login that the provider did not confirm. */
  readonly failed: (c: Context<E>, error: HitError) => void;
}

/** The way in and out: the start page, the login at the identity provider, the logout. */
export function loginRoutes<E extends Env>(
  site: Site,
  { texts, show, failed }: LoginHooks<E>,
): PageRoute<E>[] {
  const paths = loginPaths(site.mount);
  return [
    {
      method: 'get',
      path: '/',
      handle(c) {
        if (isAllowed(readSession(site, c))) return c.redirect(site.start);
        const words = texts(languageOf(c));
        const content = welcomePage(words, paths.login, queryOf(c).has('logged-out'));
        return show(c, { title: words.welcome.title, content });
      },
    },
    {
      method: 'get',
      path: '/login',
      async handle(c) {
        const { url, cookie } = await site.sessions.beginLogin(safeReturn(site, c.req.query('to')));
        writeLogin(site, c, cookie);
        return c.redirect(url);
      },
    },
    {
      method: 'get',
      path: '/login/done',
      async handle(c) {
        try {
          const done = await site.sessions.finishLogin(queryOf(c).toString(), readLogin(site, c));
          writeSession(site, c, done.cookie, done.maxAgeSeconds);
          return c.redirect(done.returnTo);
        } catch (error) {
          if (error instanceof HitError) failed(c, error);
          throw error;
        }
      },
    },
    {
      method: 'post',
      path: '/logout',
      async handle(c) {
        const session = readSession(site, c);
        clearSession(site, c);
        const after = `${paths.home}?logged-out`;
        if (session === undefined) return c.redirect(after, 303);
        const url = await site.sessions.endSession(session);
        if (url === undefined) return c.redirect(after, 303);
        // Not a redirect: browsers apply `form-action` to where a form is led on to.
        const { welcome } = texts(languageOf(c));
        return show(c, { title: welcome.leaving, content: leavingPage(welcome, url), goOn: url });
      },
    },
  ];
}

/** What somebody sees who is not logged in. */
const welcomePage = ({ login, welcome }: LoginTexts, loginPath: string, loggedOut: boolean): Html => html`
  ${heading(1, welcome.title)}
  ${loggedOut ? message('ok', welcome.loggedOut, welcome.loggedOutBody) : NOTHING}
  ${paragraph(welcome.lead, 'lead')} ${paragraph(welcome.about)}
  <div class="utrecht-button-group hit-buttons">${buttonLink(login, loginPath, 'primary')}</div>
`;

/** Shown for a moment, on the way to the identity provider. */
const leavingPage = (welcome: LoginTexts['welcome'], url: string): Html => html`
  ${heading(1, welcome.leaving)} ${paragraph(welcome.leavingBody)}
  ${paragraph(link(welcome.leavingLink, url))}
`;
