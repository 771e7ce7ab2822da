import type { FieldError } from '@hitmachine/protocol';
import { HitError, LIMITS, tokenTypesFor } from '@hitmachine/protocol';
import { dayOf, download, languageOf, queryOf } from '@hitmachine/web';
import type { Context } from 'hono';
import { batchDocument } from '../../desk/batch-document.ts';
import { batchCsv, batchTextsOf } from '../../desk/batch-report.ts';
import type { BatchReport } from '../../desk/batch-summary.ts';
import type { BatchForm, BatchMistakes } from '../../desk/pages/batch.ts';
import { batchFormPage, batchPurposesPage, batchResultPage } from '../../desk/pages/batch.ts';
import { PATHS, batchPath } from '../../desk/paths.ts';
import type { BatchHousehold } from '../domain/desk/batch.ts';
import { householdsOf } from '../domain/desk/batch-input.ts';
import type { DeskBatch } from '../domain/desk/desk-batches.ts';
import { readerName } from '../domain/desk/desk-readers.ts';
import type { PermittedPurpose } from '../domain/asking/permitted-purposes.ts';
import { permittedPurposes } from '../domain/asking/permitted-purposes.ts';
import type { DeskContext, DeskRoute, Professional } from './desk-context.ts';
import { forProfessional, wordingOf } from './desk-context.ts';

/** Seconds after which the page of a batch that runs is loaded again. */
const REFRESH_S = 2;
const CASE_LETTERS = 200;

