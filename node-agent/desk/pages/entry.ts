import { bytesToHex, decodeBase64 } from '@hitmachine/protocol';
import type { Html, MessageKind } from '@hitmachine/web';
import {
  NOTHING,
  buttonLink,
  code,
  codeBlock,
  dataList,
  dataTable,
  heading,
  html,
  link,
  message,
  numberText,
  verdict,
} from '@hitmachine/web';
import type { ChainPlace } from '../../src/domain/own-log/chain-place.ts';
import type { LogRecord } from '../../src/domain/own-log/log-records.ts';
import type { CheckedReceipt } from '../../src/domain/own-log/receipt-check.ts';
import { PATHS, entryPath } from '../paths.ts';
import type { Wording } from '../record-text.ts';
import { fieldsOf, outcomeText } from '../record-text.ts';
import type { Texts } from '../texts/nl.ts';

/** What is known of the proof that a lookup stands in the gateway's log. */
export interface ReceiptView {
  readonly state: keyof Texts['entry']['receiptStates'];
  /** What it proves, or why it proves nothing; undefined where there is none. */
  readonly checked: CheckedReceipt | { readonly reason: string } | undefined;
}

export interface EntryPage {
  readonly place: ChainPlace;
  readonly record: LogRecord;
  /** Of a lookup that this agency asked. */
  readonly receipt: ReceiptView | undefined;
  /** Names under which the gateway's log has what stands here. */
  readonly atGateway: { readonly pseudonym: string; readonly commitment: string } | undefined;
}

const KINDS: Readonly<Record<ReceiptView['state'], MessageKind>> = {
  waiting: 'info',
  settled: 'ok',
  'given-up': 'warning',
  alarm: 'error',
  none: 'warning',
};

export function entryPage({ place, record, receipt, atGateway }: EntryPage, wording: Wording): Html {
  const { language, texts } = wording;
  const { entry, fields } = texts;
  const { sequence, size } = place;
  const more = atGateway
    ? ([
        [fields.pseudonym, code(atGateway.pseudonym)],
        [fields.commitment, code(atGateway.commitment)],
      ] as const)
    : [];
  return html`
    ${heading(1, entry.title(numberText(language, sequence)))}
    <nav class="hit-neighbours" aria-label="${entry.neighbours}">
      ${link(entry.back, PATHS.search)}
      ${sequence === 1 ? NOTHING : link(entry.previous, entryPath(sequence - 1))}
      ${sequence >= size ? NOTHING : link(entry.next, entryPath(sequence + 1))}
    </nav>
    ${record.kind === 'removed' ? message('info', entry.removed, entry.removedBody) : NOTHING}
    ${record.kind === 'unreadable' ? message('error', entry.unreadable, entry.unreadableBody) : NOTHING}
    <div class="hit-columns">
      <section aria-labelledby="what">
        <h2 class="utrecht-heading-2" id="what">${entry.what}</h2>
        ${dataList([...fieldsOf(record, wording), ...more])}
      </section>
      <section aria-labelledby="verdicts">
        <h2 class="utrecht-heading-2" id="verdicts">${entry.verdicts}</h2>
        ${chainVerdict(place, wording)} ${receipt === undefined ? NOTHING : receiptVerdict(receipt, wording)}
        ${
          receipt?.checked === undefined
            ? NOTHING
            : html`<div class="utrecht-button-group hit-buttons">
                ${buttonLink(entry.download, `${entryPath(record.sequence)}/receipt`)}
              </div>`
        }
      </section>
    </div>
    ${record.kind === 'asked' ? outcomes(record, wording) : NOTHING}
    ${
      record.kind === 'answered' || record.kind === 'refused'
        ? html`<section aria-labelledby="evidence">
            <h2 class="utrecht-heading-2" id="evidence">${entry.evidence}</h2>
            ${codeBlock(entry.evidence, new TextDecoder().decode(decodeBase64(record.detail.evidence)))}
          </section>`
        : NOTHING
    }
    <section aria-labelledby="hashes">
      <h2 class="utrecht-heading-2" id="hashes">${entry.hashes}</h2>
      ${dataList([
        [entry.previousChain, code(bytesToHex(place.previous))],
        [entry.contentHash, code(bytesToHex(place.contentHash))],
        [entry.chainHash, code(bytesToHex(place.chain))],
      ])}
    </section>
  `;
}

function chainVerdict({ sequence, size, state }: ChainPlace, { language, texts: { entry } }: Wording): Html {
  const [at, of] = [numberText(language, sequence), numberText(language, size)];
  switch (state) {
    case 'sound':
      return verdict('ok', entry.chain, entry.chainSound, entry.chainSoundBody(at, of));
    case 'removed':
      return verdict('ok', entry.chain, entry.chainRemoved, entry.chainRemovedBody(at, of));
    case 'broken':
      return verdict(
        'error',
        entry.chain,
        entry.chainBroken,
        html`${entry.chainBrokenBody} ${link(entry.verdicts, PATHS.check)}`,
      );
  }
}

function receiptVerdict({ state, checked }: ReceiptView, { language, texts: { entry } }: Wording): Html {
  const wrong = checked !== undefined && 'reason' in checked;
  const proof =
    checked === undefined
      ? ''
      : wrong
        ? entry.notVerified(checked.reason)
        : entry.verified(
            numberText(language, checked.index),
            numberText(language, checked.size),
            checked.cosigners.length,
          );
  return verdict(
    wrong ? 'error' : KINDS[state],
    entry.receipt,
    entry.receiptStates[state],
    `${entry.receiptBodies[state]} ${proof}`,
  );
}

function outcomes(record: Extract<LogRecord, { kind: 'asked' }>, wording: Wording): Html {
  const { language, texts, names } = wording;
  const { entry } = texts;
  const rows = Object.entries(record.outcomes ?? {}).flatMap(([register, counts]) =>
    Object.entries(counts).map(([outcome, persons]) => [
      names.register(register),
      outcomeText(outcome, wording),
      numberText(language, persons),
    ]),
  );
  const columns = entry.outcomeColumns;
  return html`<section aria-labelledby="outcomes">
    <h2 class="utrecht-heading-2" id="outcomes">${entry.outcomes}</h2>
    ${
      rows.length === 0
        ? record.outcomesRemoved
          ? entry.outcomesRemoved
          : entry.outcomesNone
        : dataTable({
            caption: entry.outcomes,
            quiet: true,
            columns: [
              { head: columns.register },
              { head: columns.outcome },
              { head: columns.persons, numeric: true },
            ],
            rows,
          })
    }
  </section>`;
}
