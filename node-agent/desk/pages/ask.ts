import type { Html } from '@hitmachine/web';
import {
  NOTHING,
  dataList,
  errorSummary,
  heading,
  html,
  link,
  message,
  paragraph,
  radios,
  selectField,
  submit,
  textArea,
  textField,
} from '@hitmachine/web';
import type { PermittedPurpose } from '../../src/domain/asking/permitted-purposes.ts';
import { PATHS } from '../paths.ts';
import type { PersonField, PersonValues } from '../person-values.ts';
import type { QuestionForm } from '../question-form.ts';
import { fieldName } from '../question-form.ts';
import type { Wording } from '../record-text.ts';
import { statementsField } from './purpose-parts.ts';

/** The identifier of the form, by which the button for the other language takes it along. */
export const ASK_FORM = 'ask';

/** The form, with what the purpose wants. */
export interface AskPage {
  readonly form: QuestionForm;
  readonly permitted: PermittedPurpose;
  /** Codes of all roles with their names. */
  readonly roleName: (code: string) => string;
  /** What may be searched by. */
  readonly tokenTypes: readonly string[];
  readonly otherPurposes: boolean;
  /** Something to know before going on. */
  readonly notice?: Html | undefined;
}

export function askPage(page: AskPage, wording: Wording): Html {
  const { form, permitted, tokenTypes, roleName, otherPurposes, notice = NOTHING } = page;
  const { purpose, roles } = permitted;
  const { language, texts } = wording;
  const words = texts.ask;
  const mistakeAt = (name: string): string | undefined => {
    const mistake = form.mistakes.get(name);
    return mistake === undefined ? undefined : words.mistake[mistake];
  };
  return html`
    ${heading(1, words.title)} ${notice} ${mistakesOf(form, wording)}
    <section aria-label="${words.purpose}" class="hit-purpose">
      ${heading(2, purpose.name[language])} ${paragraph(purpose.explanation[language])}
      ${dataList([[words.legalBasis, `${purpose.legalBasis}; ${purpose.reference}`]])}
      ${otherPurposes ? paragraph(link(words.otherPurpose, PATHS.ask)) : NOTHING}
    </section>
    <form
      class="hit-form hit-ask"
      id="${ASK_FORM}"
      method="post"
      action="${PATHS.ask}"
      aria-label="${words.title}"
      autocomplete="off"
      data-enhance
      data-offline="${words.offline}"
      data-busy="${words.busy}"
      data-bsn-right="${words.bsnRight}"
      data-bsn-wrong="${words.bsnWrong}"
      novalidate
    >
      <input type="hidden" name="step" value="form" />
      <input type="hidden" name="key" value="${form.key}" />
      <input type="hidden" name="purpose" value="${purpose.code}" />
      <input type="hidden" name="persons" value="${form.persons.length}" />
      ${statementsField(purpose, wording, {
        label: words.statements,
        description: words.statementsHelp,
        mistake: mistakeAt('statements'),
        values: form.statements,
      })}
      <div class="hit-fields">
        ${textField({
          name: 'caseReference',
          label: words.caseReference,
          description: words.caseReferenceHelp,
          value: form.caseReference,
          mistake: mistakeAt('caseReference'),
        })}
        ${
          roles.length > 1
            ? selectField({
                name: 'role',
                label: words.role,
                value: form.role,
                choices: roles.map((role) => ({ value: role, text: roleName(role) })),
              })
            : html`<input type="hidden" name="role" value="${roles[0] ?? ''}" />`
        }
      </div>
      ${paragraph(words.personHelp)}
      ${form.persons.map((person, i) => personFields(person, i, { form, tokenTypes, mistakeAt }, wording))}
      <div class="utrecht-button-group hit-buttons">${submit(words.addPerson, 'add')}</div>
      <details class="hit-details" ${form.pasted !== '' || form.mistakes.has('pasted') ? 'open' : ''}>
        <summary>${words.pasteTitle}</summary>
        ${textArea({
          name: 'pasted',
          label: words.pasted,
          description: words.pastedHelp,
          value: form.pasted,
          mistake: mistakeAt('pasted'),
          rows: 4,
        })}
        <div class="utrecht-button-group hit-buttons">${submit(words.paste, 'paste')}</div>
      </details>
      ${purpose.approval === 'none' ? NOTHING : groundsFields(form, purpose.breakGlass, mistakeAt, wording)}
      <div class="utrecht-button-group hit-buttons hit-send">${submit(words.check, 'check', 'primary')}</div>
      ${paragraph(words.nothingAsked, 'small')}
    </form>
  `;
}

