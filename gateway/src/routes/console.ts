import { HitError, problemOf } from '@hitmachine/protocol';
import { Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Asset } from '../../console/assets.ts';
import { readAssets } from '../../console/assets.ts';
import { framed } from '../../console/page.ts';
import { problemKindOf, problemPage } from '../../console/pages/problem.ts';
import { CONSOLE } from '../../console/paths.ts';
import { textsOf } from '../../console/texts/index.ts';
import type { ConsoleRoute, Show } from './console-context.ts';
import { languageOf } from './console-context.ts';
import { exportRoutes } from './console-export.ts';
import { loginRoutes } from './console-login.ts';
import { readingRoutes } from './console-reading.ts';
import { keepLanguage, readSession } from './console-session.ts';
import type { ConsoleDeps, GatewayContext, GatewayDeps, GatewayEnv } from './context.ts';

/**
 * Headers of the pages. Nothing is loaded from elsewhere and no script runs; the drawings in the style sheets of the
 * components are in line.
 */
const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  // A form must tell where it comes from: with `no-referrer` its origin would be hidden as well.
  'Referrer-Policy': 'same-origin',
};
const FOREVER = 'public, max-age=31536000, immutable';

/** The auditors' pages, to be mounted at {@link CONSOLE}. Errors come as pages. */
export function consoleRoutes(deps: GatewayDeps, console: ConsoleDeps): Hono<GatewayEnv> {
  const app = new Hono<GatewayEnv>();
  const assets = readAssets();
  const show = pageWriter(deps, console, assets);
  app.use(async (c, next) => {
    keepLanguage(console, c);
    await next();
    for (const [name, value] of Object.entries(PAGE_HEADERS)) c.res.headers.set(name, value);
  });
  const context = { deps, console, show };
  const routes = [
    ...loginRoutes(context),
    ...readingRoutes(context),
    ...exportRoutes(context),
    assetRoute(assets),
  ];
  for (const { path, method, handle } of routes)
    app.on(method, path, (c) => {
      c.set('route', `${method.toUpperCase()} ${CONSOLE}${path}`);
      if (method === 'post') requireSameOrigin(c, console.baseUrl);
      return handle(c);
    });
  app.all('*', () => {
    throw new HitError('not-found');
  });
  app.onError((error, c) => showProblem(deps, console, show, c, error));
  return app;
}

function pageWriter(deps: GatewayDeps, console: ConsoleDeps, assets: ReadonlyMap<string, Asset>): Show {
  const stylesheets = [...assets].map(([name, { version }]) => `${CONSOLE}/assets/${version}/${name}`);
  return (c, { title, content, goOn }, status = 200) => {
    const session = readSession(console, c);
    const name = session?.name ?? session?.subject ?? '';
    const frame = {
      language: languageOf(c),
      title,
      federation: deps.roster.current.roster.federation,
      address: c.req.method === 'GET' ? new URL(c.req.url) : undefined,
      stylesheets,
      // Somebody who is on the way out has no session any more.
      reader: session === undefined || goOn !== undefined ? undefined : { name, auditor: session.auditor },
      goOn,
    };
    return c.html(framed(frame, content), status);
  };
}

/** A browser says where a form comes from; one on another site must not act for the reader. */
function requireSameOrigin(c: GatewayContext, baseUrl: string): void {
  if (c.req.header('origin') !== baseUrl)
    throw new HitError('field-invalid', `origin: only forms of ${baseUrl} itself are taken`);
}

function assetRoute(assets: ReadonlyMap<string, Asset>): ConsoleRoute {
  return {
    method: 'get',
    path: '/assets/:version/:name',
    handle(c) {
      const asset = assets.get(c.req.param('name') ?? '');
      if (asset === undefined || asset.version !== c.req.param('version')) throw new HitError('not-found');
      const zipped = /\bgzip\b/.test(c.req.header('accept-encoding') ?? '');
      c.header('Content-Type', asset.type);
      c.header('Cache-Control', FOREVER);
      c.header('Vary', 'Accept-Encoding');
      if (zipped) c.header('Content-Encoding', 'gzip');
      return c.body(zipped ? asset.gzipped : asset.content);
    },
  };
}

function showProblem(
  deps: GatewayDeps,
  console: ConsoleDeps,
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
  const loggedIn = readSession(console, c)?.auditor === true;
  const content = problemPage(texts, kind, { requestId, loggedIn });
  return show(c, { title: texts.problems[kind].title, content }, status as ContentfulStatusCode);
}
