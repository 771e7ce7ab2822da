import type { Html } from '@hitmachine/web';
import { NOTHING, heading, html, message, paragraph } from '@hitmachine/web';
import type { PermittedPurpose } from '../../src/domain/asking/permitted-purposes.ts';
import { purposePath } from '../paths.ts';
import type { Wording } from '../record-text.ts';
import { purposeSection } from './purpose-parts.ts';

/** What a professional may ask for, each with what it is and why it is allowed. */
export function purposesPage(permitted: readonly PermittedPurpose[], { language, texts }: Wording): Html {
  const words = texts.purposes;
  return html`
    ${heading(1, permitted.length === 0 ? words.none : words.title)}
    ${permitted.length === 0 ? message('info', words.none, words.noneBody) : paragraph(words.lead, 'lead')}
    ${permitted.map(({ purpose }) =>
      purposeSection(purpose, { language }, words, {
        href: purposePath(purpose.code),
        more: purpose.approval === 'none' ? NOTHING : paragraph(words.approval),
      }),
    )}
  `;
}
