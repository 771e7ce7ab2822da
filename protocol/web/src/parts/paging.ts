import type { Html } from './html.ts';
import { NOTHING, html } from './html.ts';

/** The way through a long list that is read from its newest end; a link is left out where it leads nowhere. */
export const paging = (texts: {
  readonly label: string;
  readonly newest: { readonly text: string; readonly href: string | undefined };
  readonly older: { readonly text: string; readonly href: string | undefined };
}): Html =>
  texts.newest.href === undefined && texts.older.href === undefined
    ? NOTHING
    : html`<nav
        class="utrecht-pagination utrecht-pagination--distanced hit-paging"
        aria-label="${texts.label}"
      >
        ${pageLink('prev', texts.newest)}${pageLink('next', texts.older)}
      </nav>`;

const pageLink = (
  side: 'prev' | 'next',
  { text, href }: { readonly text: string; readonly href: string | undefined },
): Html =>
  href === undefined
    ? NOTHING
    : html`<a
        class="utrecht-link utrecht-pagination__relative-link utrecht-pagination__relative-link--${side}"
        href="${href}"
        rel="${side}"
        >${text}</a
      >`;
