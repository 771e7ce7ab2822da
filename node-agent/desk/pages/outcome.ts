import type { Html } from '@hitmachine/web';
import { NOTHING, html } from '@hitmachine/web';
import type { Contact } from '@hitmachine/protocol';
import type { Outcome } from '../../src/domain/asking/outcome.ts';
import { EXPLANATIONS } from '../../src/domain/asking/outcome.ts';
import type { Wording } from '../record-text.ts';

export type ShownStatus = Outcome['status'] | 'not-asked' | 'asked' | 'pending';

/** Drawings that differ in shape, so that no status is told by its colour alone. */
const ICONS: Readonly<Record<ShownStatus, Html>> = {
  known: html`<circle cx="8" cy="8" r="7" fill="currentColor" /><path
      d="M4.5 8.2l2.4 2.4 4.6-5"
      fill="none"
      stroke="#fff"
      stroke-width="1.8"
    />`,
  'not-known': html`<circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.6" /><path
      d="M5 8h6"
      stroke="currentColor"
      stroke-width="1.6"
    />`,
  'no-answer': html`<circle
      cx="8"
      cy="8"
      r="6.2"
      fill="none"
      stroke="currentColor"
      stroke-width="1.6"
      stroke-dasharray="2.4 1.8"
    /><path
      d="M6 6.4a2 2 0 1 1 2.7 1.9c-.5.2-.7.5-.7 1M8 11.2v.9"
      fill="none"
      stroke="currentColor"
      stroke-width="1.5"
    />`,
  refused: html`<path
      d="M5 1.2h6L14.8 5v6L11 14.8H5L1.2 11V5z"
      fill="none"
      stroke="currentColor"
      stroke-width="1.6"
    /><path d="M4.6 8h6.8" stroke="currentColor" stroke-width="2" />`,
  invalid: html`<path d="M8 1.5L15 14H1z" fill="none" stroke="currentColor" stroke-width="1.6" /><path
      d="M8 6v4M8 11.4v1"
      stroke="currentColor"
      stroke-width="1.6"
    />`,
  'not-asked': html`<path d="M3 8h10" stroke="currentColor" stroke-width="1.4" stroke-dasharray="2 2" />`,
  asked: html`<path d="M2 8h9M8 4.5L11.8 8 8 11.5" fill="none" stroke="currentColor" stroke-width="1.7" />`,
  pending: html`<circle cx="3.5" cy="8" r="1.5" fill="currentColor" /><circle
      cx="8"
      cy="8"
      r="1.5"
      fill="currentColor"
    /><circle cx="12.5" cy="8" r="1.5" fill="currentColor" />`,
};

/** A status as a drawing and a word. */
export const statusBadge = (status: ShownStatus, word: string): Html =>
  html`<span class="hit-status hit-status-${status}"
    ><svg class="hit-icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">${ICONS[status]}</svg
    >${word}</span
  >`;

/** What came out about one person at one register. */
export function outcomeCell(outcome: Outcome | undefined, { language, texts: { answers } }: Wording): Html {
  if (outcome === undefined) return statusBadge('not-asked', answers.statuses['not-asked']);
  const onAddress = outcome.status === 'known' && outcome.matchedOn.every((type) => type === 'address');
  return html`${statusBadge(outcome.status, answers.statuses[outcome.status])}
  ${onAddress ? html`<span class="hit-why">${answers.matchedOnAddress}</span>` : NOTHING}
  ${'reason' in outcome ? html`<span class="hit-why">${EXPLANATIONS[outcome.reason][language]}</span>` : NOTHING}`;
}

/** A contact is what another agency says it is: nothing but a plain address becomes a link. */
const ADDRESS = /^[\w.+-]+@[\w.-]+$/;

/** How to reach a register. */
export const contactLines = ({ name, telephone, email, openingHours }: Contact): Html =>
  html`<span class="hit-contact"
    >${[
      name,
      telephone === undefined
        ? undefined
        : html`<a class="utrecht-link utrecht-link--html-a" href="tel:${telephone.replace(/[^\d+]/g, '')}"
            >${telephone}</a
          >`,
      email === undefined || !ADDRESS.test(email)
        ? email
        : html`<a class="utrecht-link utrecht-link--html-a" href="mailto:${email}">${email}</a>`,
      openingHours,
    ]
      .filter((part) => part !== undefined)
      .map((part) => html`<span>${part}</span>`)}</span
  >`;
