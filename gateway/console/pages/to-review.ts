import type { Html } from '@hitmachine/web';
import {
  NOTHING,
  badge,
  dataTable,
  html,
  link,
  message,
  numberText,
  paragraph,
  timeText,
} from '@hitmachine/web';
import type { Wording } from '../entry-text.ts';
import { lookupRequestOf, statusText, summaryOf } from '../entry-text.ts';
import { entryPath } from '../paths.ts';
import type { ToReview, UrgentLookup } from '../to-review.ts';
import { entryTable } from './search.ts';

/** Lookups that were asked in need, and what gateway and agencies told of professionals. */
export function toReviewSections({ lookups, signals, cut }: ToReview, wording: Wording): Html {
  const { toReview } = wording.texts.figures;
  return html`<section aria-labelledby="urgent">
      <h2 class="utrecht-heading-2" id="urgent">${toReview.urgent}</h2>
      ${paragraph(toReview.urgentLead)} ${cut ? message('warning', toReview.cut, toReview.cutBody) : NOTHING}
      ${lookups.length === 0 ? message('ok', toReview.urgentNone, '') : urgentTable(lookups, wording)}
    </section>
    <section aria-labelledby="told">
      <h2 class="utrecht-heading-2" id="told">${toReview.signals}</h2>
      ${paragraph(toReview.signalsLead)}
      ${signals.length === 0 ? message('ok', toReview.signalsNone, '') : entryTable(toReview.signals, signals, wording)}
    </section>`;
}

function urgentTable(lookups: readonly UrgentLookup[], wording: Wording): Html {
  const { language, texts, names } = wording;
  const { toReview } = texts.figures;
  const { columns } = toReview;
  return dataTable({
    caption: toReview.urgent,
    quiet: true,
    columns: [
      { head: columns.index, numeric: true },
      ...[columns.time, columns.agency, columns.what, columns.role, columns.review].map((head) => ({ head })),
    ],
    rows: lookups.map(({ index, entry, verdict }) => [
      link(numberText(language, index), entryPath(index)),
      html`<span class="hit-time">${timeText(language, entry.at)}</span>`,
      names.agency(entry.agency),
      summaryOf(entry, wording),
      lookupRequestOf(entry.body)?.role ?? '',
      verdict === undefined
        ? badge('warning', toReview.waiting)
        : badge(verdict === 'justified' ? 'ok' : 'error', statusText(texts, verdict)),
    ]),
  });
}
