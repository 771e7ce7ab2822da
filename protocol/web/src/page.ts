import type { Html } from './parts/html.ts';
import type { Language } from './parts/language.ts';
import type { Frame } from './parts/layout.ts';
import { layout, layoutEnd, layoutTop } from './parts/layout.ts';
import { LANGUAGE_FIELD, loginPaths } from './site.ts';

/** Words that stand around every page. */
export interface FrameTexts {
  readonly service: string;
  readonly skip: string;
  readonly otherLanguage: string;
  readonly navigation: string;
  readonly logout: string;
  readonly footer: string;
}

export interface PageFrame {
  readonly mount: string;
  readonly language: Language;
  readonly title: string;
  /** The one who runs the service. */
  readonly owner: string;
  /** Of the page itself; undefined for one that cannot be asked for again, such as what a form led to. */
  readonly address: URL | undefined;
  readonly stylesheets: readonly string[];
  readonly scripts?: readonly string[] | undefined;
  /** A form on the page that goes along into the other language, so that nothing typed is lost. */
  readonly form?: Frame['otherLanguage']['form'];
  /** Who is logged in. Somebody without the role has nowhere to go. */
  readonly reader: { readonly name: string; readonly allowed: boolean } | undefined;
  readonly pages: readonly { readonly href: string; readonly text: string }[];
  /** Where the browser goes next by itself. */
  readonly goOn?: string | undefined;
}

/** A page of a site around its content. */
export const framed = (frame: PageFrame, texts: FrameTexts, content: Html): Html =>
  layout(frameOf(frame, texts), content);

/** What stands in front of the content of a page and behind it, for content that comes by and by. */
export function framedInParts(
  frame: PageFrame,
  texts: FrameTexts,
): { readonly top: Html; readonly end: Html } {
  const whole = frameOf(frame, texts);
  return { top: layoutTop(whole), end: layoutEnd(whole) };
}

function frameOf(frame: PageFrame, texts: FrameTexts): Frame {
  const {
    mount,
    language,
    title,
    owner,
    address,
    stylesheets,
    scripts = [],
    form,
    reader,
    pages,
    goOn,
  } = frame;
  const other: Language = language === 'nl' ? 'en' : 'nl';
  const paths = loginPaths(mount);
  const query = new URLSearchParams(address?.search);
  query.set(LANGUAGE_FIELD, other);
  return {
    language,
    title,
    service: texts.service,
    owner,
    home: paths.home,
    stylesheets,
    scripts,
    skipText: texts.skip,
    navigation: {
      label: texts.navigation,
      items:
        reader?.allowed === true
          ? pages.map(({ href, text }) => ({ href, text, current: address?.pathname === href }))
          : [],
    },
    otherLanguage: {
      language: other,
      href: `${address?.pathname ?? paths.home}?${query.toString()}`,
      text: texts.otherLanguage,
      form,
    },
    reader:
      reader === undefined
        ? undefined
        : { name: reader.name, logoutAction: paths.logout, logoutText: texts.logout },
    footer: texts.footer,
    goOn,
  };
}