/** Many households at once: a file goes in, figures come out. */
export function batchRoutes(context: DeskContext): DeskRoute[] {
  const { deps } = context;
  const found = (c: Context, { session }: Professional): DeskBatch =>
    deps.batches.find(c.req.param('key') ?? '', session.subject);
  return [
    forProfessional(context, {
      method: 'get',
      path: '/batch',
      handle(c, professional) {
        const permitted = permittedHere(context, professional);
        const code = queryOf(c).get('purpose');
        const chosen = permitted.find(({ purpose }) => purpose.code === code);
        const wording = wordingOf(deps, c);
        const { title } = batchTextsOf(wording.language).page;
        if (chosen === undefined)
          return context.show(c, { title, content: batchPurposesPage(permitted, wording), kind: 'asking' });
        return showForm(context, c, chosen, emptyForm(context, professional), {});
      },
    }),
    forProfessional(context, {
      method: 'post',
      path: '/batch',
      handle: (c, professional) => take(context, c, professional),
    }),
    forProfessional(context, {
      method: 'get',
      path: '/batch/:key',
      handle(c, professional) {
        const batch = found(c, professional);
        const wording = wordingOf(deps, c);
        const words = batchTextsOf(wording.language);
        if (batch.end === undefined) c.header('Refresh', String(REFRESH_S));
        const title = batch.end === undefined ? words.page.running : words.title;
        const content = batchResultPage(batch, reportOf(context, c, batch), wording);
        return context.show(c, { title, content, kind: 'asking' });
      },
    }),
    forProfessional(context, {
      method: 'post',
      path: '/batch/:key/stop',
      handle(c, professional) {
        const batch = found(c, professional);
        batch.stop();
        return c.redirect(batchPath(batch.key), 303);
      },
    }),
    forProfessional(context, {
      method: 'get',
      path: '/batch/:key/report.html',
      async handle(c, professional) {
        const report = reportOf(context, c, ended(found(c, professional)));
        return download(
          c,
          'report.html',
          'text/html; charset=utf-8',
          bytesOf(await batchDocument(report, languageOf(c))),
        );
      },
    }),
    forProfessional(context, {
      method: 'get',
      path: '/batch/:key/report.csv',
      handle(c, professional) {
        const report = reportOf(context, c, ended(found(c, professional)));
        return download(c, 'report.csv', 'text/csv; charset=utf-8', bytesOf(batchCsv(report, languageOf(c))));
      },
    }),
  ];
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function ended(batch: DeskBatch): DeskBatch {
  if (batch.end === undefined) throw new HitError('not-found', 'it is still under way');
  return batch;
}

/** What no colleague has to approve one by one. */
const permittedHere = ({ deps }: DeskContext, { roles }: Professional): PermittedPurpose[] =>
  permittedPurposes(deps.service.roster, roles).filter(({ purpose }) => purpose.approval === 'none');

const emptyForm = ({ deps }: DeskContext, { session }: Professional): BatchForm => ({
  key: deps.formKeys.make(session.subject),
  caseReference: '',
  statements: [],
  smallest: '5',
});

function showForm(
  { deps, show }: DeskContext,
  c: Context,
  chosen: PermittedPurpose,
  form: BatchForm,
  mistakes: BatchMistakes,
): Response | Promise<Response> {
  const wording = wordingOf(deps, c);
  const { title } = batchTextsOf(wording.language).page;
  const content = batchFormPage(chosen, form, mistakes, wording);
  return show(c, { title, content, kind: 'asking' }, Object.keys(mistakes).length > 0 ? 400 : 200);
}

/** Begins when everything is right, and otherwise shows what is not; then nothing was asked. */
async function take(context: DeskContext, c: Context, professional: Professional): Promise<Response> {
  const { deps } = context;
  const body = await c.req.formData();
  const text = (name: string): string => {
    const value = body.get(name);
    return typeof value === 'string' ? value : '';
  };
  const chosen = permittedHere(context, professional).find(({ purpose }) => purpose.code === text('purpose'));
  if (chosen === undefined) return c.redirect(PATHS.batch, 303);
  const form: BatchForm = {
    key: text('key'),
    caseReference: text('caseReference').trim().slice(0, CASE_LETTERS),
    statements: body.getAll('statements').map(String).slice(0, LIMITS.registersPerAgency),
    smallest: ['1', '5', '10'].includes(text('smallest')) ? text('smallest') : '5',
  };
  const key = deps.formKeys.open(form.key, professional.session.subject);
  const read = await householdsIn(
    context,
    chosen,
    body.get('file'),
    batchTextsOf(languageOf(c)).page.fileName,
  );
  const mistakes: BatchMistakes = {
    ...(form.caseReference === '' && { caseReference: true }),
    ...(!chosen.purpose.statements.every(({ code }) => form.statements.includes(code)) && {
      statements: true,
    }),
    ...('mistake' in read && { file: read.mistake }),
  };
  if ('mistake' in read || Object.keys(mistakes).length > 0)
    return showForm(context, c, chosen, form, mistakes);
  if (key === undefined)
    return showForm(context, c, chosen, { ...form, key: emptyForm(context, professional).key }, {});
  const { key: begun } = deps.batches.begin(
    {
      key,
      subject: professional.session.subject,
      smallest: Number(form.smallest),
      question: {
        purpose: chosen.purpose.code,
        caseReference: form.caseReference,
        professional: readerName(professional.session),
        role: chosen.roles[0] ?? '',
        statements: [...form.statements],
      },
    },
    read.households,
  );
  return c.redirect(batchPath(begun), 303);
}

async function householdsIn(
  { deps }: DeskContext,
  { purpose }: PermittedPurpose,
  file: ReturnType<FormData['get']>,
  name: string,
): Promise<{ readonly households: readonly BatchHousehold[] } | { readonly mistake: readonly FieldError[] }> {
  if (file === null || typeof file === 'string' || file.size === 0) return { mistake: [] };
  const { roster, self } = deps.service.roster;
  const tokenTypes = tokenTypesFor(roster.policy, purpose, self.kind);
  try {
    const rows = await deps.readHouseholds(name, new Uint8Array(await file.arrayBuffer()), tokenTypes);
    const { maxPersons } = purpose;
    return {
      households: householdsOf(name, rows, { tokenTypes, maxPersons, now: deps.service.clock() }),
    };
  } catch (error) {
    if (error instanceof HitError && error.code === 'import-invalid') return { mistake: error.fields };
    throw error;
  }
}

function reportOf({ deps }: DeskContext, c: Context, batch: DeskBatch): BatchReport {
  const { roster } = deps.service.roster;
  const purpose = roster.policy.purposes.find(({ code }) => code === batch.question.purpose);
  const names = new Map(
    roster.agencies.flatMap((agency) =>
      agency.registers.map(({ id, name }) => [`${agency.id}/${id}`, { name, agency: agency.name }]),
    ),
  );
  return {
    counts: batch.progress.counts,
    households: batch.households,
    purpose: {
      name: purpose?.name[languageOf(c)] ?? batch.question.purpose,
      legalBasis: purpose?.legalBasis ?? '',
    },
    askedOn: dayOf(batch.since),
    nameOf: (register) => names.get(register) ?? { name: register, agency: '' },
    smallest: batch.smallest,
  };
}
