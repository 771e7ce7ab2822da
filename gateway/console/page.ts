import { layout } from './parts/layout.ts';
import type { Html } from './parts/html.ts';
import type { Language } from './parts/language.ts';
import { PATHS } from './paths.ts';
import { textsOf } from './texts/index.ts';

/** Name of the query field that chooses a language. */
export const LANGUAGE_FIELD = 'lang';

export interface PageFrame {
  readonly language: Language;
  readonly title: string;
  readonly federation: string;
  /** Of the page itself; undefined for one that cannot be asked for again, such as what a form led to. */
  readonly address: URL | undefined;
  readonly stylesheets: readonly string[];
  /** Who is logged in. Somebody without the role has nowhere to go. */
  readonly reader: { readonly name: string; readonly auditor: boolean } | undefined;
  /** Where the browser goes next by itself. */
  readonly goOn?: string | undefined;
}

/** A page of the console around its content. */
export function framed(frame: PageFrame, content: Html): Html {
  const { language, title, federation, address, stylesheets, reader, goOn } = frame;
  const texts = textsOf(language);
  const other: Language = language === 'nl' ? 'en' : 'nl';
  const items = (['search', 'figures', 'witnesses'] as const).map((name) => ({
    href: PATHS[name],
    text: texts.pages[name],
    current: address?.pathname === PATHS[name],
  }));
  return layout(
    {
      language,
      title,
      service: texts.service,
      owner: federation,
      home: PATHS.home,
      stylesheets,
      skipText: texts.skip,
      navigation: { label: texts.navigation, items: reader?.auditor === true ? items : [] },
      otherLanguage: { language: other, href: inLanguage(address, other), text: texts.otherLanguage },
      reader:
        reader === undefined
          ? undefined
          : { name: reader.name, logoutAction: PATHS.logout, logoutText: texts.logout },
      footer: texts.footer,
      goOn,
    },
    content,
  );
}

function inLanguage(address: URL | undefined, language: Language): string {
  const query = new URLSearchParams(address?.search);
  query.set(LANGUAGE_FIELD, language);
  return `${address?.pathname ?? PATHS.home}?${query.toString()}`;
}
