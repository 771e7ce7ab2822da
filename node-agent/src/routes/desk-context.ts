import type { Policy } from '@hitmachine/protocol';
import type { Html, Language, PageFrame, PageRoute, ReaderSession, Site } from '@hitmachine/web';
import { languageOf, namesOf, readSession, toLogin } from '@hitmachine/web';
import type { Context, Env } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { PATHS, withQuery } from '../../desk/paths.ts';
import type { Wording } from '../../desk/record-text.ts';
import { searchQuery } from '../../desk/search-form.ts';
import { textsOf } from '../../desk/texts/index.ts';
import type { householdsOf } from '../domain/desk/batch-input.ts';
import type { DeskBatches } from '../domain/desk/desk-batches.ts';
import type { DeskLookups } from '../domain/desk/desk-lookups.ts';
import type { FormKeys } from '../domain/desk/form-keys.ts';
import type { GatewayNotices } from '../domain/membership/gateway-notices.ts';
import type { LookupService } from '../domain/asking/lookup.ts';
import type { OpenReviews } from '../domain/desk/open-reviews.ts';
import type { DeskReaders } from '../domain/desk/desk-readers.ts';
import type { TrustedKeys } from '../domain/own-log/receipt-check.ts';
import type { AgentStatus } from '../domain/running/status.ts';
import type { DeskReading } from '../ports/agency-log.ts';
import type { LogStore } from '../ports/log-store.ts';
import type { ReceiptStore } from '../ports/receipt-store.ts';

/** What the pages of the desk stand on. */
export interface DeskDeps {
  /** Where browsers find the agent: scheme, host and port. */
  readonly baseUrl: string;
  readonly readers: DeskReaders;
  readonly service: LookupService;
  readonly receipts: ReceiptStore;
  readonly logStore: LogStore;
  readonly trustedKeys: () => TrustedKeys;
  readonly status: () => Promise<AgentStatus>;
  readonly reviews: OpenReviews;
  readonly notices: GatewayNotices;
  /** The questions of professionals. */
  readonly lookups: DeskLookups;
  readonly formKeys: FormKeys;
  readonly batches: DeskBatches;
  /** The rows of a file of households; what is wrong with it is told under `name`. Rejects with `import-invalid`. */
  readHouseholds(
    name: string,
    bytes: Uint8Array,
    tokenTypes: readonly string[],
  ): Promise<Parameters<typeof householdsOf>[1]>;
}

/** A page to be written around its content. */
export interface ShownPage {
  readonly title: string;
  readonly content: Html;
  readonly goOn?: string;
  /** Whose page it is: that decides which others it leads to. */
  readonly kind?: 'asking' | 'privacy';
  /** What was typed on it, to go along into another language. */
  readonly form?: PageFrame['form'];
}

/** What the routes are made with. */
export interface DeskContext {
  readonly deps: DeskDeps;
  readonly site: Site;
  /** Writes a page around its content. */
  readonly show: (c: Context, page: ShownPage, status?: ContentfulStatusCode) => Response | Promise<Response>;
  /** The same for a page whose content comes by and by. */
  readonly inParts: (
    c: Context,
    page: Omit<ShownPage, 'content'>,
  ) => { readonly top: Html; readonly end: Html };
}

export type DeskRoute = PageRoute<Env>;

/** Words and names for the pages. */
export function wordingOf({ service, readers }: DeskDeps, c: Context): Wording {
  const language = languageOf(c);
  const texts = textsOf(language);
  return {
    language,
    texts,
    names: namesOf(service.roster.roster, language, texts.canary),
    searchPath: (values, before) => withQuery(PATHS.search, searchQuery(values, readers.seal, before)),
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
      await deps.readers.requireOfficer(session, new URL(c.req.url).pathname);
      return route.handle(c, {
        session,
        note: (reading, what) => deps.readers.noteReading(session, reading, what),
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

/** A professional, with the roles of the federation in which he or she may ask. */
export interface Professional {
  readonly session: ReaderSession;
  readonly roles: readonly string[];
}

/** Hands a page to a professional; everybody else is refused, or sent to the login. */
export function forProfessional(
  { deps, site }: DeskContext,
  route: Omit<DeskRoute, 'handle'> & {
    readonly handle: (c: Context, professional: Professional) => Response | Promise<Response>;
  },
): DeskRoute {
  return {
    ...route,
    async handle(c) {
      const session = readSession(site, c);
      if (session === undefined) return toLogin(site, c);
      const roles = await deps.readers.requireProfessional(session, new URL(c.req.url).pathname);
      return route.handle(c, { session, roles });
    },
  };
}

/** What the policy calls areas of life, and roles. */
export const areaNames =
  ({ areasOfLife }: Policy, language: Language) =>
  (code: string): string =>
    areasOfLife.find((area) => area.code === code)?.name[language] ?? code;
export const roleNames =
  ({ roles }: Policy, language: Language) =>
  (code: string): string =>
    roles.find((role) => role.code === code)?.name[language] ?? code;

/** The fields of a form that was sent. */
export async function formOf(c: Context): Promise<URLSearchParams> {
  return new URLSearchParams(await c.req.text());
}
