import type { Html } from '@hitmachine/web';
import { NOTHING, buttonLink, dataList, heading, html, message, paragraph } from '@hitmachine/web';
import type { PermittedPurpose } from '../../src/domain/permitted-purposes.ts';
import { purposePath } from '../paths.ts';
import type { Wording } from '../record-text.ts';

/** What a professional may ask for, each with what it is and why it is allowed. */
export function purposesPage(permitted: readonly PermittedPurpose[], { language, texts }: Wording): Html {
  const words = texts.purposes;
  return html`
    ${heading(1, permitted.length === 0 ? words.none : words.title)}
    ${permitted.length === 0 ? message('info', words.none, words.noneBody) : paragraph(words.lead, 'lead')}
    ${permitted.map(
      ({ purpose }) =>
        html`<section class="hit-purpose" aria-labelledby="purpose-${purpose.code}">
          <h2 class="utrecht-heading-2" id="purpose-${purpose.code}">${purpose.name[language]}</h2>
          ${paragraph(purpose.explanation[language])}
          ${dataList([[words.legalBasis, `${purpose.legalBasis}; ${purpose.reference}`]])}
          ${purpose.approval === 'none' ? NOTHING : paragraph(words.approval)}
          <div class="utrecht-button-group hit-buttons">
            ${buttonLink(
              html`${words.choose}<span class="hit-hidden">: ${purpose.name[language]}</span>`,
              purposePath(purpose.code),
              'primary',
            )}
          </div>
        </section>`,
    )}
  `;
}
