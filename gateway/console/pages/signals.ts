import type { Html } from '@hitmachine/web';
import {
  NOTHING,
  badge,
  dataTable,
  dayText,
  html,
  link,
  message,
  numberText,
  paragraph,
  percentText,
  timeText,
} from '@hitmachine/web';
import type { Wording } from '../entry-text.ts';
import { searchPath } from '../paths.ts';
import type { Signal, Signals } from '../signals.ts';

/** What is worth a look in a period, each with the way to its entries. */
export function signalSection({ signals, cut }: Signals, wording: Wording): Html {
  const { texts, names } = wording;
  const { figures } = texts;
  const columns = figures.signalColumns;
  return html`<section aria-labelledby="signals">
    <h2 class="utrecht-heading-2" id="signals">${figures.signals}</h2>
    ${paragraph(figures.signalsLead)}
    ${cut ? message('warning', figures.signals, figures.signalsCut) : NOTHING}
    ${
      signals.length === 0
        ? message('ok', figures.signalsNone, figures.signalsNoneBody)
        : dataTable({
            caption: figures.signals,
            quiet: true,
            columns: [columns.signal, columns.agency, columns.when, columns.what, columns.look].map(
              (head) => ({
                head,
              }),
            ),
            rows: signals.map((signal) => [
              badge('warning', figures.signalNames[signal.kind]),
              names.agency(signal.agency),
              whenOf(signal, wording),
              detailOf(signal, wording),
              link(figures.look, searchPath(signal.search)),
            ]),
          })
    }
  </section>`;
}

function whenOf({ kind, at }: Signal, { language, texts }: Wording): string {
  if (at === undefined) return texts.figures.wholePeriod;
  return kind === 'above-usual'
    ? dayText(language, new Date(at).toISOString().slice(0, 10))
    : timeText(language, at);
}

function detailOf({ kind, count, against }: Signal, { language, texts }: Wording): string {
  const details = texts.figures.signalDetails;
  const times = numberText(language, count);
  switch (kind) {
    case 'burst':
      return details.burst(times);
    case 'night':
      return details.night(times);
    case 'above-usual':
      return details['above-usual'](times, numberText(language, against));
    case 'refusals':
      return details.refusals(times, percentText(language, against));
    case 'silent':
      return details.silent(times, percentText(language, against));
  }
}
