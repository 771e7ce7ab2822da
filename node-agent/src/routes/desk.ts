import { problemOf } from '@hitmachine/protocol';
import {
  framed,
  languageOf,
  loginRoutes,
  pageApp,
  readAssets,
  readSession,
  stylesheetsOf,
} from '@hitmachine/web';
import type { Env, Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { problemKindOf, problemPage } from '../../desk/pages/problem.ts';
import { DESK, PATHS } from '../../desk/paths.ts';
import { textsOf } from '../../desk/texts/index.ts';
import type { OperationalLog } from '../ports/operational-log.ts';
import type { DeskContext, DeskDeps } from './desk-context.ts';
import { logRoutes } from './desk-log.ts';
import { reviewRoutes } from './desk-review.ts';
import { needRoutes } from './desk-reviews.ts';
import { report } from './http.ts';

/** The privacy officer's pages, to be mounted at {@link DESK}. Errors come as pages. */
export function deskRoutes(deps: DeskDeps, log: OperationalLog): Hono<Env> {
  const site = { mount: DESK, baseUrl: deps.baseUrl, sessions: deps.officers, start: PATHS.search };
  const assets = readAssets();
  const stylesheets = stylesheetsOf(DESK, assets);
  const show: DeskContext['show'] = (c, { title, content, goOn }, status = 200) => {
    const session = readSession(site, c);
    const name = session?.name ?? session?.subject ?? '';
    const language = languageOf(c);
    const texts = textsOf(language);
    const frame = {
      mount: DESK,
      language,
      title,
      owner: deps.service.roster.self.name,
      // What a form led to is asked for anew in another language: its page is the form.
      address: c.req.path === PATHS.logout ? undefined : new URL(c.req.url),
      stylesheets,
      reader: session === undefined || goOn !== undefined ? undefined : { name, allowed: session.allowed },
      pages: (['search', 'figures', 'resolve', 'reviews', 'check', 'subjectAccess'] as const).map((page) => ({
        href: PATHS[page],
        text: texts.pages[page],
      })),
      goOn,
    };
    return c.html(framed(frame, texts, content), status);
  };
  const context = { deps, site, show };
  const login = loginRoutes<Env>(site, {
    texts: textsOf,
    show,
    failed: (_c, { code, cause }) =>
      log.warn({ event: 'login-failed', code, reason: (cause as Error | undefined)?.message }),
  });
  return pageApp<Env>(
    site,
    assets,
    [...login, ...logRoutes(context), ...reviewRoutes(context), ...needRoutes(context)],
    {
      failed(c, error) {
        report(log, c.req.path, error);
        const { code, status } = problemOf(error);
        const texts = textsOf(languageOf(c));
        const kind = problemKindOf(code);
        const content = problemPage(texts, kind, readSession(site, c)?.allowed === true);
        return show(c, { title: texts.problems[kind].title, content }, status as ContentfulStatusCode);
      },
    },
  );
}
