import { HitError } from '@hitmachine/protocol';
import { stream } from 'hono/streaming';
import type { Context } from 'hono';
import type { AnswersPage } from '../../desk/pages/answers.ts';
import {
  answerRow,
  answersEnd,
  answersTitle,
  answersTop,
  gonePage,
  waitingPage,
} from '../../desk/pages/answers.ts';
import type { Decided } from '../../desk/pages/approvals.ts';
import { approvalsPage } from '../../desk/pages/approvals.ts';
import { lookupPath } from '../../desk/paths.ts';
import type { DeskLookup } from '../domain/desk/desk-lookup.ts';
import { readerName } from '../domain/desk/desk-readers.ts';
import type { DeskContext, DeskRoute, Professional } from './desk-context.ts';
import { areaNames, forProfessional, formOf, wordingOf } from './desk-context.ts';

/** What comes out of a question, and the questions of colleagues that wait for an approval. */
export function answersRoutes(context: DeskContext): DeskRoute[] {
  return [
    forProfessional(context, {
      method: 'get',
      path: '/lookups/:key',
      handle: (c, professional) => showLookup(context, c, professional),
    }),
    forProfessional(context, {
      method: 'get',
      path: '/lookups/:key/state',
      handle: (c, { session }) =>
        c.text(context.deps.lookups.find(c.req.param('key') ?? '', session.subject).state),
    }),
    forProfessional(context, {
      method: 'post',
      path: '/lookups/:key/again',
      async handle(c, { session }) {
        const { lookups } = context.deps;
        const key = c.req.param('key') ?? '';
        const round = Number((await formOf(c)).get('round') ?? '-1');
        await lookups.again(lookups.find(key, session.subject), round);
        return c.redirect(lookupPath(key), 303);
      },
    }),
    forProfessional(context, {
      method: 'get',
      path: '/approvals',
      handle: (c, professional) => showApprovals(context, c, professional, undefined),
    }),
    forProfessional(context, {
      method: 'post',
      path: '/approvals',
      handle: (c, professional) => decide(context, c, professional),
    }),
  ];
}

async function showLookup(context: DeskContext, c: Context, { session }: Professional): Promise<Response> {
  const { deps, show } = context;
  const wording = wordingOf(deps, c);
  let lookup: DeskLookup;
  try {
    lookup = deps.lookups.find(c.req.param('key') ?? '', session.subject);
  } catch (error) {
    if (!(error instanceof HitError)) throw error;
    const { gone } = wording.texts.answers;
    return show(c, { title: gone, content: gonePage(wording), kind: 'asking' }, 404);
  }
  if (lookup.state === 'waiting' || lookup.state === 'declined') {
    const { awaiting, declined } = wording.texts.answers;
    const title = lookup.state === 'waiting' ? awaiting : declined;
    return show(c, { title, content: waitingPage(lookup, wording), kind: 'asking' });
  }
  return answered(context, c, lookup);
}

/** Rows as they come, then what they come to: a page that is written as long as registers answer. */
function answered({ deps, inParts }: DeskContext, c: Context, lookup: DeskLookup): Response {
  const wording = wordingOf(deps, c);
  const { roster, self } = deps.service.roster;
  const page: AnswersPage = {
    lookup,
    owner: self.name,
    areaName: areaNames(roster.policy, wording.language),
  };
  const { top, end } = inParts(c, { title: answersTitle(lookup, wording), kind: 'asking' });
  c.header('Content-Type', 'text/html; charset=utf-8');
  // A reverse proxy that collects answers would show none until the slowest register has spoken.
  c.header('X-Accel-Buffering', 'no');
  return stream(c, async (out) => {
    await out.write(`${String(await top)}${String(await answersTop(page, wording))}`);
    for await (const row of lookup.follow()) {
      if (out.aborted) return;
      await out.write(String(await answerRow(row, page, wording)));
    }
    await out.write(`${String(await answersEnd(page, wording))}${String(await end)}`);
  });
}

async function showApprovals(
  { deps, show }: DeskContext,
  c: Context,
  { session, roles }: Professional,
  decided: Decided | undefined,
): Promise<Response> {
  const wording = wordingOf(deps, c);
  const waiting = deps.lookups.waiting({
    subject: session.subject,
    professional: readerName(session),
    roles,
  });
  // Whom a colleague asks about is read here: that stands in the log, like every reading.
  if (waiting.length > 0) await deps.readers.noteReading(session, 'approvals', `${waiting.length}`);
  const { title } = wording.texts.approvals;
  const content = approvalsPage({ waiting, decided }, wording);
  return show(c, { title, content, kind: 'asking' }, decided === 'gone' ? 404 : 200);
}

async function decide(context: DeskContext, c: Context, professional: Professional): Promise<Response> {
  const { session, roles } = professional;
  const form = await formOf(c);
  const approved = form.get('action') === 'approve';
  try {
    const by = { subject: session.subject, professional: readerName(session), roles };
    await context.deps.lookups.decide(form.get('key') ?? '', by, approved);
  } catch (error) {
    if (!(error instanceof HitError) || error.code !== 'not-found') throw error;
    return showApprovals(context, c, professional, 'gone');
  }
  return showApprovals(context, c, professional, approved ? 'approved' : 'declined');
}
