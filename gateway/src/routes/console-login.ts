import { HitError } from '@hitmachine/protocol';
import { PATHS } from '../../console/paths.ts';
import { leavingPage, welcomePage } from '../../console/pages/welcome.ts';
import { textsOf } from '../../console/texts/index.ts';
import type { ConsoleContext, ConsoleRoute } from './console-context.ts';
import { languageOf, queryOf } from './console-context.ts';
import {
  clearSession,
  readLogin,
  readSession,
  safeReturn,
  writeLogin,
  writeSession,
} from './console-session.ts';

/** The way in and out: the start page, the login at the identity provider, the logout. */
export function loginRoutes({ deps, console, show }: ConsoleContext): ConsoleRoute[] {
  const { auditors } = console;
  return [
    {
      method: 'get',
      path: '/',
      handle(c) {
        if (readSession(console, c)?.auditor === true) return c.redirect(PATHS.search);
        const texts = textsOf(languageOf(c));
        const content = welcomePage(texts, queryOf(c).has('logged-out'));
        return show(c, { title: texts.welcome.title, content });
      },
    },
    {
      method: 'get',
      path: '/login',
      async handle(c) {
        const { url, cookie } = await auditors.beginLogin(safeReturn(c.req.query('to')));
        writeLogin(console, c, cookie);
        return c.redirect(url);
      },
    },
    {
      method: 'get',
      path: '/login/done',
      async handle(c) {
        try {
          const done = await auditors.finishLogin(queryOf(c).toString(), readLogin(console, c));
          writeSession(console, c, done.cookie, done.maxAgeSeconds);
          return c.redirect(done.returnTo);
        } catch (error) {
          if (error instanceof HitError)
            deps.log.warn('login-failed', {
              requestId: c.get('requestId'),
              code: error.code,
              err: error.cause,
            });
          throw error;
        }
      },
    },
    {
      method: 'post',
      path: '/logout',
      async handle(c) {
        const session = readSession(console, c);
        clearSession(console, c);
        const after = `${PATHS.home}?logged-out`;
        if (session === undefined) return c.redirect(after, 303);
        const url = await auditors.endSession(session);
        if (url === undefined) return c.redirect(after, 303);
        // Not a redirect: browsers apply `form-action` to where a form is led on to.
        const texts = textsOf(languageOf(c));
        return show(c, { title: texts.welcome.leaving, content: leavingPage(texts, url), goOn: url });
      },
    },
  ];
}
