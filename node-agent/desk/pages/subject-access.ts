import type { Html } from '@hitmachine/web';
import {
  NOTHING,
  badge,
  button,
  buttonLink,
  checkbox,
  code,
  dataTable,
  dayText,
  heading,
  html,
  message,
  paragraph,
  textField,
  timeText,
} from '@hitmachine/web';
import { EXPLANATIONS } from '../../src/domain/asking/outcome.ts';
import type { SubjectAccessResult } from '../../src/domain/asking/subject-access.ts';
import { PATHS } from '../paths.ts';
import type { Wording } from '../record-text.ts';
import type { RequestField, RequestForm } from '../request-form.ts';

/** The form, with `failure` (an error code) when asking did not work. */
export function subjectAccessPage(form: RequestForm, failure: string | undefined, wording: Wording): Html {
  const words = wording.texts.subjectAccess;
  const { values, mistakes, noToken } = form;
  const field = (name: RequestField) => ({
    name,
    label: words[name],
    value: values[name],
    mistake: mistakes.has(name as never) ? words.mistake[name as keyof typeof words.mistake] : undefined,
  });
  return html`
    ${heading(1, words.title)} ${paragraph(words.lead, 'lead')}
    ${failure === undefined ? NOTHING : failed(failure, wording)}
    ${
      mistakes.size > 0 || noToken
        ? message('error', words.mistakes, noToken ? words.noToken : words.mistakesBody)
        : NOTHING
    }
    <form
      class="hit-form"
      method="post"
      action="${PATHS.subjectAccess}"
      aria-label="${words.title}"
      autocomplete="off"
    >
      ${paragraph(words.advice)} ${heading(2, words.request)}
      <div class="hit-fields">${textField(field('caseReference'))}</div>
      <div class="hit-checks">
        ${checkbox({
          name: 'identified',
          label: words.identified,
          on: values.identified !== '',
          mistake: mistakes.has('identified') ? words.mistake.identified : undefined,
        })}
      </div>
      ${heading(2, words.person)}
      <div class="hit-fields">${textField(field('bsn'))} ${textField(field('birthDate'))}</div>
      <div class="hit-fields">
        ${textField(field('surname'))} ${textField(field('prefix'))} ${textField(field('givenNames'))}
      </div>
      <div class="hit-fields">
        ${textField(field('postcode'))} ${textField(field('number'))} ${textField(field('letter'))}
        ${textField(field('addition'))}
      </div>
      <div class="utrecht-button-group hit-buttons">${button(words.submit)}</div>
    </form>
  `;
}

function failed(failure: string, { texts: { subjectAccess: words } }: Wording): Html {
  if (failure === 'unknown-purpose') return message('error', words.unknownPurpose, words.unknownPurposeBody);
  const known = Object.entries(words.failures).find(([name]) => name === failure)?.[1];
  return message('error', words.failed, known ?? html`${words.failures.other} ${code(failure)}`);
}

/** What came out, to be printed: it says nothing of the person but the reference of the request. */
export function subjectAccessResultPage(
  { lookupId, askedAt, answers, missing }: SubjectAccessResult,
  reference: string,
  wording: Wording,
): Html {
  const { language, texts, names } = wording;
  const words = texts.subjectAccess;
  const complete =
    missing.length === 0 &&
    answers.every(({ outcome }) => outcome.status === 'known' || outcome.status === 'not-known');
  const { columns } = words;
  return html`
    ${heading(1, words.result)}
    ${paragraph(words.resultLead(timeText(language, askedAt), reference, lookupId), 'lead')}
    ${complete ? paragraph(words.complete) : message('warning', words.incomplete, words.incompleteBody)}
    ${dataTable({
      caption: words.result,
      quiet: true,
      columns: [columns.agency, columns.answer, columns.upTo, columns.contact].map((head) => ({ head })),
      rows: [
        ...answers.map(({ agency, outcome }) => [agency.name, ...answerCells(outcome, wording)]),
        ...missing.map((id) => [names.agency(id), badge('error', words.missing), '', '']),
      ],
    })}
    ${paragraph(words.print)}
    <div class="utrecht-button-group hit-buttons">${buttonLink(words.again, PATHS.subjectAccess)}</div>
  `;
}

function answerCells(
  outcome: SubjectAccessResult['answers'][number]['outcome'],
  { language, texts: { subjectAccess: words } }: Wording,
): (Html | string)[] {
  switch (outcome.status) {
    case 'known': {
      const { name, telephone, email } = outcome.contact;
      const onAddress = outcome.matchedOn.every((type) => type === 'address');
      return [
        html`${badge('warning', words.asked)} ${onAddress ? words.onAddress : NOTHING}`,
        '',
        [name, telephone, email].filter((part) => part !== undefined).join(', '),
      ];
    }
    case 'not-known':
      return [
        badge('ok', words.notAsked),
        outcome.upTo === undefined ? '' : dayText(language, outcome.upTo),
        '',
      ];
    default:
      return [html`${badge('error', words.noAnswer)} ${EXPLANATIONS[outcome.reason][language]}`, '', ''];
  }
}
