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
  readonly skipText: string;
  readonly navigation: { readonly label: string; readonly items: readonly NavigationItem[] };
  /** The same page in the other language. */
  readonly otherLanguage: { readonly language: Language; readonly href: string; readonly text: string };
  readonly reader:
    { readonly name: string; readonly logoutAction: string; readonly logoutText: string } | undefined;
  readonly footer: Html | string;
  /** Where the browser goes next by itself. */
  readonly goOn?: string | undefined;
}

/** A whole page. Everything works without scripts, and nothing is styled in line. */
export const layout = (frame: Frame, content: Html): Html =>
  html`${raw('<!doctype html>')}
    <html lang="${frame.language}" class="utrecht-root voorbeeld-theme">
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
      </head>
      <body
        class="utrecht-document utrecht-document--surface utrecht-surface utrecht-surface--html-body hit-body"
      >
        <a class="utrecht-skip-link utrecht-skip-link--visible-on-focus" href="#content">${frame.skipText}</a>
        <header class="utrecht-page-header hit-header">
          <div class="utrecht-page-header__content hit-header-content">
            <a class="hit-brand" href="${frame.home}">
              <span class="hit-brand-service">${frame.service}</span>
              <span class="hit-brand-owner">${frame.owner}</span>
            </a>
            <div class="hit-header-tools">
              ${readerTools(frame.reader)}
              <a
                class="utrecht-link utrecht-link--html-a hit-language"
                href="${frame.otherLanguage.href}"
                lang="${frame.otherLanguage.language}"
                hreflang="${frame.otherLanguage.language}"
                >${frame.otherLanguage.text}</a
              >
            </div>
          </div>
        </header>
        ${navigation(frame)}
        <main class="utrecht-page-body hit-main" id="content" tabindex="-1">
          <div class="hit-content">${content}</div>
        </main>
        <footer class="utrecht-page-footer hit-footer">
          <div class="utrecht-page-footer__content hit-footer-content">${frame.footer}</div>
        </footer>
      </body>
    </html>`;

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
