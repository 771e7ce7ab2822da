import type { LogReading } from '@hitmachine/protocol';
import { HitError, utf8ToBytes } from '@hitmachine/protocol';
import type { ReaderSession } from '@hitmachine/web';
import {
  DAY_MS,
  daysBetween,
  download,
  momentsOf,
  queryOf,
  readPeriod,
  readSession,
  toLogin,
} from '@hitmachine/web';
import { figuresOf } from '../../console/figures.ts';
import { entryPage } from '../../console/pages/entry.ts';
import { figuresPage } from '../../console/pages/figures.ts';
import { PAGE_SIZE, searchPage } from '../../console/pages/search.ts';
import { witnessesPage } from '../../console/pages/witnesses.ts';
import { describeSearch } from '../../console/search-form.ts';
import { USUAL_DAYS, findSignals } from '../../console/signals.ts';
import { findToReview } from '../../console/to-review.ts';
import { witnessHealth } from '../../console/witness-health.ts';
import type { EntryEvidence } from '../domain/entry-evidence.ts';
import { entryEvidence } from '../domain/entry-evidence.ts';
import type { ConsoleContext, ConsoleRoute } from './console-context.ts';
import { searchOf, wordingOf } from './console-context.ts';
import type { GatewayContext } from './context.ts';

/** The session of an auditor, or what to answer instead: the way to the login. Throws `not-allowed`. */
export async function auditorOf(
  { console, site }: ConsoleContext,
  c: GatewayContext,
): Promise<ReaderSession | Response> {
  const session = readSession(site, c);
  if (session === undefined) return toLogin(site, c);
  const { pathname } = new URL(c.req.url);
  // The page alone: whatever else stands in the address could be about anybody, and would stay in the log.
  await console.auditors.requireAuditor(session, pathname.replaceAll(/[^a-z/.-]+/g, '*'));
  return session;
}

/** A page for auditors: what is read stands in the log before anything is shown. */
function reading(
  context: ConsoleContext,
  route: {
    readonly path: string;
    readonly reading: LogReading;
    /** What is read, from the address; undefined when nothing will be. */
    readonly detail: (c: GatewayContext) => string | undefined;
    readonly handle: ConsoleRoute['handle'];
  },
): ConsoleRoute {
  return {
    method: 'get',
    path: route.path,
    async handle(c) {
      const session = await auditorOf(context, c);
      if (session instanceof Response) return session;
      const detail = route.detail(c);
      if (detail !== undefined)
        await context.console.auditors.noteReading(session.subject, route.reading, detail);
      return route.handle(c);
    },
  };
}

/** Search, entries, figures and witnesses. */
export function readingRoutes(context: ConsoleContext): ConsoleRoute[] {
  return [
    reading(context, {
      path: '/search',
      reading: 'search',
      detail(c) {
        const form = searchOf(context, c);
        return form.mistakes.size > 0 ? undefined : describeSearch(form);
      },
      handle: (c) => showSearch(context, c),
    }),
    reading(context, {
      path: '/entries/:index',
      reading: 'entry',
      detail: (c) => String(indexOf(c)),
      async handle(c) {
        const wording = wordingOf(context.deps, c);
        const evidence = await entryEvidence(context.deps, indexOf(c));
        const title = wording.texts.entry.title(String(evidence.index));
        return context.show(c, { title, content: entryPage(evidence, wording) });
      },
    }),
    reading(context, {
      path: '/entries/:index/leaf',
      reading: 'entry',
      detail: (c) => `${indexOf(c)} leaf`,
      async handle(c) {
        const { index, leaf } = await entryEvidence(context.deps, indexOf(c));
        return download(c, `entry-${index}.json`, 'application/json', leaf);
      },
    }),
    reading(context, {
      path: '/entries/:index/receipt',
      reading: 'entry',
      detail: (c) => `${indexOf(c)} receipt`,
      async handle(c) {
        const evidence = await entryEvidence(context.deps, indexOf(c));
        return download(
          c,
          `entry-${evidence.index}.tlog-proof`,
          'text/plain; charset=utf-8',
          receiptOf(evidence),
        );
      },
    }),
    reading(context, {
      path: '/figures',
      reading: 'figures',
      detail(c) {
        const { from, to, mistake } = readPeriod(queryOf(c), context.deps.runtime.now());
        return mistake ? undefined : `from=${from} to=${to}`;
      },
      handle: (c) => showFigures(context, c),
    }),
    reading(context, {
      path: '/witnesses',
      reading: 'witnesses',
      detail: () => '',
      async handle(c) {
        const wording = wordingOf(context.deps, c);
        const view = await witnessHealth(context.deps);
        const title = wording.texts.witnesses.title;
        return context.show(c, { title, content: witnessesPage(view, wording) });
      },
    }),
  ];
}

async function showSearch({ deps, console, show }: ConsoleContext, c: GatewayContext): Promise<Response> {
  const wording = wordingOf(deps, c);
  const form = searchOf({ deps }, c);
  const { roster } = deps.roster.current;
  const result =
    form.mistakes.size > 0
      ? undefined
      : {
          entries: await deps.search.find(form.filter, form.before, PAGE_SIZE),
          count: await deps.search.count(form.filter),
        };
  const page = {
    form,
    result,
    agencies: roster.agencies.map(({ id }) => id),
    purposes: roster.policy.purposes.map(({ code }) => code),
    otlp: console.processingLog !== undefined,
  };
  const { title } = wording.texts.search;
  return show(c, { title, content: searchPage(page, wording) }, form.mistakes.size > 0 ? 400 : 200);
}

async function showFigures({ deps, show }: ConsoleContext, c: GatewayContext): Promise<Response> {
  const wording = wordingOf(deps, c);
  const now = deps.runtime.now();
  const form = readPeriod(queryOf(c), now);
  const { title } = wording.texts.figures;
  if (form.mistake)
    return show(c, { title, content: figuresPage({ form, result: undefined, now }, wording) }, 400);
  const { from, to } = momentsOf(form);
  const canaries = form.canaries ? {} : { withoutCanaries: true };
  // The days before say what is usual.
  const rows = await deps.search.figures({ from: from - USUAL_DAYS * DAY_MS, to, ...canaries });
  const days = daysBetween(from, to);
  const figures = figuresOf(
    rows.filter(({ day }) => days.includes(day)),
    days,
  );
  const signals = await findSignals(deps.search, rows, from, to);
  const toReview = await findToReview(deps.search, from, to);
  const result = { figures, signals, toReview };
  return show(c, { title, content: figuresPage({ form, result, now }, wording) });
}

function indexOf(c: GatewayContext): number {
  const text = c.req.param('index') ?? '';
  if (!/^\d{1,15}$/.test(text)) throw new HitError('not-found');
  return Number(text);
}

function receiptOf({ inclusion }: EntryEvidence): Uint8Array {
  if (inclusion.status !== 'proved') throw new HitError('not-found');
  return utf8ToBytes(inclusion.receipt);
}
