import { HitError } from '@hitmachine/protocol';
import { daysBetween, momentsOf, queryOf, readPeriod } from '@hitmachine/web';
import type { Context } from 'hono';
import { checkPage } from '../../desk/pages/check.ts';
import { figuresPage } from '../../desk/pages/figures.ts';
import { resolvePage } from '../../desk/pages/resolve.ts';
import { subjectAccessPage, subjectAccessResultPage } from '../../desk/pages/subject-access.ts';
import { EMPTY_REQUEST, readRequest, requestOf, withMistakes } from '../../desk/request-form.ts';
import { checkRunningLog } from '../domain/own-log/log-check.ts';
import { figuresOf } from '../domain/own-log/log-figures.ts';
import { recordsBetween } from '../domain/own-log/log-records.ts';
import { readerName } from '../domain/desk/desk-readers.ts';
import { resolve } from '../domain/own-log/resolve.ts';
import { whoAskedAbout } from '../domain/asking/subject-access.ts';
import type { DeskContext, DeskRoute, Reader } from './desk-context.ts';
import { formOf, forOfficer, wordingOf } from './desk-context.ts';

/** Longest text that is looked up. */
const MAX_TEXT = 200;

/** Figures, pseudonyms, the check, and a citizen's request. */
export function reviewRoutes(context: DeskContext): DeskRoute[] {
  const { deps, show } = context;
  return [
    forOfficer(context, {
      method: 'get',
      path: '/figures',
      handle: (c, reader) => showFigures(context, c, reader),
    }),
    forOfficer(context, {
      method: 'get',
      path: '/resolve',
      handle(c) {
        const wording = wordingOf(deps, c);
        const content = resolvePage({ value: '', result: undefined, empty: false }, wording);
        return show(c, { title: wording.texts.resolve.title, content });
      },
    }),
    forOfficer(context, {
      method: 'post',
      path: '/resolve',
      async handle(c, reader) {
        const wording = wordingOf(deps, c);
        const value = ((await formOf(c)).get('value') ?? '').trim().slice(0, MAX_TEXT);
        const empty = value === '';
        if (!empty) await reader.note('resolve', value);
        const { agencyLog, keys } = deps.service;
        const result = empty ? undefined : await resolve(agencyLog, keys, value);
        const content = resolvePage({ value, result, empty }, wording);
        return show(c, { title: wording.texts.resolve.title, content }, empty ? 400 : 200);
      },
    }),
    forOfficer(context, {
      method: 'get',
      path: '/check',
      async handle(c, reader) {
        await reader.note('check', '');
        const { agencyLog } = deps.service;
        const check = await checkRunningLog(agencyLog, { opener: agencyLog });
        const wording = wordingOf(deps, c);
        const page = { check, status: await deps.status(), alarms: await deps.logStore.alarms(false) };
        return show(c, { title: wording.texts.check.title, content: checkPage(page, wording) });
      },
    }),
    forOfficer(context, {
      method: 'get',
      path: '/subject-access',
      handle(c) {
        const wording = wordingOf(deps, c);
        const content = subjectAccessPage(EMPTY_REQUEST, undefined, wording);
        return show(c, { title: wording.texts.subjectAccess.title, content });
      },
    }),
    forOfficer(context, {
      method: 'post',
      path: '/subject-access',
      handle: (c, reader) => askForCitizen(context, c, reader),
    }),
  ];
}

async function showFigures({ deps, show }: DeskContext, c: Context, reader: Reader): Promise<Response> {
  const wording = wordingOf(deps, c);
  const now = deps.service.clock();
  const form = readPeriod(queryOf(c), now);
  const { title } = wording.texts.figures;
  if (form.mistake)
    return show(c, { title, content: figuresPage({ form, figures: undefined, now }, wording) }, 400);
  await reader.note('figures', `from=${form.from} to=${form.to}`);
  const { from, to } = momentsOf(form);
  const records = await recordsBetween(deps.service.agencyLog, from, to);
  const figures = figuresOf(records, daysBetween(from, to));
  return show(c, { title, content: figuresPage({ form, figures, now }, wording) });
}

/** Nothing that was typed goes into an address, and of the person nothing into the log but what a lookup leaves. */
async function askForCitizen({ deps, show }: DeskContext, c: Context, reader: Reader): Promise<Response> {
  const wording = wordingOf(deps, c);
  const { title, result } = wording.texts.subjectAccess;
  const form = readRequest(await formOf(c));
  if (form.mistakes.size > 0 || form.noToken)
    return show(c, { title, content: subjectAccessPage(form, undefined, wording) }, 400);
  await reader.note('subject-access', form.values.caseReference);
  try {
    const answer = await whoAskedAbout(deps.service, requestOf(form, readerName(reader.session)));
    const content = subjectAccessResultPage(answer, form.values.caseReference, wording);
    return await show(c, { title: result, content });
  } catch (error) {
    // What cannot be logged is an error like everywhere.
    if (!(error instanceof HitError) || error.code === 'storage-failed') throw error;
    const mistaken = withMistakes(form, error);
    const failure = mistaken === undefined ? error.code : undefined;
    const content = subjectAccessPage(mistaken ?? form, failure, wording);
    return show(c, { title, content }, mistaken === undefined ? 502 : 400);
  }
}
