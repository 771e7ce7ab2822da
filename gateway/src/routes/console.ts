import { problemOf } from '@hitmachine/protocol';
import type { Site } from '@hitmachine/web';
import {
  framed,
  isAllowed,
  languageOf,
  loginRoutes,
  pageApp,
  readAssets,
  readSession,
  filesOf,
} from '@hitmachine/web';
import type { Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { problemKindOf, problemPage } from '../../console/pages/problem.ts';
import { CONSOLE, PATHS } from '../../console/paths.ts';
import { textsOf } from '../../console/texts/index.ts';
import type { Show } from './console-context.ts';
import { exportRoutes } from './console-export.ts';
import { readingRoutes } from './console-reading.ts';
import type { ConsoleDeps, GatewayContext, GatewayDeps, GatewayEnv } from './context.ts';

/** The auditors' pages, to be mounted at {@link CONSOLE}. Errors come as pages. */
export function consoleRoutes(deps: GatewayDeps, console: ConsoleDeps): Hono<GatewayEnv> {
  const { baseUrl, auditors } = console;
  const site = { mount: CONSOLE, baseUrl, sessions: auditors, start: PATHS.search };
  const assets = readAssets();
  const show = pageWriter(deps, site, filesOf(CONSOLE, assets));
  const context = { deps, console, site, show };
  const login = loginRoutes<GatewayEnv>(site, {
    texts: textsOf,
    show,
    failed: (c, { code, cause }) =>
      deps.log.warn('login-failed', { requestId: c.get('requestId'), code, err: cause }),
  });
  return pageApp(site, assets, [...login, ...readingRoutes(context), ...exportRoutes(context)], {
    called: (c, route) => c.set('route', route),
    failed: (c, error) => showProblem(deps, site, show, c, error),
  });
}

function pageWriter(deps: GatewayDeps, site: Site, stylesheets: readonly string[]): Show {
  return (c, { title, content, goOn }, status = 200) => {
    const session = readSession(site, c);
    const name = session?.name ?? session?.subject ?? '';
    const language = languageOf(c);
    const texts = textsOf(language);
    const frame = {
      mount: CONSOLE,
      language,
      title,
      owner: deps.roster.current.roster.federation,
      address: c.req.method === 'GET' ? new URL(c.req.url) : undefined,
      stylesheets,
      // Somebody who is on the way out has no session any more.
      reader: session === undefined || goOn !== undefined ? undefined : { name, allowed: isAllowed(session) },
      pages: (['search', 'figures', 'witnesses'] as const).map((page) => ({
        href: PATHS[page],
        text: texts.pages[page],
      })),
      goOn,
    };
    return c.html(framed(frame, texts, content), status);
  };
}

function showProblem(
  deps: GatewayDeps,
  site: Site,
  show: Show,
  c: GatewayContext,
  error: unknown,
): Response | Promise<Response> {
  const { code, status } = problemOf(error);
  c.set('code', code);
  const requestId = c.get('requestId');
  if (status >= 500) deps.log.error('request-failed', { requestId, code, err: error });
  const texts = textsOf(languageOf(c));
  const kind = problemKindOf(code);
  const loggedIn = isAllowed(readSession(site, c));
  const content = problemPage(texts, kind, { requestId, loggedIn });
  return show(c, { title: texts.problems[kind].title, content }, status as ContentfulStatusCode);
}
