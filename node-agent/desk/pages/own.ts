import type { Html, PeriodForm } from '@hitmachine/web';
import {
  NOTHING,
  badge,
  button,
  buttonLink,
  code,
  dataList,
  dataTable,
  dayText,
  heading,
  html,
  link,
  message,
  numberText,
  paragraph,
  textField,
  timeText,
} from '@hitmachine/web';
import type { AskedOfUs } from '../../src/domain/desk/asked-of-us.ts';
import { SMALL } from '../../src/domain/desk/asked-of-us.ts';
import type { NoAnswerReason, Outcome } from '../../src/domain/asking/outcome.ts';
import { EXPLANATIONS } from '../../src/domain/asking/outcome.ts';
import type { OwnLookup, OwnRecord } from '../../src/domain/desk/own-lookups.ts';
import { PATHS, ownPath } from '../paths.ts';
import type { Wording } from '../record-text.ts';
import { statusBadge } from './outcome.ts';

/** What a professional has asked in a period. */
export function ownPage(
  { period, records }: { readonly period: PeriodForm; readonly records: readonly OwnRecord[] },
  { language, texts, names }: Wording,
): Html {
  const { own } = texts;
  const { columns } = own;
  return html`
    ${heading(1, own.title)} ${paragraph(own.lead, 'lead')}
    <form class="hit-form" method="get" action="${PATHS.own}" aria-label="${own.period}">
      <div class="hit-fields">
        ${textField({
          name: 'from',
          label: own.from,
          type: 'date',
          value: period.from,
          mistake: period.mistake ? own.mistake : undefined,
        })}
        ${textField({ name: 'to', label: own.to, type: 'date', value: period.to })}
      </div>
      <div class="utrecht-button-group hit-buttons">${button(own.submit, 'secondary')}</div>
    </form>
    ${
      records.length === 0
        ? message('info', own.none, own.noneBody)
        : dataTable({
            caption: own.title,
            quiet: true,
            columns: [columns.time, columns.purpose, columns.case, columns.persons, columns.status].map(
              (head) => ({ head }),
            ),
            rows: records.map((record) => [
              link(timeText(language, record.at), ownPath(record.sequence)),
              names.purpose(record.detail.purpose),
              record.detail.caseReference,
              numberText(language, record.detail.subjects.length),
              badge(record.status === 'complete' ? 'ok' : 'warning', texts.statuses[record.status]),
            ]),
          })
    }
  `;
}

/** One of them, with what came out of it as long as that is kept. */
export function ownLookupPage({ record, outcomes }: OwnLookup, wording: Wording): Html {
  const { language, texts, names } = wording;
  const { own, answers } = texts;
  const { detail, at, lookupId, sequence } = record;
  const basis = names.legalBasis(detail.purpose);
  const registers = [...new Set((outcomes ?? []).flatMap((person) => Object.keys(person)))].sort();
  return html`
    ${heading(1, own.one(timeText(language, at)))}
    ${dataList([
      [texts.ask.purpose, names.purpose(detail.purpose)],
      ...(basis === undefined ? [] : [[answers.legalBasis, basis] as const]),
      [answers.case, detail.caseReference],
      ...(lookupId === undefined ? [] : [[answers.reference, code(lookupId)] as const]),
      ...(detail.approval === undefined ? [] : [[answers.approvedBy, detail.approval.professional] as const]),
      ...(detail.breakGlass === undefined ? [] : [[answers.inNeed, detail.breakGlass.reason] as const]),
    ])}
    ${
      record.outcomesRemoved
        ? message('info', own.columns.status, own.removed)
        : outcomes === undefined || record.status === 'failed'
          ? message('warning', texts.statuses[record.status], own.unfinished)
          : dataTable({
              caption: answers.answer,
              quiet: true,
              columns: [answers.register, ...outcomes.map((_, i) => answers.personOf('', i + 1))].map(
                (head) => ({ head }),
              ),
              rows: registers.map((register) => [
                names.register(register),
                ...outcomes.map((person) => loggedOutcome(person[register], wording)),
              ]),
            })
    }
    ${
      outcomes === undefined
        ? NOTHING
        : html`${paragraph(own.contacts, 'small')}
            <div class="utrecht-button-group hit-buttons">
              ${buttonLink(answers.notePdf, `${ownPath(sequence)}/note.pdf`)}
              ${buttonLink(answers.noteText, `${ownPath(sequence)}/note.txt`)}
            </div>`
    }
    ${paragraph(link(own.back, PATHS.own))}
  `;
}

/** An outcome as the log has it: a status, or a status and its reason. */
function loggedOutcome(text: string | undefined, { language, texts: { answers } }: Wording): Html {
  if (text === undefined) return statusBadge('not-asked', answers.statuses['not-asked']);
  const [status, reason] = text.split(': ') as [Outcome['status'], NoAnswerReason | undefined];
  return html`${statusBadge(status, answers.statuses[status])}
  ${reason === undefined ? NOTHING : html`<span class="hit-why">${EXPLANATIONS[reason][language]}</span>`}`;
}

/** What other agencies asked, as figures. */
export function askedOfUsPage(figures: readonly AskedOfUs[], { language, texts, names }: Wording): Html {
  const words = texts.askedOfUs;
  const { columns } = words;
  return html`
    ${heading(1, words.title)} ${paragraph(words.lead, 'lead')}
    ${
      figures.length === 0
        ? message('info', words.none, words.noneBody)
        : html`${dataTable({
            caption: words.title,
            quiet: true,
            columns: [
              { head: columns.month },
              { head: columns.purpose },
              { head: columns.agency },
              { head: columns.persons },
            ],
            rows: figures.map(({ month, agency, purpose, atLeast }) => [
              dayText(language, `${month}-01`).replace(/^1 /, ''),
              names.purpose(purpose),
              names.agency(agency),
              atLeast < SMALL ? words.small : words.atLeast(numberText(language, atLeast)),
            ]),
          })}
          ${paragraph(words.rounded, 'small')}`
    }
  `;
}
