import type { Html, PageRoute, ReaderSession, Site } from '@hitmachine/web';
import { languageOf, namesOf, readSession, toLogin } from '@hitmachine/web';
import type { Context, Env } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { PATHS, withQuery } from '../../desk/paths.ts';
import type { Wording } from '../../desk/record-text.ts';
import { searchQuery } from '../../desk/search-form.ts';
import { textsOf } from '../../desk/texts/index.ts';
import type { GatewayNotices } from '../domain/gateway-notices.ts';
import type { LookupService } from '../domain/lookup.ts';
import type { OpenReviews } from '../domain/open-reviews.ts';
import type { PrivacyOfficers } from '../domain/privacy-officers.ts';
import type { TrustedKeys } from '../domain/receipt-check.ts';
import type { AgentStatus } from '../domain/status.ts';
import type { DeskReading } from '../ports/agency-log.ts';
import type { LogStore } from '../ports/log-store.ts';
import type { ReceiptStore } from '../ports/receipt-store.ts';

/** What the privacy officer's pages stand on. */
export interface DeskDeps {
  /** Where browsers find the agent: scheme, host and port. */
  readonly baseUrl: string;
  readonly officers: PrivacyOfficers;
  readonly service: LookupService;
  readonly receipts: ReceiptStore;
  readonly logStore: LogStore;
  readonly trustedKeys: () => TrustedKeys;
  readonly status: () => Promise<AgentStatus>;
  readonly reviews: OpenReviews;
  readonly notices: GatewayNotices;
}

/** What the routes are made with. */
export interface DeskContext {
  readonly deps: DeskDeps;
  readonly site: Site;
  /** Writes a page around its content. */
  readonly show: (
    c: Context,
    page: { readonly title: string; readonly content: Html; readonly goOn?: string },
    status?: ContentfulStatusCode,
  ) => Response | Promise<Response>;
}

export type DeskRoute = PageRoute<Env>;

/** Words and names for the pages. */
export function wordingOf({ service, officers }: DeskDeps, c: Context): Wording {
  const language = languageOf(c);
  const texts = textsOf(language);
  return {
    language,
    texts,
    names: namesOf(service.roster.roster, language, texts.canary),
    searchPath: (values, before) => withQuery(PATHS.search, searchQuery(values, officers.seal, before)),
  };
}

/** Hands a page to a privacy officer; everybody else is refused, or sent to the login. */
export function forOfficer(
  { deps, site }: DeskContext,
  route: Omit<DeskRoute, 'handle'> & {
    readonly handle: (c: Context, reader: Reader) => Response | Promise<Response>;
  },
): DeskRoute {
  return {
    ...route,
    async handle(c) {
      const session = readSession(site, c);
      if (session === undefined) return toLogin(site, c);
      // Without the query, which may hold a sealed name.
      await deps.officers.requireOfficer(session, new URL(c.req.url).pathname);
      return route.handle(c, {
        session,
        note: (reading, what) => deps.officers.noteReading(session, reading, what),
      });
    },
  };
}

/** Somebody with the role. */
export interface Reader {
  readonly session: ReaderSession;
  /** Writes down what is about to be read. Rejects with `storage-failed`; nothing may be shown before it resolves. */
  note(reading: DeskReading, what: string): Promise<void>;
}

/** The fields of a form that was sent. */
export async function formOf(c: Context): Promise<URLSearchParams> {
  return new URLSearchParams(await c.req.text());
}
