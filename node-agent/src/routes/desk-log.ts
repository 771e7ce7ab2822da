import { HitError, utf8ToBytes } from '@hitmachine/protocol';
import { download, queryOf } from '@hitmachine/web';
import type { Context } from 'hono';
import type { ExportFormat } from '../../desk/export.ts';
import { exported } from '../../desk/export.ts';
import type { ReceiptView } from '../../desk/pages/entry.ts';
import { entryPage } from '../../desk/pages/entry.ts';
import { PAGE_SIZE, searchPage } from '../../desk/pages/search.ts';
import { PATHS, withQuery } from '../../desk/paths.ts';
import type { SearchForm } from '../../desk/search-form.ts';
import { describeSearch, readSearch, searchQuery, valuesOf } from '../../desk/search-form.ts';
import { chainPlace } from '../domain/own-log/chain-place.ts';
import { fits } from '../domain/own-log/log-filter.ts';
import type { LogRecord } from '../domain/own-log/log-records.ts';
import { recordAt, recordsBetween } from '../domain/own-log/log-records.ts';
import { professionalPseudonym } from '../domain/pseudonymise.ts';
import { checkReceipt } from '../domain/own-log/receipt-check.ts';
import { commitmentOf } from '../domain/own-log/resolve.ts';
import type { KeptReceipt } from '../ports/receipt-store.ts';
import type { DeskContext, DeskDeps, DeskRoute, Reader } from './desk-context.ts';
import { formOf, forOfficer, wordingOf } from './desk-context.ts';

const TYPES: Readonly<Record<ExportFormat, string>> = {
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson; charset=utf-8',
};

/** The agency's own log: search, one entry, its receipt, what was found as a file. */
export function logRoutes(context: DeskContext): DeskRoute[] {
  const { deps } = context;
  const file = (format: ExportFormat): DeskRoute =>
    forOfficer(context, {
      method: 'get',
      path: `/export/log.${format}`,
      async handle(c, reader) {
        const form = searchOf(deps, c);
        const [mistake] = form.mistakes.keys();
        if (mistake !== undefined)
          throw new HitError('field-invalid', `${mistake}: correct it in the search`);
        await reader.note('export', `${format} ${describeSearch(form)}`.trim());
        return download(c, `log.${format}`, TYPES[format], exported(await found(deps, form), format));
      },
    });
  return [
    forOfficer(context, {
      method: 'get',
      path: '/search',
      handle: (c, reader) => showSearch(context, c, reader),
    }),
    forOfficer(context, {
      method: 'post',
      path: '/search',
      async handle(c) {
        const values = valuesOf(await formOf(c));
        return c.redirect(withQuery(PATHS.search, searchQuery(values, deps.readers.seal)), 303);
      },
    }),
    forOfficer(context, {
      method: 'get',
      path: '/entries/:sequence',
      handle: (c, reader) => showEntry(context, c, reader),
    }),
    forOfficer(context, {
      method: 'get',
      path: '/entries/:sequence/receipt',
      async handle(c, reader) {
        const sequence = sequenceOf(c);
        await reader.note('receipt', String(sequence));
        const kept = await keptFor(deps, await recordAt(deps.service.agencyLog, sequence));
        if (kept === undefined) throw new HitError('not-found');
        // As `hit-agent receipt` writes it: the entry on the first line.
        const text = `${new TextDecoder().decode(kept.leaf)}\n${kept.receipt}`;
        return download(c, `receipt-${sequence}.txt`, 'text/plain; charset=utf-8', utf8ToBytes(text));
      },
    }),
    file('csv'),
    file('ndjson'),
  ];
}

const searchOf = ({ readers, service }: DeskDeps, c: Context): SearchForm =>
  readSearch(queryOf(c), readers.seal, service.clock());

/** What fits a search, newest first. */
async function found({ service }: DeskDeps, { filter }: SearchForm): Promise<LogRecord[]> {
  const records = await recordsBetween(service.agencyLog, filter.from ?? 0, filter.to ?? Infinity);
  return records.filter((record) => fits(record, filter)).reverse();
}

async function showSearch({ deps, show }: DeskContext, c: Context, reader: Reader): Promise<Response> {
  const wording = wordingOf(deps, c);
  const form = searchOf(deps, c);
  const { before = Infinity, mistakes, values } = form;
  const { roster } = deps.service.roster;
  let result;
  if (mistakes.size === 0) {
    await reader.note('search', describeSearch(form));
    const all = await found(deps, form);
    const records = all.filter(({ sequence }) => sequence < before).slice(0, PAGE_SIZE);
    result = { records, count: all.length };
  }
  const paths = { csv: PATHS.csv, ndjson: PATHS.ndjson };
  const page = {
    form,
    result,
    agencies: roster.agencies.map(({ id }) => id),
    purposes: roster.policy.purposes.map(({ code }) => code),
    exportPath: (format: ExportFormat) => withQuery(paths[format], searchQuery(values, deps.readers.seal)),
  };
  const { title } = wording.texts.search;
  return show(c, { title, content: searchPage(page, wording) }, mistakes.size > 0 ? 400 : 200);
}

async function showEntry({ deps, show }: DeskContext, c: Context, reader: Reader): Promise<Response> {
  const { agencyLog, keys } = deps.service;
  const sequence = sequenceOf(c);
  await reader.note('entry', String(sequence));
  const place = await chainPlace(agencyLog, sequence);
  const record = await recordAt(agencyLog, sequence);
  if (place === undefined || record === undefined) throw new HitError('not-found');
  const asked = record.kind === 'asked' ? record : undefined;
  const wording = wordingOf(deps, c);
  const page = {
    place,
    record,
    receipt: asked && (await receiptView(deps, asked)),
    atGateway: asked && {
      pseudonym: professionalPseudonym(keys, asked.detail.professional),
      commitment: commitmentOf(asked),
    },
  };
  const title = wording.texts.entry.title(String(sequence));
  return show(c, { title, content: entryPage(page, wording) });
}

async function keptFor(
  { receipts }: DeskDeps,
  record: LogRecord | undefined,
): Promise<KeptReceipt | undefined> {
  const lookupId = record?.kind === 'asked' ? record.lookupId : undefined;
  return lookupId === undefined ? undefined : receipts.find(lookupId);
}

async function receiptView(
  deps: DeskDeps,
  record: LogRecord & { readonly kind: 'asked' },
): Promise<ReceiptView> {
  const kept = await keptFor(deps, record);
  // An alarm names the lookup that it is about.
  const alarms = await deps.logStore.alarms(false);
  const alarmed = alarms.some(
    ({ detail }) => record.lookupId !== undefined && detail.startsWith(`lookup ${record.lookupId}:`),
  );
  if (kept === undefined) return { state: alarmed ? 'alarm' : 'none', checked: undefined };
  const state = alarmed ? 'alarm' : kept.state === 'kept' ? 'waiting' : kept.state;
  try {
    return { state, checked: checkReceipt(deps.trustedKeys(), kept.leaf, kept.receipt) };
  } catch (error) {
    if (!(error instanceof HitError)) throw error;
    return { state, checked: { reason: error.detail } };
  }
}

function sequenceOf(c: Context): number {
  const text = c.req.param('sequence') ?? '';
  if (!/^\d{1,15}$/.test(text)) throw new HitError('not-found');
  return Number(text);
}
