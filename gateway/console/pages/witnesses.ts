import type { Html, MessageKind } from '@hitmachine/web';
import {
  badge,
  codeBlock,
  dataList,
  dataTable,
  heading,
  html,
  link,
  message,
  numberText,
  paragraph,
  timeText,
} from '@hitmachine/web';
import type { Wording } from '../entry-text.ts';
import { statusText } from '../entry-text.ts';
import { entryPath } from '../paths.ts';
import type { WitnessHealth, WitnessesView } from '../witness-health.ts';

const KINDS: Readonly<Record<WitnessHealth['state'], MessageKind>> = {
  current: 'ok',
  behind: 'warning',
  never: 'warning',
  alarm: 'error',
};

export function witnessesPage(view: WitnessesView, wording: Wording): Html {
  const { texts } = wording;
  return html`
    ${heading(1, texts.witnesses.title)} ${paragraph(texts.witnesses.lead, 'lead')} ${latest(view, wording)}
    ${table(view, wording)} ${alarms(view, wording)}
    ${
      view.latest === undefined
        ? ''
        : html`<section aria-labelledby="checkpoint">
            <h2 class="utrecht-heading-2" id="checkpoint">${texts.witnesses.checkpoint}</h2>
            ${codeBlock(texts.witnesses.checkpoint, view.latest.note)}
          </section>`
    }
  `;
}

function latest(view: WitnessesView, { language, texts: { witnesses } }: Wording): Html {
  if (view.latest === undefined) return message('info', witnesses.latestNone, witnesses.latestNoneBody);
  const { size, at } = view.latest;
  return dataList([
    [
      witnesses.latest,
      html`${timeText(language, at)}, ${witnesses.size(numberText(language, size))},
      ${witnesses.cosigned(view.cosigned, view.witnesses.length)}`,
    ],
  ]);
}

function table({ witnesses: all }: WitnessesView, { language, texts, names }: Wording): Html {
  const { witnesses } = texts;
  const { columns } = witnesses;
  const number = (value: number): string => numberText(language, value);
  if (all.length === 0) return message('info', witnesses.none, witnesses.noneBody);
  return html`<section aria-labelledby="witnesses">
    <h2 class="utrecht-heading-2" id="witnesses">${witnesses.table}</h2>
    ${dataTable({
      caption: witnesses.table,
      quiet: true,
      columns: [
        { head: columns.agency },
        { head: columns.state },
        { head: columns.size, numeric: true },
        { head: columns.behind, numeric: true },
        { head: columns.at },
        { head: columns.connected },
      ],
      rows: all.map(({ agency, state, size, behind, at, connected }) => [
        names.agency(agency),
        badge(KINDS[state], witnesses.states[state]),
        size === undefined ? '-' : number(size),
        number(behind),
        at === undefined ? witnesses.never : timeText(language, at),
        connected ? texts.yes : texts.no,
      ]),
    })}
  </section>`;
}

function alarms({ alarms: all }: WitnessesView, { language, texts, names }: Wording): Html {
  const { witnesses } = texts;
  const columns = witnesses.alarmColumns;
  return html`<section aria-labelledby="alarms">
    <h2 class="utrecht-heading-2" id="alarms">${witnesses.alarms}</h2>
    ${
      all.length === 0
        ? message('ok', witnesses.alarmsNone, witnesses.alarmsNoneBody)
        : html`${paragraph(witnesses.alarmsLead)}
          ${dataTable({
            caption: witnesses.alarms,
            quiet: true,
            columns: [
              { head: columns.index, numeric: true },
              { head: columns.time },
              { head: columns.witness },
              { head: columns.alarm },
              { head: columns.size, numeric: true },
            ],
            rows: all.flatMap(({ index, entry }) =>
              entry.event === 'witness-refused'
                ? [
                    [
                      link(numberText(language, index), entryPath(index)),
                      timeText(language, entry.at),
                      names.agency(entry.agency),
                      badge('error', statusText(texts, entry.alarm)),
                      numberText(language, entry.size),
                    ],
                  ]
                : [],
            ),
          })}`
    }
  </section>`;
}
