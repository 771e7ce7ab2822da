import type { HitError } from '@hitmachine/protocol';
import type { Html } from '@hitmachine/web';
import {
  NOTHING,
  buttonLink,
  code,
  dataList,
  heading,
  html,
  message,
  paragraph,
  raw,
  submit,
  timeText,
} from '@hitmachine/web';
import type { DeskLookup, DeskRow } from '../../src/domain/desk/desk-lookup.ts';
import type { AddressedRegister } from '../../src/domain/asking/lookup-input.ts';
import { NOT_ASKED_EXPLANATIONS } from '../../src/domain/asking/not-asked.ts';
import { PATHS, lookupPath } from '../paths.ts';
import type { Wording } from '../record-text.ts';
import { contactLines, outcomeCell, statusBadge } from './outcome.ts';

/** What the answers are shown with. */
export interface AnswersPage {
  readonly lookup: DeskLookup;
  readonly owner: string;
  readonly areaName: (code: string) => string;
}

const namesOf = ({ labels }: DeskLookup, { texts }: Wording): string[] =>
  labels.map((label, i) => texts.answers.personOf(label, i + 1));

export const answersTitle = ({ labels }: DeskLookup, { texts: { answers } }: Wording): string =>
  labels.length === 1 ? answers.title : answers.titleHousehold;

/** What stands above the answers, with the head of their table. A page of many persons is printed on its side. */
export function answersTop({ lookup, areaName }: AnswersPage, wording: Wording): Html {
  const { answers } = wording.texts;
  const names = namesOf(lookup, wording);
  const [only] = names;
  const title = answersTitle(lookup, wording);
  return html`${raw(`<div class="hit-answers ${names.length > 3 ? 'hit-household' : ''}">`)}
    ${heading(1, title)}
    ${names.length === 1 && lookup.labels[0] !== '' ? paragraph(only ?? '', 'lead') : NOTHING}
    ${lookup.state === 'running' ? waitingFor(lookup, areaName, wording) : NOTHING}
    ${raw('<div class="utrecht-table-container hit-table" role="region" tabindex="0"')}
    ${raw(` aria-label="${answers.answer}"><table class="utrecht-table utrecht-table--alternate-row-color">`)}
    <caption class="utrecht-table__caption hit-hidden">
      ${title}
    </caption>
    <thead class="utrecht-table__header">
      <tr class="utrecht-table__row">
        ${[answers.register, ...(names.length === 1 ? [answers.answer] : names), answers.contact].map(
          (head) => html`<th scope="col" class="utrecht-table__header-cell">${head}</th>`,
        )}
      </tr>
    </thead>
    ${raw('<tbody class="utrecht-table__body">')}`;
}

/** The registers that have not answered yet; each goes from this list, by the style sheet, when its row comes. */
const waitingFor = (
  lookup: DeskLookup,
  areaName: (code: string) => string,
  { texts: { answers } }: Wording,
): Html =>
  html`<section class="hit-waiting" aria-labelledby="waiting">
    <h2 class="utrecht-heading-3" id="waiting">${answers.waitingFor}</h2>
    <p class="utrecht-paragraph">${answers.running}</p>
    <ul class="hit-waiting-list" role="list">
      ${lookup.registers.map(
        (register, place) =>
          html`<li data-waiting="${place}">
            ${statusBadge('pending', answers.statuses.pending)} ${registerName(register, areaName)}
          </li>`,
      )}
    </ul>
  </section>`;

const registerName = ({ agency, register }: AddressedRegister, areaName: (code: string) => string): Html =>
  html`<span class="hit-register">${register.name}</span>
    <span class="hit-agency">${agency.name}, ${areaName(register.areaOfLife)}</span>`;

export function answerRow({ register, outcomes }: DeskRow, page: AnswersPage, wording: Wording): Html {
  const { lookup, areaName } = page;
  const place = lookup.registers.findIndex(({ name }) => name === register.name);
  const known = outcomes.find((one) => one?.status === 'known');
  return html`<tr class="utrecht-table__row" data-answered="${place}">
    <th scope="row" class="utrecht-table__cell hit-row-head">${registerName(register, areaName)}</th>
    ${lookup.labels.map(
      (_, person) => html`<td class="utrecht-table__cell">${outcomeCell(outcomes[person], wording)}</td>`,
    )}
    <td class="utrecht-table__cell">${known === undefined ? NOTHING : contactLines(known.contact)}</td>
  </tr>`;
}

/** What stands below the answers once they are all there. */
export function answersEnd(page: AnswersPage, wording: Wording): Html {
  const { lookup } = page;
  return html`${raw('</tbody></table></div>')}
    <div class="hit-finished">
      ${lookup.state === 'failed' ? failedPart(lookup, wording) : finishedPart(page, wording)}
    </div>
    ${raw('</div>')}`;
}

