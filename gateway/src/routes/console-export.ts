import { HitError } from '@hitmachine/protocol';
import { download } from '@hitmachine/web';
import type { ExportFormat } from '../../console/export.ts';
import { exportStream } from '../../console/export.ts';
import { exportDonePage, tooManyPage } from '../../console/pages/export-done.ts';
import { problemPage } from '../../console/pages/problem.ts';
import type { SearchForm } from '../../console/search-form.ts';
import { describeSearch } from '../../console/search-form.ts';
import { sendProcessingRecords } from '../domain/processing-records.ts';
import type { ProcessingLog } from '../ports/processing-log.ts';
import type { ConsoleContext, ConsoleRoute } from './console-context.ts';
import { searchOf, wordingOf } from './console-context.ts';
import { auditorOf } from './console-reading.ts';
import type { GatewayContext } from './context.ts';

/** Lookups that are sent while a browser waits; the command line has no limit. */
const MAX_SENT = 5_000;

const TYPES: Readonly<Record<ExportFormat, string>> = {
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson; charset=utf-8',
};

/** What was found, as a file or to the processing log. */
export function exportRoutes(context: ConsoleContext): ConsoleRoute[] {
  const { deps } = context;
  const file = (format: ExportFormat): ConsoleRoute => ({
    method: 'get',
    path: `/export/log.${format}`,
    async handle(c) {
      const form = await noted(context, c, format);
      if (form instanceof Response) return form;
      return download(c, `log.${format}`, TYPES[format], exportStream(deps.search, form.filter, format));
    },
  });
  return [
    file('csv'),
    file('ndjson'),
    { method: 'post', path: '/export/otlp', handle: (c) => sendToLog(context, c) },
  ];
}

/** The search to export, once it stands in the log that it is. Throws `field-invalid` for a search with mistakes. */
async function noted(
  context: ConsoleContext,
  c: GatewayContext,
  format: ExportFormat | 'otlp',
): Promise<SearchForm | Response> {
  const session = await auditorOf(context, c);
  if (session instanceof Response) return session;
  if (format === 'otlp' && context.console.processingLog === undefined) throw new HitError('not-found');
  const form = searchOf(context, c);
  const [mistake] = form.mistakes.keys();
  if (mistake !== undefined) throw new HitError('field-invalid', `${mistake}: correct it in the search`);
  await context.console.auditors.noteReading(
    session.subject,
    'export',
    `${format} ${describeSearch(form)}`.trim(),
  );
  return form;
}

async function sendToLog(context: ConsoleContext, c: GatewayContext): Promise<Response> {
  const { deps, console, show } = context;
  const form = await noted(context, c, 'otlp');
  if (form instanceof Response) return form;
  const processingLog = console.processingLog as ProcessingLog;
  const { language, texts } = wordingOf(deps, c);
  const { federation } = deps.roster.current.roster;
  const lookups = {
    ...form.filter,
    events: (form.filter.events ?? ['lookup']).filter((event) => event === 'lookup'),
  };
  if ((await deps.search.count(lookups)) > MAX_SENT)
    return show(
      c,
      { title: texts.export.title, content: tooManyPage(texts, language, MAX_SENT, form.values) },
      400,
    );
  try {
    const sent = await sendProcessingRecords({ search: deps.search, processingLog }, federation, lookups);
    const content = exportDonePage(texts, language, sent, form.values);
    return await show(c, { title: texts.export.title, content });
  } catch (error) {
    if (!(error instanceof HitError) || error.code !== 'storage-failed') throw error;
    const requestId = c.get('requestId');
    deps.log.error('request-failed', { requestId, code: error.code, err: error });
    c.set('code', error.code);
    const content = problemPage(texts, 'processing-log', { requestId, loggedIn: true });
    return show(c, { title: texts.problems['processing-log'].title, content }, 502);
  }
}
