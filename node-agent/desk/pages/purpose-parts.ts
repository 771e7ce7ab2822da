import type { Purpose } from '@hitmachine/protocol';
import type { Html } from '@hitmachine/web';
import { NOTHING, buttonLink, checkboxes, dataList, html, paragraph } from '@hitmachine/web';
import type { Wording } from '../record-text.ts';

/** A purpose to choose: what it is, why it is allowed, what else to know (`more`), and the way on. */
export const purposeSection = (
  { code, name, explanation, legalBasis, reference }: Purpose,
  { language }: Pick<Wording, 'language'>,
  words: { readonly legalBasis: string; readonly choose: string },
  { href, more = NOTHING }: { readonly href: string; readonly more?: Html },
): Html =>
  html`<section class="hit-purpose" aria-labelledby="purpose-${code}">
    <h2 class="utrecht-heading-2" id="purpose-${code}">${name[language]}</h2>
    ${paragraph(explanation[language])} ${dataList([[words.legalBasis, `${legalBasis}; ${reference}`]])}
    ${more}
    <div class="utrecht-button-group hit-buttons">
      ${buttonLink(html`${words.choose}<span class="hit-hidden">: ${name[language]}</span>`, href, 'primary')}
    </div>
  </section>`;

/** The statements of a purpose that have to be confirmed; nothing where it has none. */
export const statementsField = (
  { statements }: Purpose,
  { language }: Pick<Wording, 'language'>,
  field: {
    readonly label: string;
    readonly description?: string;
    readonly mistake: string | undefined;
    readonly values: readonly string[];
  },
): Html =>
  statements.length === 0
    ? NOTHING
    : checkboxes({
        name: 'statements',
        ...field,
        choices: statements.map(({ code, text, reference }) => ({
          value: code,
          label: text[language],
          description: reference,
        })),
      });