function finishedPart({ lookup, owner, areaName }: AnswersPage, wording: Wording): Html {
  const { answers } = wording.texts;
  const known = lookup.rows.filter(({ outcomes }) => outcomes.some((one) => one?.status === 'known')).length;
  const refused = lookup.rows.some(({ outcomes }) => outcomes.some((one) => one?.status === 'refused'));
  const missing = lookup.begun?.missing ?? [];
  return html`
    ${
      lookup.failure === undefined
        ? NOTHING
        : message(
            'error',
            lookup.round === 0 ? answers.partlyFailed : answers.againFailed,
            failureText(lookup.failure, wording),
          )
    }
    ${
      lookup.isComplete
        ? message('ok', answers.complete, answers.completeBody(known, lookup.labels.length))
        : message(
            'warning',
            answers.incomplete,
            html`${lookup.withoutAnswer.length > 0 || !refused ? answers.incompleteBody : NOTHING}
            ${refused ? answers.refusedBody : NOTHING}
            ${missing.length === 0 ? NOTHING : answers.missing(missing.join(', '))}`,
          )
    }
    ${againForm(lookup, wording)}
    ${
      known === 0
        ? NOTHING
        : html`${heading(2, answers.call)}
          ${paragraph(answers.callBody(owner, lookup.purpose.name[wording.language]))}`
    }
    ${facts(lookup, wording)} ${notAskedPart(lookup, areaName, wording)}
    <section class="hit-buttons-part" aria-labelledby="note">
      <h2 class="utrecht-heading-2" id="note">${answers.note}</h2>
      ${paragraph(answers.noteLead)}
      <div class="utrecht-button-group hit-buttons">
        ${buttonLink(answers.notePdf, `${lookupPath(lookup.key)}/note.pdf`)}
        ${buttonLink(answers.noteText, `${lookupPath(lookup.key)}/note.txt`)}
        ${buttonLink(answers.next, PATHS.ask, 'primary')}
      </div>
      ${paragraph(answers.print, 'small')}
    </section>
  `;
}

/** Those who did not answer may be asked again as long as the gateway remembers the question. */
function againForm(lookup: DeskLookup, { texts: { answers } }: Wording): Html {
  const count = lookup.withoutAnswer.length;
  if (count === 0) return NOTHING;
  return lookup.input === undefined
    ? paragraph(answers.tooLate)
    : html`<form method="post" action="${lookupPath(lookup.key)}/again" class="hit-again" data-once>
        <input type="hidden" name="round" value="${lookup.round}" />
        <div class="utrecht-button-group hit-buttons">
          ${submit(answers.again(count), 'again', 'primary')}
        </div>
        ${paragraph(answers.againHelp, 'small')}
      </form>`;
}

function facts(lookup: DeskLookup, { language, texts: { answers } }: Wording): Html {
  const { purpose, input, lookupIds, begun, decidedBy } = lookup;
  return dataList([
    [answers.reference, html`${lookupIds.map((id) => html`<div>${code(id)}</div>`)}`],
    [answers.legalBasis, `${purpose.legalBasis}; ${purpose.reference}`],
    ...(input === undefined ? [] : [[answers.case, input.caseReference] as const]),
    [answers.askedAt, timeText(language, begun?.askedAt ?? lookup.since)],
    ...(decidedBy === undefined ? [] : [[answers.approvedBy, decidedBy] as const]),
    ...(input?.breakGlass === undefined ? [] : [[answers.inNeed, input.breakGlass.reason] as const]),
  ]);
}

function notAskedPart(lookup: DeskLookup, areaName: (code: string) => string, wording: Wording): Html {
  const { language, texts } = wording;
  const names = namesOf(lookup, wording);
  const lines = (lookup.begun?.notAsked ?? []).flatMap((own, person) =>
    own.map(({ register, reason }) => ({ person, register, reason })),
  );
  if (lines.length === 0) return NOTHING;
  return html`<details class="hit-details">
    <summary>${texts.answers.notAsked} (${lines.length})</summary>
    ${paragraph(texts.answers.notAskedLead)}
    <ul class="hit-not-asked">
      ${lines.map(
        ({ person, register, reason }) =>
          html`<li>
            ${names.length === 1 ? NOTHING : html`${names[person] ?? ''}: `}${registerName(register, areaName)}.
            ${NOT_ASKED_EXPLANATIONS[reason][language]}
          </li>`,
      )}
    </ul>
  </details>`;
}

export function failureText({ code: errorCode }: HitError, { texts: { answers } }: Wording): Html | string {
  const known = Object.entries(answers.failures).find(([name]) => name === errorCode)?.[1];
  return known ?? html`${answers.failures.other} ${code(errorCode)}`;
}

function failedPart(lookup: DeskLookup, wording: Wording): Html {
  const { answers } = wording.texts;
  const { failure } = lookup;
  return html`
    ${message(
      'error',
      answers.failed,
      html`${failure === undefined ? NOTHING : failureText(failure, wording)} ${answers.failedBody}`,
    )}
    ${
      lookup.input === undefined
        ? NOTHING
        : html`<form method="post" action="${lookupPath(lookup.key)}/again" data-once>
            <input type="hidden" name="round" value="${lookup.round}" />
            <div class="utrecht-button-group hit-buttons">${submit(answers.retry, 'again', 'primary')}</div>
          </form>`
    }
  `;
}

/** A question that waits for a colleague, or that a colleague did not let through. */
export function waitingPage(lookup: DeskLookup, wording: Wording): Html {
  const { answers } = wording.texts;
  const declined = lookup.state === 'declined';
  const body = declined ? answers.declinedBody(lookup.decidedBy) : answers.awaitingBody;
  return html`
    ${heading(1, declined ? answers.declined : answers.awaiting)} ${paragraph(body, 'lead')}
    <div class="utrecht-button-group hit-buttons">
      ${
        declined
          ? buttonLink(answers.next, PATHS.ask, 'primary')
          : buttonLink(answers.look, lookupPath(lookup.key), 'primary')
      }
    </div>
    ${declined ? NOTHING : html`<div data-poll="${lookupPath(lookup.key)}/state" data-state="${lookup.state}"></div>`}
  `;
}

/** The key leads nowhere any more. */
export const gonePage = ({ texts: { answers, askingPages } }: Wording): Html => html`
  ${heading(1, answers.gone)} ${paragraph(answers.goneBody, 'lead')}
  <div class="utrecht-button-group hit-buttons">
    ${buttonLink(askingPages.own, PATHS.own, 'primary')} ${buttonLink(answers.next, PATHS.ask)}
  </div>
`;
