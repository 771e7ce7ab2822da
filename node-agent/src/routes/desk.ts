import { problemOf } from '@hitmachine/protocol';
import type { ReaderSession } from '@hitmachine/web';
import {
  filesOf,
  framed,
  framedInParts,
  isAllowed,
  languageOf,
  loginRoutes,
  pageApp,
  readAssets,
  readSession,
  toLogin,
} from '@hitmachine/web';
import type { Context, Env, Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { deskFiles } from '../../desk/browser/files.ts';
import { problemKindOf, problemPage } from '../../desk/pages/problem.ts';
import { DESK, PATHS } from '../../desk/paths.ts';
import { textsOf } from '../../desk/texts/index.ts';
import type { Texts } from '../../desk/texts/nl.ts';
import type { OperationalLog } from '../ports/operational-log.ts';
import { answersRoutes } from './desk-answers.ts';
import { askingRoutes } from './desk-asking.ts';
import { batchRoutes } from './desk-batch.ts';
import type { DeskContext, DeskDeps, DeskRoute, ShownPage } from './desk-context.ts';
import { logRoutes } from './desk-log.ts';
import { ownRoutes } from './desk-own.ts';
import { reviewRoutes } from './desk-review.ts';
import { needRoutes } from './desk-reviews.ts';
import { report } from './http.ts';

/** The pages of professionals and of the privacy officer, to be mounted at {@link DESK}. Errors come as pages. */
export function deskRoutes(deps: DeskDeps, log: OperationalLog): Hono<Env> {
  const site = { mount: DESK, baseUrl: deps.baseUrl, sessions: deps.readers, start: PATHS.start };
  const assets = readAssets(deskFiles());
  const files = { stylesheets: filesOf(DESK, assets), scripts: filesOf(DESK, assets, 'js') };
  const frameOf = (c: Context, { title, goOn, kind = 'privacy', form }: Omit<ShownPage, 'content'>) => {
    const session = readSession(site, c);
    const language = languageOf(c);
    const texts = textsOf(language);
    const frame = {
      mount: DESK,
      language,
      title,
      owner: deps.service.roster.self.name,
      // What a form led to is asked for anew in another language: its page is the form.
      address: c.req.path === PATHS.logout ? undefined : new URL(c.req.url),
      ...files,
      form,
      reader:
        session === undefined || goOn !== undefined
          ? undefined
          : { name: session.name ?? session.subject, allowed: isAllowed(session) },
      pages: session === undefined ? [] : pagesFor(deps, session, kind, texts),
      goOn,
    };
    const own = kind === 'asking' ? { service: texts.askingService, footer: texts.askingFooter } : {};
    return [frame, { ...texts, ...own }] as const;
  };
  const show: DeskContext['show'] = (c, page, status = 200) =>
    c.html(framed(...frameOf(c, page), page.content), status);
  const context: DeskContext = { deps, site, show, inParts: (c, page) => framedInParts(...frameOf(c, page)) };
  const login = loginRoutes<Env>(site, {
    texts: textsOf,
    show,
    failed: (_c, { code, cause }) =>
      log.warn({ event: 'login-failed', code, reason: (cause as Error | undefined)?.message }),
  });
  const routes = [
    ...login,
    startRoute(context),
    ...askingRoutes(context),
    ...answersRoutes(context),
    ...ownRoutes(context),
    ...batchRoutes(context),
    ...logRoutes(context),
    ...reviewRoutes(context),
    ...needRoutes(context),
  ];
  return pageApp<Env>(site, assets, routes, {
    scripts: true,
    failed(c, error) {
      report(log, c.req.path, error);
      const { code, status } = problemOf(error);
      const texts = textsOf(languageOf(c));
      const kind = problemKindOf(code);
      const content = problemPage(texts, kind, isAllowed(readSession(site, c)));
      return show(c, { title: texts.problems[kind].title, content }, status as ContentfulStatusCode);
    },
  });
}

/** A professional begins with a question, a privacy officer with the log. */
function startRoute({ deps, site }: DeskContext): DeskRoute {
  return {
    method: 'get',
    path: '/start',
    handle(c) {
      const session = readSession(site, c);
      if (session === undefined) return toLogin(site, c);
      return c.redirect(deps.readers.professionalRoles(session).length > 0 ? PATHS.ask : PATHS.search);
    },
  };
}

/** Where a page leads to: those of its kind, and for who has both kinds the way to the others. */
function pagesFor(
  { readers }: DeskDeps,
  session: ReaderSession,
  kind: 'asking' | 'privacy',
  texts: Texts,
): { readonly href: string; readonly text: string }[] {
  const asks = readers.professionalRoles(session).length > 0;
  const officer = readers.isOfficer(session);
  const asking = (['ask', 'approvals', 'own', 'batch', 'askedOfUs'] as const).map((page) => ({
    href: PATHS[page],
    text: texts.askingPages[page],
  }));
  const privacy = (['search', 'figures', 'resolve', 'reviews', 'check', 'subjectAccess'] as const).map(
    (page) => ({ href: PATHS[page], text: texts.pages[page] }),
  );
  if (asks && (kind === 'asking' || !officer))
    return officer ? [...asking, { href: PATHS.search, text: texts.askingPages.privacy }] : asking;
  return asks ? [...privacy, { href: PATHS.ask, text: texts.askingPages.asking }] : privacy;
}
