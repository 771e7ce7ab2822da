import type { Html } from './html.ts';
import { NOTHING, attribute, flag, html } from './html.ts';

export interface Field {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly description?: string | undefined;
  /** What is wrong with the value, and what would be right. */
  readonly mistake?: string | undefined;
}

export interface TextField extends Field {
  readonly type?: 'text' | 'date' | 'datetime-local';
  /** Which keys a tablet shows. */
  readonly keys?: 'numeric' | undefined;
  /** What a script of the page checks while it is filled in. */
  readonly check?: string | undefined;
  /** Values that are offered while typing. */
  readonly suggestions?: readonly string[];
}

export interface Option {
  readonly value: string;
  readonly text: string;
}
export interface OptionGroup {
  readonly label: string;
  readonly options: readonly Option[];
}

/** A field with a label above it; what is wrong with it stands between the two. */
export const textField = ({ type = 'text', suggestions = [], keys, check, ...field }: TextField): Html =>
  labelled(
    field,
    html`<input
        class="utrecht-textbox utrecht-textbox--html-input ${field.mistake === undefined ? '' : 'utrecht-textbox--invalid'}"
        type="${type}"
        id="${field.name}"
        name="${field.name}"
        value="${field.value}"
        autocomplete="off"
        ${attribute('inputmode', keys)}${attribute('data-check', check)}
        ${attribute('spellcheck', type === 'text' ? 'false' : undefined)}${described(field)}${attribute(
          'list',
          suggestions.length === 0 ? undefined : `${field.name}-suggestions`,
        )}
      />${
        suggestions.length === 0
          ? NOTHING
          : html`<datalist id="${field.name}-suggestions">
              ${suggestions.map((value) => html`<option value="${value}"></option>`)}
            </datalist>`
      }`,
  );

/** A file of this machine; `accept` as HTML has it. */
export const fileField = ({ accept, ...field }: Omit<Field, 'value'> & { readonly accept: string }): Html =>
  labelled(
    { ...field, value: '' },
    html`<input
      class="utrecht-textbox utrecht-textbox--html-input ${field.mistake === undefined ? '' : 'utrecht-textbox--invalid'}"
      type="file"
      id="${field.name}"
      name="${field.name}"
      accept="${accept}"
      ${described(field)}
    />`,
  );

/** A choice of one; groups keep a long list readable. */
export const selectField = (field: Field & { readonly choices: readonly (Option | OptionGroup)[] }): Html =>
  labelled(
    field,
    html`<select
      class="utrecht-select utrecht-select--html-select"
      id="${field.name}"
      name="${field.name}"
      ${described(field)}
    >
      ${field.choices.map((choice) =>
        'options' in choice
          ? html`<optgroup label="${choice.label}">
              ${choice.options.map((one) => option(one, field.value))}
            </optgroup>`
          : option(choice, field.value),
      )}
    </select>`,
  );

const option = ({ value, text }: Option, chosen: string): Html =>
  html`<option value="${value}" ${flag('selected', value === chosen)}>${text}</option>`;

interface Checkbox {
  readonly name: string;
  readonly label: string;
  readonly on: boolean;
  /** Why it must be ticked. */
  readonly mistake?: string | undefined;
}

export const checkbox = ({ name, label, on, mistake }: Checkbox): Html =>
  html`<div class="utrecht-form-field utrecht-form-field--checkbox hit-checkbox">
    <input
      class="utrecht-checkbox utrecht-checkbox--html-input"
      type="checkbox"
      id="${name}"
      name="${name}"
      value="1"
      ${flag('checked', on)}${described({ name, mistake })}
    />
    <label class="utrecht-form-label utrecht-form-label--checkbox" for="${name}">${label}</label>
    ${mistakeOf({ name, mistake })}
  </div>`;

export const button = (text: string, kind: 'primary' | 'secondary' = 'primary'): Html =>
  html`<button class="utrecht-button utrecht-button--${kind}-action utrecht-button--submit" type="submit">
    ${text}
  </button>`;

/** A button that says what is to become of its form. */
export const submit = (
  text: string,
  value: string,
  kind: 'primary' | 'secondary' | 'subtle' = 'secondary',
): Html =>
  html`<button
    class="utrecht-button utrecht-button--${kind === 'subtle' ? 'subtle' : `${kind}-action`}"
    type="submit"
    name="action"
    value="${value}"
  >
    ${text}
  </button>`;

/** A link that looks like a button: it leads somewhere and changes nothing. */
export const buttonLink = (
  text: Html | string,
  href: string,
  kind: 'primary' | 'secondary' = 'secondary',
): Html =>
  html`<a
    class="utrecht-button-link utrecht-button-link--html-a utrecht-button-link--${kind}-action"
    href="${href}"
    >${text}</a
  >`;

export const link = (text: Html | string | number, href: string): Html =>
  html`<a class="utrecht-link utrecht-link--html-a" href="${href}">${text}</a>`;

export const described = ({
  name,
  description,
  mistake,
}: Pick<Field, 'name' | 'description' | 'mistake'>): Html => {
  const ids = [
    ...(description === undefined ? [] : [`${name}-description`]),
    ...(mistake === undefined ? [] : [`${name}-mistake`]),
  ];
  return html`${attribute('aria-describedby', ids.length === 0 ? undefined : ids.join(' '))}${attribute(
    'aria-invalid',
    mistake === undefined ? undefined : 'true',
  )}`;
};

export const labelled = (field: Field, control: Html): Html =>
  html`<div
    class="utrecht-form-field utrecht-form-field--text hit-field ${field.mistake === undefined ? '' : 'utrecht-form-field--invalid'}"
  >
    <label class="utrecht-form-label" for="${field.name}">${field.label}</label>
    ${
      field.description === undefined
        ? NOTHING
        : html`<div class="utrecht-form-field-description" id="${field.name}-description">
            ${field.description}
          </div>`
    }
    ${mistakeOf(field)} ${control}
  </div>`;

export const mistakeOf = ({ name, mistake }: Pick<Field, 'name' | 'mistake'>): Html =>
  mistake === undefined
    ? NOTHING
    : html`<div class="utrecht-form-field-error-message" id="${name}-mistake">${mistake}</div>`;
