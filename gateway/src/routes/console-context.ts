import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Html, PageRoute, Site } from '@hitmachine/web';
import { languageOf, namesOf, queryOf } from '@hitmachine/web';
import type { Wording } from '../../console/entry-text.ts';
import type { SearchForm } from '../../console/search-form.ts';
import { readSearch } from '../../console/search-form.ts';
import { textsOf } from '../../console/texts/index.ts';
import type { ConsoleDeps, GatewayContext, GatewayDeps, GatewayEnv } from './context.ts';

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
  readonly site: Site;
  readonly show: Show;
}

export type ConsoleRoute = PageRoute<GatewayEnv>;

/** Words and names for the pages. */
export function wordingOf(deps: GatewayDeps, c: GatewayContext): Wording {
  const language = languageOf(c);
  const texts = textsOf(language);
  return { language, texts, names: namesOf(deps.roster.current.roster, language, texts.events.canary) };
}

/** The search that an address asks for. */
export const searchOf = ({ deps }: Pick<ConsoleContext, 'deps'>, c: GatewayContext): SearchForm =>
  readSearch(queryOf(c), deps.runtime.now());
