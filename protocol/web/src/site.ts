import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { HitError } from '@hitmachine/protocol';
import type { Asset } from './assets.ts';
import type { ReaderSession, ReaderSessions } from './login/reader-sessions.ts';
import type { Language } from './parts/language.ts';
import { isLanguage } from './parts/language.ts';

/** Pages of a service for readers who log in. */
export interface Site {
  /** Where they are mounted: `/console`. */
  readonly mount: string;
  /** Where browsers find the service: scheme, host and port. */
  readonly baseUrl: string;
  readonly sessions: ReaderSessions;
  /** The page that a login leads to when none was asked for. */
  readonly start: string;
}

/** Name of the query field that chooses a language. */
export const LANGUAGE_FIELD = 'lang';
const LANGUAGE_COOKIE = 'hit-language';
const SECONDS_OF_A_YEAR = 31_536_000;
/** Seconds in which a login must be finished. */
const LOGIN_SECONDS = 600;

/** Addresses that every site has. */
export const loginPaths = (mount: string) => ({
  home: mount,
  login: `${mount}/login`,
  loginDone: `${mount}/login/done`,
  logout: `${mount}/logout`,
});

/**
 * Names and attributes of the cookies. With https the names begin with `__Host-`: the browser then takes them from
 * this host alone, over https, so that no neighbour in the same domain can plant one.
 */
function cookieOptions({ baseUrl, mount }: Site) {
  const secure = baseUrl.startsWith('https:');
  const options = { path: secure ? '/' : mount, httpOnly: true, secure, sameSite: 'Lax' } as const;
  const prefix = secure ? '__Host-' : '';
  return { session: `${prefix}hit-session`, login: `${prefix}hit-login`, options };
}

/** Who is logged in. */
export const readSession = (site: Site, c: Context): ReaderSession | undefined =>
  site.sessions.session(getCookie(c, cookieOptions(site).session));

export function writeSession(site: Site, c: Context, cookie: string, maxAge: number): void {
  const { session, login, options } = cookieOptions(site);
  setCookie(c, session, cookie, { ...options, maxAge });
  deleteCookie(c, login, options);
}

export function clearSession(site: Site, c: Context): void {
  const { session, options } = cookieOptions(site);
  deleteCookie(c, session, options);
}

export const readLogin = (site: Site, c: Context): string | undefined =>
  getCookie(c, cookieOptions(site).login);

export function writeLogin(site: Site, c: Context, cookie: string): void {
  const { login, options } = cookieOptions(site);
  setCookie(c, login, cookie, { ...options, maxAge: LOGIN_SECONDS });
}

/** The language that was chosen, now or before; Dutch otherwise. */
export function languageOf(c: Context): Language {
  const chosen = c.req.query(LANGUAGE_FIELD) ?? getCookie(c, LANGUAGE_COOKIE);
  return isLanguage(chosen) ? chosen : 'nl';
}

/** Remembers a language that was just chosen. */
export function keepLanguage(site: Site, c: Context): void {
  const chosen = c.req.query(LANGUAGE_FIELD);
  if (!isLanguage(chosen)) return;
  setCookie(c, LANGUAGE_COOKIE, chosen, { ...cookieOptions(site).options, maxAge: SECONDS_OF_A_YEAR });
}

export const queryOf = (c: Context): URLSearchParams => new URL(c.req.url).searchParams;

/** Where a login leads to: a page of the site, and nothing else that an address could name. */
export function safeReturn({ mount, start }: Pick<Site, 'mount' | 'start'>, to: string | undefined): string {
  if (to === undefined) return start;
  const base = 'http://site.invalid';
  const url = URL.canParse(to, base) ? new URL(to, base) : undefined;
  const inside = url?.origin === base && url.pathname.startsWith(`${mount}/`);
  return inside && !url.pathname.startsWith(loginPaths(mount).login) ? `${url.pathname}${url.search}` : start;
}

/** The way to the login for somebody who is not logged in, and then back to this page. */
export function toLogin({ mount, start }: Site, c: Context): Response {
  const { pathname, search } = new URL(c.req.url);
  const to = c.req.method === 'GET' ? `${pathname}${search}` : start;
  return c.redirect(`${loginPaths(mount).login}?${new URLSearchParams({ to }).toString()}`, 303);
}

/** A browser says where a form comes from; one on another site must not act for the reader. */
export function requireSameOrigin({ baseUrl }: Site, c: Context): void {
  if (c.req.header('origin') !== baseUrl)
    throw new HitError('field-invalid', `origin: only forms of ${baseUrl} itself are taken`);
}

/** The addresses of the files of a kind, style sheets unless told. */
export const filesOf = (
  mount: string,
  assets: ReadonlyMap<string, Asset>,
  kind: 'css' | 'js' = 'css',
): string[] =>
  [...assets]
    .filter(([name]) => name.endsWith(`.${kind}`))
    .map(([name, { version }]) => `${mount}/assets/${version}/${name}`);

/** A file to keep. */
export function download(
  c: Context,
  name: string,
  type: string,
  content: Uint8Array | ReadableStream<Uint8Array>,
): Response {
  c.header('Content-Type', type);
  c.header('Content-Disposition', `attachment; filename="${name}"`);
  return c.body(content instanceof Uint8Array ? new Uint8Array(content) : content);
}
