import type { Html } from './html.ts';
import { NOTHING, attribute, html, raw } from './html.ts';
import type { Language } from './language.ts';

export interface NavigationItem {
  readonly href: string;
  readonly text: string;
  readonly current: boolean;
}

/** What stands around every page. */
export interface Frame {
  readonly language: Language;
  /** Of the page. */
  readonly title: string;
  /** Name of the service, and of the one who runs it. */
  readonly service: string;
  readonly owner: string;
  readonly home: string;
  /** Addresses of style sheets, in order. */
  readonly stylesheets: readonly string[];
  readonly scripts: readonly string[];
  readonly skipText: string;
  readonly navigation: { readonly label: string; readonly items: readonly NavigationItem[] };
  /** The same page in the other language. */
  readonly otherLanguage: {
    readonly language: Language;
    readonly href: string;
    readonly text: string;
    /** The form that goes along: its identifier, and the action of who presses Enter in it. */
    readonly form: { readonly id: string; readonly enter: string } | undefined;
  };
  readonly reader:
    { readonly name: string; readonly logoutAction: string; readonly logoutText: string } | undefined;
  readonly footer: Html | string;
  /** Where the browser goes next by itself. */
  readonly goOn?: string | undefined;
}

/** A whole page. Everything works without scripts, and nothing is styled in line. */
export const layout = (frame: Frame, content: Html): Html =>
  html`${layoutTop(frame)}${content}${layoutEnd(frame)}`;

/** What stands in front of the content, for a page whose content comes by and by. */
export const layoutTop = (frame: Frame): Html =>
  html`${raw('<!doctype html>')}
    ${raw(`<html lang="${frame.language}" class="utrecht-root voorbeeld-theme">`)}
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      ${
        frame.goOn === undefined
          ? NOTHING
          : html`<meta http-equiv="refresh" content="0; url=${frame.goOn}" />`
      }
      <title>${frame.title} - ${frame.service}</title>
      ${frame.stylesheets.map((href) => html`<link rel="stylesheet" href="${href}" />`)}
      ${frame.scripts.map((src) => html`<script src="${src}" defer></script>`)}
    </head>
    ${raw('<body class="utrecht-document utrecht-document--surface utrecht-surface utrecht-surface--html-body hit-body">')}
    ${enterButton(frame.otherLanguage.form)}
    <a class="utrecht-skip-link utrecht-skip-link--visible-on-focus" href="#content">${frame.skipText}</a>
    <header class="utrecht-page-header hit-header">
      <div class="utrecht-page-header__content hit-header-content">
        <a class="hit-brand" href="${frame.home}">
          <span class="hit-brand-service">${frame.service}</span>
          <span class="hit-brand-owner">${frame.owner}</span>
        </a>
        <div class="hit-header-tools">${readerTools(frame.reader)} ${otherLanguage(frame.otherLanguage)}</div>
      </div>
    </header>
    ${navigation(frame)}
    ${raw('<main class="utrecht-page-body hit-main" id="content" tabindex="-1"><div class="hit-content">')}`;

/** What stands behind it. */
export const layoutEnd = ({ footer }: Pick<Frame, 'footer'>): Html =>
  html`${raw('</div></main>')}
    <footer class="utrecht-page-footer hit-footer">
      <div class="utrecht-page-footer__content hit-footer-content">${footer}</div>
    </footer>
    ${raw('</body></html>')}`;

/** Enter in a field presses the first button of its form, which must not be the one for the other language. */
const enterButton = (form: Frame['otherLanguage']['form']): Html =>
  form === undefined
    ? NOTHING
    : html`<button
        class="hit-hidden"
        type="submit"
        form="${form.id}"
        name="action"
        value="${form.enter}"
        tabindex="-1"
        aria-hidden="true"
      ></button>`;

/** A link to the same page; where a form is filled in, a button that takes along what was typed. */
const otherLanguage = ({ language, href, text, form }: Frame['otherLanguage']): Html =>
  form === undefined
    ? html`<a
        class="utrecht-link utrecht-link--html-a hit-language"
        href="${href}"
        lang="${language}"
        hreflang="${language}"
        >${text}</a
      >`
    : html`<button
        class="utrecht-button utrecht-button--subtle hit-language"
        type="submit"
        form="${form.id}"
        formaction="${href}"
        name="action"
        value="show"
        lang="${language}"
        formnovalidate
      >
        ${text}
      </button>`;

const readerTools = (reader: Frame['reader']): Html =>
  reader === undefined
    ? NOTHING
    : html`<span class="hit-reader">${reader.name}</span>
        <form method="post" action="${reader.logoutAction}">
          <button class="utrecht-button utrecht-button--subtle hit-logout" type="submit">
            ${reader.logoutText}
          </button>
        </form>`;

const navigation = ({ navigation: { label, items } }: Frame): Html =>
  items.length === 0
    ? NOTHING
    : html`<nav class="utrecht-nav-bar hit-nav" aria-label="${label}">
        <div class="utrecht-nav-bar__content hit-nav-content">
          <ul role="list" class="utrecht-nav-list">
            ${items.map(
              ({ href, text, current }) =>
                html`<li class="utrecht-nav-list__item">
                  <a
                    class="utrecht-link utrecht-link--html-a utrecht-nav-list__link hit-nav-link"
                    href="${href}"
                    ${attribute('aria-current', current ? 'page' : undefined)}
                    >${text}</a
                  >
                </li>`,
            )}
          </ul>
        </div>
      </nav>`;
