import { HitError, utf8ToBytes } from '@hitmachine/protocol';
import { DAY_MS, download, momentsOf, queryOf, readPeriod } from '@hitmachine/web';
import type { Context } from 'hono';
import type { Note, NoteSource } from '../../desk/note.ts';
import { noteOfLookup, noteOfOwn, noteText } from '../../desk/note.ts';
import { askedOfUsPage, ownLookupPage, ownPage } from '../../desk/pages/own.ts';
import { askedOfUs } from '../domain/desk/asked-of-us.ts';
import { readerName } from '../domain/desk/desk-readers.ts';
import { recordsBetween } from '../domain/own-log/log-records.ts';
import type { OwnLookup } from '../domain/desk/own-lookups.ts';
import { ownLookup, ownLookups } from '../domain/desk/own-lookups.ts';
import type { DeskContext, DeskDeps, DeskRoute, Professional } from './desk-context.ts';
import { forProfessional, wordingOf } from './desk-context.ts';

/** Days of figures about what others asked. */
const FIGURES_DAYS = 184;

/** Afterwards: a professional's own questions, notes for the case file, and what others asked as figures. */
export function ownRoutes(context: DeskContext): DeskRoute[] {
  const { deps, show } = context;
  return [
    forProfessional(context, {
      method: 'get',
      path: '/own',
      handle: (c, professional) => showOwn(context, c, professional),
    }),
    forProfessional(context, {
      method: 'get',
      path: '/own/:sequence',
      async handle(c, { session }) {
        const found = await ownOf(deps, c, readerName(session));
        await deps.readers.noteReading(session, 'own', String(found.record.sequence));
        const wording = wordingOf(deps, c);
        const { title } = wording.texts.own;
        return show(c, { title, content: ownLookupPage(found, wording), kind: 'asking' });
      },
    }),
    forProfessional(context, {
      method: 'get',
      path: '/own/:sequence/:file',
      async handle(c, { session }) {
        const found = await ownOf(deps, c, readerName(session));
        await deps.readers.noteReading(session, 'own', `note ${found.record.sequence}`);
        const { lookupId } = found.record;
        const source = await noteSource(deps, lookupId === undefined ? [] : [lookupId]);
        return sendNote(deps, c, noteOfOwn(found, source, wordingOf(deps, c)));
      },
    }),
    forProfessional(context, {
      method: 'get',
      path: '/lookups/:key/:file',
      async handle(c, { session }) {
        const lookup = deps.lookups.find(c.req.param('key') ?? '', session.subject);
        if (lookup.state !== 'done') throw new HitError('not-found');
        const wording = wordingOf(deps, c);
        const source = await noteSource(deps, lookup.lookupIds);
        const note = noteOfLookup(lookup, readerName(session), source, wording);
        return sendNote(deps, c, note);
      },
    }),
    forProfessional(context, {
      method: 'get',
      path: '/asked-of-us',
      async handle(c) {
        const { service } = deps;
        const now = service.clock();
        const records = await recordsBetween(service.agencyLog, now - FIGURES_DAYS * DAY_MS, now + 1);
        const wording = wordingOf(deps, c);
        const content = askedOfUsPage(askedOfUs(records, service.roster.self.id), wording);
        return show(c, { title: wording.texts.askedOfUs.title, content, kind: 'asking' });
      },
    }),
  ];
}

async function showOwn(
  { deps, show }: DeskContext,
  c: Context,
  { session }: Professional,
): Promise<Response> {
  const { service, readers } = deps;
  const wording = wordingOf(deps, c);
  const now = service.clock();
  const period = readPeriod(queryOf(c), now);
  await readers.noteReading(session, 'own', period.mistake ? '' : `${period.from} ${period.to}`);
  const records = period.mistake
    ? []
    : await ownLookups(service.agencyLog, service.roster.roster.policy, readerName(session), {
        ...momentsOf(period),
        now,
      });
  const content = ownPage({ period, records }, wording);
  return show(c, { title: wording.texts.own.title, content, kind: 'asking' }, period.mistake ? 400 : 200);
}

function ownOf({ service }: DeskDeps, c: Context, professional: string): Promise<OwnLookup> {
  const text = c.req.param('sequence') ?? '';
  if (!/^\d{1,15}$/.test(text)) throw new HitError('not-found');
  return ownLookup(service.agencyLog, service.roster.roster.policy, professional, {
    sequence: Number(text),
    now: service.clock(),
  });
}

async function noteSource(
  { service: { roster }, receipts }: DeskDeps,
  lookupIds: readonly string[],
): Promise<NoteSource> {
  const found = await Promise.all(lookupIds.map((id) => receipts.find(id)));
  return {
    roster: roster.roster,
    owner: roster.self.name,
    receipts: found.filter((one) => one !== undefined),
  };
}

async function sendNote(deps: DeskDeps, c: Context, note: Note): Promise<Response> {
  const wording = wordingOf(deps, c);
  switch (c.req.param('file')) {
    case 'note.txt':
      return download(c, 'note.txt', 'text/plain; charset=utf-8', utf8ToBytes(noteText(note, wording)));
    case 'note.pdf': {
      // What draws pages and reads fonts is large: loaded with the first page that is asked for.
      const { notePdf } = await import('../../desk/note-pdf.ts');
      return download(c, 'note.pdf', 'application/pdf', await notePdf(note, wording));
    }
    default:
      throw new HitError('not-found');
  }
}
