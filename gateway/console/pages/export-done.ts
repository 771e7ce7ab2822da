import type { Html, Language } from '@hitmachine/web';
import { heading, html, link, message, numberText, paragraph } from '@hitmachine/web';
import { searchPath } from '../paths.ts';
import type { SearchForm } from '../search-form.ts';
import type { Texts } from '../texts/nl.ts';

/** After lookups were sent to the processing log. */
export const exportDonePage = (
  texts: Texts,
  language: Language,
  sent: number,
  values: SearchForm['values'],
): Html => html`
  ${heading(1, texts.export.title)}
  ${
    sent === 0
      ? message('info', texts.export.otlpNone, texts.export.otlpNoneBody)
      : message('ok', texts.export.otlpDone, texts.export.otlpDoneBody(numberText(language, sent)))
  }
  ${paragraph(link(texts.export.back, searchPath(values)))}
`;

/** When there is more to send than a browser should wait for. */
export const tooManyPage = (
  texts: Texts,
  language: Language,
  most: number,
  values: SearchForm['values'],
): Html => html`
  ${heading(1, texts.export.title)}
  ${message('warning', texts.export.otlpTooMany, texts.export.otlpTooManyBody(numberText(language, most)))}
  ${paragraph(link(texts.export.back, searchPath(values)))}
`;
