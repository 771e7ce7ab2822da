import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { getCookie } from 'hono/cookie';
import type { Wording } from '../../console/entry-text.ts';
import { namesOf } from '../../console/names.ts';
import { LANGUAGE_FIELD } from '../../console/page.ts';
import type { Html } from '../../console/parts/html.ts';
import type { Language } from '../../console/parts/language.ts';
import { isLanguage } from '../../console/parts/language.ts';
import type { SearchForm } from '../../console/search-form.ts';
import { readSearch } from '../../console/search-form.ts';
import { textsOf } from '../../console/texts/index.ts';
import type { ConsoleDeps, GatewayContext, GatewayDeps } from './context.ts';

/** Writes a page around its content. */
export type Show = (
  c: GatewayContext,
  page: { readonly title: string; readonly content: Html; readonly goOn?: string },
  status?: ContentfulStatusCode,
) => Response | Promise<Response>;

/** What the routes of the console are made with. */
export interface ConsoleContext {
  readonly deps: GatewayDeps;
  readonly console: ConsoleDeps;
  readonly show: Show;
}

export interface ConsoleRoute {
  /** Below the place where the console is mounted; `:name` is a parameter. */
  readonly path: string;
  readonly method: 'get' | 'post';
  readonly handle: (c: GatewayContext) => Promise<Response> | Response;
}

export const LANGUAGE_COOKIE = 'hit-language';

/** The language that was chosen, now or before; Dutch otherwise. */
export function languageOf(c: GatewayContext): Language {
  const chosen = c.req.query(LANGUAGE_FIELD) ?? getCookie(c, LANGUAGE_COOKIE);
  return isLanguage(chosen) ? chosen : 'nl';
}

/** Words and names for the pages. */
export function wordingOf(deps: GatewayDeps, c: GatewayContext): Wording {
  const language = languageOf(c);
  const texts = textsOf(language);
  return { language, texts, names: namesOf(deps.roster.current.roster, language, texts) };
}

export const queryOf = (c: GatewayContext): URLSearchParams => new URL(c.req.url).searchParams;

/** The search that an address asks for. */
export const searchOf = ({ deps }: Pick<ConsoleContext, 'deps'>, c: GatewayContext): SearchForm =>
  readSearch(queryOf(c), deps.runtime.now());
