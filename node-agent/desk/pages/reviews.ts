import type { Html } from '@hitmachine/web';
import {
  NOTHING,
  dataList,
  heading,
  html,
  link,
  message,
  numberText,
  paragraph,
  timeText,
} from '@hitmachine/web';
import type { OpenReview } from '../../src/domain/desk/open-reviews.ts';
import { PATHS, entryPath } from '../paths.ts';
import type { Wording } from '../record-text.ts';

/** What became of a review that was just given. */
export type GivenState = 'given' | 'own' | 'gone' | undefined;

/** The lookups that were asked in need, each with the two verdicts that there are. */
export function reviewsPage(
  { open, state }: { readonly open: readonly OpenReview[]; readonly state: GivenState },
  wording: Wording,
): Html {
  const { reviews } = wording.texts;
  return html`
    ${heading(1, reviews.title)} ${paragraph(reviews.lead, 'lead')}
    ${state === undefined ? NOTHING : message(state === 'given' ? 'ok' : 'error', reviews[state], reviews.bodies[state])}
    ${open.length === 0 ? message('info', reviews.none, reviews.noneBody) : open.map((one) => openReview(one, wording))}
  `;
}

function openReview(one: OpenReview, { language, texts, names }: Wording): Html {
  const { reviews, fields } = texts;
  const title = reviews.one(timeText(language, one.at));
  const id = `review-${one.sequence}`;
  return html`<section aria-labelledby="${id}">
    <h2 class="utrecht-heading-2" id="${id}">${title}</h2>
    ${dataList([
      [fields.professional, one.professional],
      [fields.purpose, names.purpose(one.purpose)],
      [fields.caseReference, one.caseReference],
      [fields.persons, numberText(language, one.persons)],
      [reviews.reason, one.reason],
      [reviews.entry, link(numberText(language, one.sequence), entryPath(one.sequence))],
    ])}
    <form class="hit-form" method="post" action="${PATHS.reviews}" aria-labelledby="${id}">
      <input type="hidden" name="lookupId" value="${one.lookupId}" />
      <div class="utrecht-button-group hit-buttons">
        ${(['justified', 'not-justified'] as const).map(
          (verdict) =>
            html`<button
              class="utrecht-button utrecht-button--secondary-action"
              type="submit"
              name="verdict"
              value="${verdict}"
            >
              ${reviews.verdicts[verdict]}
            </button>`,
        )}
      </div>
    </form>
  </section>`;
}
