import type { Html } from '@hitmachine/web';
import { NOTHING, dataList, dataTable, heading, html, message, paragraph, submit } from '@hitmachine/web';
import type { CheckedQuestion } from '../../src/domain/asking/lookup-check.ts';
import type { AddressedRegister } from '../../src/domain/asking/lookup-input.ts';
import { NOT_ASKED_EXPLANATIONS } from '../../src/domain/asking/not-asked.ts';
import { PATHS } from '../paths.ts';
import type { QuestionForm } from '../question-form.ts';
import { fieldName, labelsOf } from '../question-form.ts';
import type { Wording } from '../record-text.ts';
import { ASK_FORM } from './ask.ts';
import { statusBadge } from './outcome.ts';

/** What is about to be asked of whom, before it is; the form goes along in hidden fields. */
export function previewPage(
  page: {
    readonly form: QuestionForm;
    readonly checked: CheckedQuestion;
    readonly owner: string;
    readonly areaName: (code: string) => string;
    readonly notice?: Html | undefined;
  },
  wording: Wording,
): Html {
  const { form, checked, owner, areaName, notice = NOTHING } = page;
  const { language, texts } = wording;
  const { ask, preview, answers } = texts;
  const { purpose } = checked;
  const inNeed = purpose.approval !== 'none' && form.grounds === 'break-glass';
  const names = labelsOf(form).map((label, i) => answers.personOf(label, i + 1));
  const send =
    purpose.approval === 'none' ? preview.send : inNeed ? preview.sendInNeed : preview.sendToColleague;
  return html`
    ${heading(1, preview.title)} ${notice} ${paragraph(preview.lead, 'lead')}
    ${dataList([
      [ask.purpose, purpose.name[language]],
      [ask.legalBasis, `${purpose.legalBasis}; ${purpose.reference}`],
      [answers.case, form.caseReference],
    ])}
    ${heading(2, preview.who)} ${whoIsAsked(checked, names, areaName, wording)} ${heading(2, preview.told)}
    ${paragraph(preview.toldBody(owner))}
    ${inNeed ? message('warning', preview.inNeed, preview.inNeedBody) : NOTHING}
    <form
      class="hit-form"
      id="${ASK_FORM}"
      method="post"
      action="${PATHS.ask}"
      aria-label="${preview.title}"
      autocomplete="off"
      data-enhance
      data-offline="${ask.offline}"
      data-busy="${ask.busy}"
    >
      <input type="hidden" name="step" value="preview" />
      ${hiddenFields(form)}
      <div class="utrecht-button-group hit-buttons">
        ${checked.groups.length === 0 ? NOTHING : submit(send, 'send', 'primary')}
        ${submit(preview.change, 'change')}
      </div>
    </form>
  `;
}

function whoIsAsked(
  { groups, notAsked }: CheckedQuestion,
  names: readonly string[],
  areaName: (code: string) => string,
  { language, texts: { preview } }: Wording,
): Html {
  const rows = new Map<string, { readonly register: AddressedRegister; readonly cells: (Html | string)[] }>();
  const rowOf = (register: AddressedRegister) => {
    const row = rows.get(register.name) ?? { register, cells: names.map((): Html | string => '') };
    rows.set(register.name, row);
    return row;
  };
  for (const { persons, registers } of groups)
    for (const register of registers)
      for (const person of persons) rowOf(register).cells[person] = statusBadge('asked', preview.asked);
  notAsked.forEach((own, person) => {
    for (const { register, reason } of own)
      rowOf(register).cells[person] = html`${statusBadge('not-asked', preview.notAsked)}
        <span class="hit-why">${NOT_ASKED_EXPLANATIONS[reason][language]}</span>`;
  });
  const isAsked = (name: string): boolean =>
    groups.some(({ registers }) => registers.some((one) => one.name === name));
  const sorted = [...rows.values()].sort(
    (a, b) => Number(isAsked(b.register.name)) - Number(isAsked(a.register.name)),
  );
  return html`${groups.length === 0 ? message('warning', preview.notAsked, preview.nobody) : NOTHING}
  ${dataTable({
    caption: preview.who,
    quiet: true,
    columns: [preview.register, preview.area, ...names].map((head) => ({ head })),
    rows: sorted.map(({ register: { agency, register }, cells }) => [
      html`${register.name}<br /><span class="hit-agency">${agency.name}</span>`,
      areaName(register.areaOfLife),
      ...cells,
    ]),
  })}`;
}

/** What was typed, to be sent once more with the next button. */
function hiddenFields(form: QuestionForm): Html[] {
  const fields: [string, string][] = [
    ['key', form.key],
    ['purpose', form.purpose],
    ['role', form.role],
    ['caseReference', form.caseReference],
    ['grounds', form.grounds],
    ['reason', form.reason],
    ['persons', String(form.persons.length)],
    ...form.statements.map((code): [string, string] => ['statements', code]),
    ...form.persons.flatMap(({ identifiers, ...person }, i) => [
      ...Object.entries(person).map(([field, value]): [string, string] => [fieldName(i, field), value]),
      ...Object.entries(identifiers).map(([type, value]): [string, string] => [
        fieldName(i, `id-${type}`),
        value,
      ]),
    ]),
  ];
  return fields
    .filter(([, value]) => value !== '')
    .map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" autocomplete="off" />`);
}
