import { HitError, base64Schema } from '@hitmachine/protocol';
import type { Context } from 'hono';
import type { GivenState } from '../../desk/pages/reviews.ts';
import { reviewsPage } from '../../desk/pages/reviews.ts';
import { readerName } from '../domain/desk/desk-readers.ts';
import { review } from '../domain/desk/review.ts';
import type { DeskContext, DeskRoute, Reader } from './desk-context.ts';
import { forOfficer, formOf, wordingOf } from './desk-context.ts';

/** Lookups that were asked in need: which wait for somebody to look at them, and what he or she thinks. */
export function needRoutes(context: DeskContext): DeskRoute[] {
  return [
    forOfficer(context, {
      method: 'get',
      path: '/reviews',
      async handle(c, reader) {
        await reader.note('reviews', '');
        return showReviews(context, c, undefined);
      },
    }),
    forOfficer(context, {
      method: 'post',
      path: '/reviews',
      handle: (c, reader) => giveReview(context, c, reader),
    }),
  ];
}

async function showReviews({ deps, show }: DeskContext, c: Context, state: GivenState): Promise<Response> {
  const wording = wordingOf(deps, c);
  const content = reviewsPage({ open: await deps.reviews.list(), state }, wording);
  const failed = state === 'own' || state === 'gone';
  return show(c, { title: wording.texts.reviews.title, content }, failed ? 400 : 200);
}

async function giveReview(context: DeskContext, c: Context, reader: Reader): Promise<Response> {
  const { deps } = context;
  const form = await formOf(c);
  const lookupId = form.get('lookupId') ?? '';
  const verdict = (['justified', 'not-justified'] as const).find((one) => one === form.get('verdict'));
  await reader.note('reviews', base64Schema(16).safeParse(lookupId).success ? lookupId : '');
  if (verdict === undefined) return showReviews(context, c, 'gone');
  const { agencyLog, keys, clock } = deps.service;
  const by = readerName(reader.session);
  const { subject, name = subject } = reader.session;
  try {
    const report = await review(
      { agencyLog, keys, clock, reviews: deps.reviews },
      { lookupId, verdict, by, alsoKnownAs: [name, subject] },
    );
    deps.notices.add({ type: 'review', report });
  } catch (error) {
    const code = error instanceof HitError ? error.code : undefined;
    if (code === 'not-allowed') return showReviews(context, c, 'own');
    if (code === 'not-found') return showReviews(context, c, 'gone');
    throw error;
  }
  return showReviews(context, c, 'given');
}
