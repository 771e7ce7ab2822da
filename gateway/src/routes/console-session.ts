import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { CONSOLE, PATHS } from '../../console/paths.ts';
import { LANGUAGE_FIELD } from '../../console/page.ts';
import { isLanguage } from '../../console/parts/language.ts';
import type { AuditorSession } from '../domain/auditors.ts';
import { LANGUAGE_COOKIE } from './console-context.ts';
import type { ConsoleDeps, GatewayContext } from './context.ts';

const SECONDS_OF_A_YEAR = 31_536_000;
/** Seconds in which a login must be finished. */
const LOGIN_SECONDS = 600;

/**
 * Names and attributes of the cookies. With https the names begin with `__Host-`: the browser then takes them from
 * this host alone, over https, so that no neighbour in the same domain can plant one.
 */
function cookieOptions({ baseUrl }: ConsoleDeps) {
  const secure = baseUrl.startsWith('https:');
  const options = { path: secure ? '/' : CONSOLE, httpOnly: true, secure, sameSite: 'Lax' } as const;
  const prefix = secure ? '__Host-' : '';
  return { session: `${prefix}hit-session`, login: `${prefix}hit-login`, options };
}

/** Who is logged in. */
export const readSession = (console: ConsoleDeps, c: GatewayContext): AuditorSession | undefined =>
  console.auditors.session(getCookie(c, cookieOptions(console).session));

export function writeSession(console: ConsoleDeps, c: GatewayContext, cookie: string, maxAge: number): void {
  const { session, login, options } = cookieOptions(console);
  setCookie(c, session, cookie, { ...options, maxAge });
  deleteCookie(c, login, options);
}

export function clearSession(console: ConsoleDeps, c: GatewayContext): void {
  const { session, options } = cookieOptions(console);
  deleteCookie(c, session, options);
}

export const readLogin = (console: ConsoleDeps, c: GatewayContext): string | undefined =>
  getCookie(c, cookieOptions(console).login);

export function writeLogin(console: ConsoleDeps, c: GatewayContext, cookie: string): void {
  const { login, options } = cookieOptions(console);
  setCookie(c, login, cookie, { ...options, maxAge: LOGIN_SECONDS });
}

/** Remembers a language that was just chosen. */
export function keepLanguage(console: ConsoleDeps, c: GatewayContext): void {
  const chosen = c.req.query(LANGUAGE_FIELD);
  if (!isLanguage(chosen)) return;
  setCookie(c, LANGUAGE_COOKIE, chosen, { ...cookieOptions(console).options, maxAge: SECONDS_OF_A_YEAR });
}

/** Where a login leads to: a page of the console, and nothing else that an address could name. */
export function safeReturn(to: string | undefined): string {
  if (to === undefined) return PATHS.search;
  const base = 'http://console.invalid';
  const url = URL.canParse(to, base) ? new URL(to, base) : undefined;
  const inside = url?.origin === base && url.pathname.startsWith(`${CONSOLE}/`);
  return inside && !url.pathname.startsWith(PATHS.login) ? `${url.pathname}${url.search}` : PATHS.search;
}