/** What is wrong, each with the way to its field. */
function mistakesOf({ mistakes, persons }: QuestionForm, { texts }: Wording): Html {
  const words = texts.ask;
  return errorSummary(
    words.mistakes,
    [...mistakes].map(([field, mistake]) => {
      const [, person] = /^p(\d+)-/.exec(field) ?? [];
      const of = person === undefined || persons.length < 2 ? '' : `${words.person(Number(person) + 1)}: `;
      return { field, text: `${of}${words.mistake[mistake]}` };
    }),
  );
}

function personFields(
  person: PersonValues,
  place: number,
  {
    form,
    tokenTypes,
    mistakeAt,
  }: {
    readonly form: QuestionForm;
    readonly tokenTypes: readonly string[];
    readonly mistakeAt: (name: string) => string | undefined;
  },
  { texts }: Wording,
): Html {
  const words = texts.ask;
  const field = (name: PersonField, help?: string) => ({
    name: fieldName(place, name),
    label: words[name],
    description: help,
    value: person[name],
    mistake: mistakeAt(fieldName(place, name)),
  });
  const own = tokenTypes.filter((type) => !['bsn', 'name+birthdate', 'address'].includes(type));
  return html`<fieldset class="utrecht-form-fieldset utrecht-form-fieldset--html-fieldset hit-person">
    <legend class="utrecht-form-fieldset__legend utrecht-form-fieldset__legend--html-legend">
      ${words.person(place + 1)}
    </legend>
    <div class="hit-fields">
      ${
        tokenTypes.includes('bsn')
          ? textField({ ...field('bsn', words.bsnHelp), keys: 'numeric', check: 'bsn' })
          : NOTHING
      }
      ${textField(field('label', words.labelHelp))}
      ${own.map((type) =>
        textField({
          name: fieldName(place, `id-${type}`),
          label: type,
          value: person.identifiers[type] ?? '',
        }),
      )}
    </div>
    ${
      tokenTypes.includes('name+birthdate')
        ? html`<div class="hit-fields">
            ${textField(field('surname'))} ${textField(field('prefix'))} ${textField(field('givenNames'))}
            ${textField(field('birthDate', words.birthDateHelp))}
          </div>`
        : NOTHING
    }
    ${
      tokenTypes.includes('address')
        ? html`<div class="hit-fields">
            ${textField(field('postcode'))} ${textField(field('number'))} ${textField(field('letter'))}
            ${textField(field('addition'))}
          </div>`
        : NOTHING
    }
    ${
      form.persons.length > 1
        ? html`<div class="utrecht-button-group hit-buttons">
            ${submit(words.removePerson(place + 1), `remove-${place}`, 'subtle')}
          </div>`
        : NOTHING
    }
  </fieldset>`;
}

function groundsFields(
  form: QuestionForm,
  breakGlass: boolean,
  mistakeAt: (name: string) => string | undefined,
  { texts }: Wording,
): Html {
  const words = texts.ask;
  const approval = { value: 'approval', label: words.approval, description: words.approvalHelp };
  const inNeed = { value: 'break-glass', label: words.breakGlass, description: words.breakGlassHelp };
  return html`${radios({
    name: 'grounds',
    label: words.grounds,
    description: words.groundsHelp,
    mistake: mistakeAt('grounds'),
    value: form.grounds,
    choices: breakGlass ? [approval, inNeed] : [approval],
  })}
  ${
    breakGlass
      ? textArea({
          name: 'reason',
          label: words.reason,
          description: words.reasonHelp,
          value: form.reason,
          mistake: mistakeAt('reason'),
          rows: 2,
        })
      : NOTHING
  }`;
}

/** Somebody's login has ended while he or she was filling in a form: it stands in this page alone. */
export const loggedOutNotice = ({ texts }: Wording): Html =>
  message(
    'warning',
    texts.ask.loggedOut,
    html`${texts.ask.loggedOutBody}
      <a
        class="utrecht-link utrecht-link--html-a"
        href="${PATHS.login}?${new URLSearchParams({ to: PATHS.loggedIn }).toString()}"
        target="_blank"
        rel="noopener"
        >${texts.ask.loggedOutLink}</a
      >. ${texts.ask.loggedOutNext}`,
  );
