import type { Html } from '@hitmachine/web';
import {
  NOTHING,
  button,
  buttonLink,
  dataList,
  errorSummary,
  heading,
  html,
  fileField,
  message,
  numberText,
  paragraph,
  selectField,
  textField,
} from '@hitmachine/web';
import type { FieldError } from '@hitmachine/protocol';
import type { DeskBatch } from '../../src/domain/desk/desk-batches.ts';
import type { PermittedPurpose } from '../../src/domain/asking/permitted-purposes.ts';
import { batchReport, batchTextsOf } from '../batch-report.ts';
import type { BatchReport } from '../batch-summary.ts';
import type { BatchTexts } from '../texts/nl-batch.ts';
import { PATHS, batchPath } from '../paths.ts';
import type { Wording } from '../record-text.ts';
import { failureText } from './answers.ts';
import { purposeSection, statementsField } from './purpose-parts.ts';

/** What was filled in. Files cannot be: browsers ask for them anew. */
export interface BatchForm {
  readonly key: string;
  readonly caseReference: string;
  readonly statements: readonly string[];
  readonly smallest: string;
}

/** What is wrong with a form, by field; of the file, line by line. */
export interface BatchMistakes {
  readonly caseReference?: boolean;
  readonly statements?: boolean;
  readonly file?: readonly FieldError[] | undefined;
}

const SMALLEST = ['5', '10', '1'];

/** Lines of a file whose mistakes are shown. */
const MOST_LINES = 50;

/** What is wrong with a file, a line of text for each of its lines; no mistakes mean that there is no file. */
function fileTexts(mistakes: readonly FieldError[], words: BatchTexts['page']): string {
  if (mistakes.length === 0) return words.fileMissing;
  const kinds: Readonly<Record<string, string>> = words.fileMistake;
  const lines = mistakes
    .slice(0, MOST_LINES)
    .map(({ field, detail }) => words.fileLine(field, kinds[detail] ?? words.fileMistake.row));
  return [...lines, ...(mistakes.length > MOST_LINES ? ['…'] : [])].join('\n');
}

/** The purposes that a batch may be asked for. */
export function batchPurposesPage(permitted: readonly PermittedPurpose[], { language }: Wording): Html {
  const words = batchTextsOf(language).page;
  return html`
    ${heading(1, words.title)} ${paragraph(words.lead, 'lead')}
    ${permitted.length === 0 ? message('info', words.none, words.noneBody) : NOTHING}
    ${permitted.map(({ purpose }) =>
      purposeSection(purpose, { language }, words, {
        href: `${PATHS.batch}?${new URLSearchParams({ purpose: purpose.code }).toString()}`,
      }),
    )}
  `;
}

export function batchFormPage(
  { purpose }: PermittedPurpose,
  form: BatchForm,
  mistakes: BatchMistakes,
  { language }: Wording,
): Html {
  const words = batchTextsOf(language).page;
  const texts = {
    statements: mistakes.statements === true ? words.statementsMissing : undefined,
    caseReference: mistakes.caseReference === true ? words.caseReferenceMissing : undefined,
    file: mistakes.file === undefined ? undefined : fileTexts(mistakes.file, words),
  };
  const [firstLine = ''] = texts.file?.split('\n') ?? [];
  const file = {
    name: 'file',
    label: words.file,
    description: words.fileHelp,
    mistake: texts.file === undefined ? undefined : firstLine,
  };
  return html`
    ${heading(1, words.title)}
    ${errorSummary(
      words.mistakes,
      Object.entries({ ...texts, file: file.mistake }).flatMap(([field, text]) =>
        text === undefined ? [] : [{ field, text }],
      ),
    )}
    ${
      texts.file?.includes('\n') === true
        ? message(
            'error',
            words.fileMistakes,
            html`${texts.file.split('\n').map((line) => html`${line}<br />`)}`,
          )
        : NOTHING
    }
    <section class="hit-purpose" aria-label="${words.purpose}">
      ${heading(2, purpose.name[language])} ${paragraph(purpose.explanation[language])}
      ${dataList([[words.legalBasis, `${purpose.legalBasis}; ${purpose.reference}`]])}
    </section>
    <form
      class="hit-form"
      method="post"
      action="${PATHS.batch}"
      enctype="multipart/form-data"
      aria-label="${words.title}"
      autocomplete="off"
      novalidate
    >
      <input type="hidden" name="key" value="${form.key}" />
      <input type="hidden" name="purpose" value="${purpose.code}" />
      ${statementsField(
        purpose,
        { language },
        {
          label: words.statements,
          mistake: texts.statements,
          values: form.statements,
        },
      )}
      <div class="hit-fields">
        ${textField({
          name: 'caseReference',
          label: words.caseReference,
          value: form.caseReference,
          mistake: texts.caseReference,
        })}
        ${selectField({
          name: 'smallest',
          label: words.smallest,
          value: form.smallest,
          choices: SMALLEST.map((value) => ({ value, text: value })),
        })}
      </div>
      ${fileField({ ...file, accept: '.csv,text/csv' })}
      <div class="utrecht-button-group hit-buttons">${button(words.submit)}</div>
    </form>
  `;
}

/** How far it is, and in the end the report. */
export function batchResultPage(batch: DeskBatch, report: BatchReport, wording: Wording): Html {
  const { language } = wording;
  const words = batchTextsOf(language).page;
  const { end, progress, households, waiting } = batch;
  const number = (value: number): string => numberText(language, value);
  if (end === undefined) {
    const text = words.progress(number(progress.next), number(households));
    return html`
      ${heading(1, words.running)}
      <div role="status">
        <p class="utrecht-paragraph"><label for="progress">${text}</label></p>
        <progress class="hit-progress" id="progress" max="${households}" value="${progress.next}">
          ${text}
        </progress>
        ${waiting === undefined ? NOTHING : paragraph(words.waiting(waiting.seconds))}
      </div>
      ${paragraph(words.refreshed, 'small')}
      <form method="post" action="${batchPath(batch.key)}/stop">${button(words.stop, 'secondary')}</form>
    `;
  }
  const links = html`<div class="utrecht-button-group hit-buttons hit-no-print">
    ${buttonLink(words.downloadPage, `${batchPath(batch.key)}/report.html`, 'primary')}
    ${buttonLink(words.downloadTable, `${batchPath(batch.key)}/report.csv`)}
    ${buttonLink(words.another, PATHS.batch)}
  </div>`;
  return html`
    ${
      end.type === 'failed'
        ? message('error', words.failed, html`${words.failedAt(end.line)} ${failureText(end.error, wording)}`)
        : end.type === 'stopped'
          ? message('info', words.stopped, words.progress(number(progress.next), number(households)))
          : NOTHING
    }
    ${progress.next === 0 ? heading(1, words.title) : html`${batchReport(report, language)}`} ${links}
  `;
}
