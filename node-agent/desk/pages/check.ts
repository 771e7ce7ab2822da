import { encodeBase64 } from '@hitmachine/protocol';
import type { Html } from '@hitmachine/web';
import {
  NOTHING,
  badge,
  code,
  dataList,
  dataTable,
  heading,
  html,
  link,
  numberText,
  paragraph,
  timeText,
  verdict,
} from '@hitmachine/web';
import type { LogCheck } from '../../src/domain/own-log/log-check.ts';
import type { AgentStatus } from '../../src/domain/running/status.ts';
import type { Alarm } from '../../src/ports/log-store.ts';
import { entryPath } from '../paths.ts';
import type { Wording } from '../record-text.ts';

export interface CheckPage {
  readonly check: LogCheck;
  readonly status: AgentStatus;
  /** Newest first, settled ones too. */
  readonly alarms: readonly Alarm[];
}

export function checkPage(page: CheckPage, wording: Wording): Html {
  const words = wording.texts.check;
  return html`
    ${heading(1, words.title)} ${paragraph(words.lead, 'lead')} ${ownLog(page, wording)}
    ${gatewayLog(page, wording)} ${alarmTable(page, wording)}
    <section aria-labelledby="problems">
      <h2 class="utrecht-heading-2" id="problems">${words.problems}</h2>
      ${reported(page.status, wording)}
    </section>
  `;
}

function ownLog({ check }: CheckPage, { language, texts }: Wording): Html {
  const words = texts.check;
  const { entries, removed, head, fault } = check;
  const number = (value: number): string => numberText(language, value);
  return html`<section aria-labelledby="own">
    <h2 class="utrecht-heading-2" id="own">${words.own}</h2>
    ${
      fault === undefined
        ? verdict('ok', words.own, words.sound, words.soundBody(number(entries), number(removed)))
        : verdict(
            'error',
            words.own,
            words.broken,
            html`${words.brokenBody(number(fault.sequence), words.faults[fault.kind])}
            ${link(texts.entry.title(number(fault.sequence)), entryPath(fault.sequence))}`,
          )
    }
    ${fault === undefined ? dataList([[words.head, html`${words.headBody(number(head.sequence))}, ${code(encodeBase64(head.chain))}`]]) : NOTHING}
    ${paragraph(words.anchors, 'small')}
  </section>`;
}

function gatewayLog({ status, alarms }: CheckPage, { language, texts: { check: words } }: Wording): Html {
  const { log } = status;
  const number = (value: number): string => numberText(language, value);
  const open = alarms.some(({ resolvedAt }) => resolvedAt === undefined);
  return html`<section aria-labelledby="gateway">
    <h2 class="utrecht-heading-2" id="gateway">${words.gateway}</h2>
    ${
      open
        ? verdict('error', words.gateway, words.gatewayAlarm, words.gatewayAlarmBody)
        : verdict('ok', words.gateway, words.gatewaySound, words.gatewaySoundBody)
    }
    ${dataList([
      [
        words.published,
        log.published === undefined
          ? words.publishedNone
          : `${timeText(language, Date.parse(log.published.at))}: ${words.publishedBody(number(log.published.entries), number(log.published.partners))}`,
      ],
      [words.cosigned, log.cosigned === undefined ? words.cosignedNone : words.entries(number(log.cosigned))],
      [words.unproved, number(log.unproved)],
    ])}
  </section>`;
}

function alarmTable({ alarms }: CheckPage, { language, texts: { check: words } }: Wording): Html {
  const columns = words.alarmColumns;
  return html`<section aria-labelledby="alarms">
    <h2 class="utrecht-heading-2" id="alarms">${words.alarms}</h2>
    ${
      alarms.length === 0
        ? paragraph(words.alarmsNone)
        : dataTable({
            caption: words.alarms,
            quiet: true,
            columns: [
              { head: columns.number, numeric: true },
              ...[columns.time, columns.kind, columns.detail, columns.state].map((head) => ({ head })),
            ],
            rows: alarms.map(({ number, at, kind, detail, resolvedAt }) => [
              numberText(language, number),
              timeText(language, at),
              words.alarmKinds[kind],
              html`<span lang="en">${detail}</span>`,
              resolvedAt === undefined ? badge('error', words.alarmOpen) : badge('ok', words.alarmResolved),
            ]),
          })
    }
  </section>`;
}

function reported({ problems, notices }: AgentStatus, { texts: { check: words } }: Wording): Html {
  const lines = [...problems, ...notices];
  if (lines.length === 0) return paragraph(words.problemsNone);
  return html`${paragraph(words.problemsLead)}
    <ul class="utrecht-unordered-list" lang="en">
      ${lines.map((line) => html`<li class="utrecht-unordered-list__item">${line}</li>`)}
    </ul>`;
}
