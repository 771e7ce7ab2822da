import { HitError } from '@hitmachine/protocol';
import type { Context, Env } from 'hono';
import { Hono } from 'hono';
import type { Asset } from './assets.ts';
import type { Site } from './site.ts';
import { keepLanguage, requireSameOrigin } from './site.ts';

/** Nothing is loaded from elsewhere; the drawings in the style sheets of the components are in line. */
const POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/** For pages that a script of their own makes easier; it talks to nobody else. */
const WITH_SCRIPT = `${POLICY}; script-src 'self'; connect-src 'self'`;
/** Headers of the pages. */
const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  // A form must tell where it comes from: with `no-referrer` its origin would be hidden as well.
  'Referrer-Policy': 'same-origin',
};
const FOREVER = 'public, max-age=31536000, immutable';

export interface PageRoute<E extends Env> {
  /** Below the place where the site is mounted; `:name` is a parameter. */
  readonly path: string;
  readonly method: 'get' | 'post';
  readonly handle: (c: Context<E>) => Promise<Response> | Response;
}

interface PageHooks<E extends Env> {
  /** Called with the pattern of the route before it is handled. */
  readonly called?: (c: Context<E>, route: string) => void;
  /** Puts an error in the words of a page. */
  readonly failed: (c: Context<E>, error: unknown) => Promise<Response> | Response;
  /** Whether scripts among the files may run; none runs otherwise. */
  readonly scripts?: boolean;
}

/** The pages of a site and the files that they need, to be mounted at its place. */
export function pageApp<E extends Env>(
  site: Site,
  assets: ReadonlyMap<string, Asset>,
  routes: readonly PageRoute<E>[],
  { called, failed, scripts = false }: PageHooks<E>,
): Hono<E> {
  const app = new Hono<E>();
  app.use(async (c, next) => {
    keepLanguage(site, c);
    await next();
    c.res.headers.set('Content-Security-Policy', scripts ? WITH_SCRIPT : POLICY);
    for (const [name, value] of Object.entries(PAGE_HEADERS)) c.res.headers.set(name, value);
  });
  const asset: PageRoute<E> = {
    method: 'get',
    path: '/assets/:version/:name',
    handle: (c) => sendAsset(assets, c),
  };
  for (const { path, method, handle } of [...routes, asset])
    app.on(method, path, (c) => {
      called?.(c, `${method.toUpperCase()} ${site.mount}${path}`);
      if (method === 'post') requireSameOrigin(site, c);
      return handle(c);
    });
  app.all('*', () => {
    throw new HitError('not-found');
  });
  app.onError((error, c) => failed(c, error));
  return app;
}

function sendAsset(assets: ReadonlyMap<string, Asset>, c: Context): Response {
  const asset = assets.get(c.req.param('name') ?? '');
  if (asset === undefined || asset.version !== c.req.param('version')) throw new HitError('not-found');
  const zipped = /\bgzip\b/.test(c.req.header('accept-encoding') ?? '');
  c.header('Content-Type', asset.type);
  c.header('Cache-Control', FOREVER);
  c.header('Vary', 'Accept-Encoding');
  if (zipped) c.header('Content-Encoding', 'gzip');
  return c.body(zipped ? asset.gzipped : asset.content);
}
