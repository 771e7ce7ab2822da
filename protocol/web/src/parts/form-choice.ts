import type { Field } from './form.ts';
import { described, labelled, mistakeOf } from './form.ts';
import type { Html } from './html.ts';
import { NOTHING, attribute, flag, html } from './html.ts';

/** One of the things that can be chosen. */
export interface Choice {
  readonly value: string;
  readonly label: string;
  readonly description?: Html | string | undefined;
}

interface ChoiceField extends Pick<Field, 'name' | 'label' | 'description' | 'mistake'> {
  readonly choices: readonly Choice[];
}

/** One of several, each with what it means; the first has the identifier that a summary of mistakes leads to. */
export const radios = ({ choices, value, ...field }: ChoiceField & { readonly value: string }): Html =>
  group(
    field,
    choices.map((choice, i) => option('radio', field, choice, i, choice.value === value)),
  );

/** Any of several. */
export const checkboxes = ({
  choices,
  values,
  ...field
}: ChoiceField & { readonly values: readonly string[] }): Html =>
  group(
    field,
    choices.map((choice, i) => option('checkbox', field, choice, i, values.includes(choice.value))),
  );

const group = (field: Omit<ChoiceField, 'choices'>, options: readonly Html[]): Html =>
  html`<fieldset
    class="utrecht-form-fieldset utrecht-form-fieldset--html-fieldset hit-choices ${field.mistake === undefined ? '' : 'utrecht-form-fieldset--invalid'}"
    ${described(field)}
  >
    <legend class="utrecht-form-fieldset__legend utrecht-form-fieldset__legend--html-legend">
      ${field.label}
    </legend>
    ${
      field.description === undefined
        ? NOTHING
        : html`<div class="utrecht-form-field-description" id="${field.name}-description">
            ${field.description}
          </div>`
    }
    ${mistakeOf(field)} ${options}
  </fieldset>`;

function option(
  type: 'radio' | 'checkbox',
  { name, mistake }: Pick<Field, 'name' | 'mistake'>,
  { value, label, description }: Choice,
  place: number,
  on: boolean,
): Html {
  const id = place === 0 ? name : `${name}-${place}`;
  const kind = type === 'radio' ? 'radio-button' : 'checkbox';
  return html`<div class="utrecht-form-field utrecht-form-field--${type} hit-choice">
    <input
      class="utrecht-${kind} utrecht-${kind}--html-input"
      type="${type}"
      id="${id}"
      name="${name}"
      value="${value}"
      ${flag('checked', on)}${attribute('aria-describedby', description === undefined ? undefined : `${id}-about`)}
      ${attribute('data-mistaken', mistake === undefined ? undefined : '')}
    />
    <div>
      <label class="utrecht-form-label utrecht-form-label--${type}" for="${id}">${label}</label>
      ${
        description === undefined
          ? NOTHING
          : html`<div class="utrecht-form-field-description" id="${id}-about">${description}</div>`
      }
    </div>
  </div>`;
}

/** A field of several lines. */
export const textArea = ({ rows, ...field }: Field & { readonly rows: number }): Html =>
  labelled(
    field,
    html`<textarea
      class="utrecht-textarea utrecht-textarea--html-textarea ${field.mistake === undefined ? '' : 'utrecht-textarea--invalid'}"
      id="${field.name}"
      name="${field.name}"
      rows="${rows}"
      autocomplete="off"
      spellcheck="false"
      ${described(field)}
    >
${field.value}</textarea>`,
  );

/** What is wrong on a page, each with a way to its field. It takes the focus when the page is loaded. */
export const errorSummary = (
  title: string,
  mistakes: readonly { readonly field: string; readonly text: string }[],
): Html =>
  mistakes.length === 0
    ? NOTHING
    : html`<div
        class="utrecht-alert utrecht-alert--error hit-message"
        role="alert"
        tabindex="-1"
        id="mistakes"
        autofocus
      >
        <div class="utrecht-alert__content">
          <div class="utrecht-alert__message">
            <h2 class="utrecht-heading-3">${title}</h2>
            <ul class="hit-mistakes">
              ${mistakes.map(
                ({ field, text }) =>
                  html`<li><a class="utrecht-link utrecht-link--html-a" href="#${field}">${text}</a></li>`,
              )}
            </ul>
          </div>
        </div>
      </div>`;
