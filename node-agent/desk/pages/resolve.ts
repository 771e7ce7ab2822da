import type { Html } from '@hitmachine/web';
import {
  NOTHING,
  button,
  code,
  dataTable,
  heading,
  html,
  link,
  message,
  numberText,
  paragraph,
  textField,
  timeText,
} from '@hitmachine/web';
import type { Resolved } from '../../src/domain/own-log/resolve.ts';
import { PATHS, entryPath } from '../paths.ts';
import type { Wording } from '../record-text.ts';

/** `result` is undefined before anything was sent; `empty` when the field was left empty. */
export function resolvePage(
  { value, result, empty }: { value: string; result: Resolved | undefined; empty: boolean },
  wording: Wording,
): Html {
  const { resolve } = wording.texts;
  return html`
    ${heading(1, resolve.title)} ${paragraph(resolve.lead, 'lead')}
    <form class="hit-form" method="post" action="${PATHS.resolve}" aria-label="${resolve.title}">
      ${textField({
        name: 'value',
        label: resolve.value,
        description: resolve.valueHelp,
        value,
        mistake: empty ? resolve.empty : undefined,
      })}
      <div class="utrecht-button-group hit-buttons">${button(resolve.submit)}</div>
    </form>
    ${result === undefined ? NOTHING : found(result, wording)}
  `;
}

function found({ professionals, cases }: Resolved, { language, texts, searchPath }: Wording): Html {
  const { resolve } = texts;
  const { columns } = resolve;
  if (professionals.length === 0 && cases.length === 0)
    return message('info', resolve.none, resolve.noneBody);
  return html`
    ${
      professionals.length === 0
        ? NOTHING
        : html`<section aria-labelledby="professionals">
            <h2 class="utrecht-heading-2" id="professionals">${resolve.professionals}</h2>
            ${dataTable({
              caption: resolve.professionals,
              quiet: true,
              columns: [
                { head: columns.professional },
                { head: columns.pseudonym },
                { head: columns.lookups, numeric: true },
                { head: columns.lastAt },
              ],
              rows: professionals.map(({ professional, pseudonym, lookups, lastAt }) => [
                link(professional, searchPath({ professional })),
                code(pseudonym),
                numberText(language, lookups),
                timeText(language, lastAt),
              ]),
            })}
          </section>`
    }
    ${
      cases.length === 0
        ? NOTHING
        : html`<section aria-labelledby="cases">
            <h2 class="utrecht-heading-2" id="cases">${resolve.cases}</h2>
            ${dataTable({
              caption: resolve.cases,
              quiet: true,
              columns: [
                { head: columns.entry, numeric: true },
                ...[columns.caseReference, columns.commitment, columns.time, columns.lookupId].map(
                  (head) => ({ head }),
                ),
              ],
              rows: cases.map(({ sequence, caseReference, commitment, at, lookupId }) => [
                link(numberText(language, sequence), entryPath(sequence)),
                caseReference,
                code(commitment),
                timeText(language, at),
                lookupId === undefined ? '' : code(lookupId),
              ]),
            })}
          </section>`
    }
  `;
}
