import type { Html } from '@hitmachine/web';
import { NOTHING, dataList, heading, html, message, paragraph, submit, timeText } from '@hitmachine/web';
import type { DeskLookup } from '../../src/domain/desk/desk-lookup.ts';
import type { LookupInput } from '../../src/domain/asking/lookup-input.ts';
import { PATHS } from '../paths.ts';
import type { Wording } from '../record-text.ts';

/** What became of a question that somebody just decided about. */
export type Decided = keyof Wording['texts']['approvals']['decided'];

/** The questions of colleagues that wait for a second professional. */
export function approvalsPage(
  { waiting, decided }: { readonly waiting: readonly DeskLookup[]; readonly decided: Decided | undefined },
  wording: Wording,
): Html {
  const { approvals } = wording.texts;
  return html`
    ${heading(1, approvals.title)} ${paragraph(approvals.lead, 'lead')}
    ${
      decided === undefined
        ? NOTHING
        : message(
            decided === 'gone' ? 'warning' : 'ok',
            approvals.decided[decided],
            approvals.decidedBody[decided],
          )
    }
    ${
      waiting.length === 0
        ? message('info', approvals.none, approvals.noneBody)
        : waiting.map((one) => waitingQuestion(one, wording))
    }
  `;
}

function waitingQuestion(lookup: DeskLookup, { language, texts }: Wording): Html {
  const { approvals, ask, answers } = texts;
  const { input, purpose, labels } = lookup;
  if (input === undefined) return NOTHING;
  const id = `waiting-${lookup.key}`;
  return html`<section aria-labelledby="${id}">
    <h2 class="utrecht-heading-2" id="${id}">${approvals.one(input.professional)}</h2>
    ${dataList([
      [approvals.since, timeText(language, lookup.since)],
      [ask.purpose, purpose.name[language]],
      [ask.legalBasis, `${purpose.legalBasis}; ${purpose.reference}`],
      [answers.case, input.caseReference],
      [
        approvals.statements,
        html`${purpose.statements.map(({ text }) => html`<div>${text[language]}</div>`)}`,
      ],
      [
        approvals.persons,
        html`${input.persons.map(
          (person, i) => html`<div>${answers.personOf(labels[i] ?? '', i + 1)}: ${describe(person)}</div>`,
        )}`,
      ],
    ])}
    <form class="hit-form" method="post" action="${PATHS.approvals}" aria-labelledby="${id}" data-once>
      <input type="hidden" name="key" value="${lookup.key}" />
      <div class="utrecht-button-group hit-buttons">
        ${submit(approvals.approve, 'approve', 'primary')} ${submit(approvals.decline, 'decline')}
      </div>
    </form>
  </section>`;
}

/** What is asked by, as it was typed: whoever approves has to see who it is about. */
function describe({
  bsn,
  name,
  birthDate,
  address,
  identifiers = {},
}: LookupInput['persons'][number]): string {
  const parts = [
    bsn,
    name && [name.givenNames, name.prefix, name.surname].filter((part) => part !== undefined).join(' '),
    birthDate,
    address && [address.postcode, address.number, address.letter, address.addition].filter(Boolean).join(' '),
    ...Object.values(identifiers),
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}
