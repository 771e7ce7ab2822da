import type { EntryEvidence, Inclusion, SignedRequest } from '../../src/domain/entry-evidence.ts';
import { bytesToHex, encodeBase64 } from '@hitmachine/protocol';
import type { Html } from '@hitmachine/web';
import {
  NOTHING,
  buttonLink,
  code,
  codeBlock,
  dataList,
  heading,
  html,
  link,
  message,
  numberText,
  paragraph,
  timeText,
  verdict,
} from '@hitmachine/web';
import type { Wording } from '../entry-text.ts';
import { fieldsOf } from '../entry-text.ts';
import { PATHS, entryPath } from '../paths.ts';
import { entryTable } from './search.ts';

export function entryPage(evidence: EntryEvidence, wording: Wording): Html {
  const { index, entry } = evidence;
  const { language, texts } = wording;
  return html`
    ${heading(1, texts.entry.title(numberText(language, index)))} ${neighbours(evidence, wording)}
    ${entry === undefined ? message('error', texts.entry.unreadable, texts.entry.unreadableBody) : NOTHING}
    <div class="hit-columns">
      <section aria-labelledby="what">
        <h2 class="utrecht-heading-2" id="what">${texts.entry.what}</h2>
        ${entry === undefined ? NOTHING : dataList(fieldsOf(index, entry, wording))}
      </section>
      <section aria-labelledby="verdicts">
        <h2 class="utrecht-heading-2" id="verdicts">${texts.entry.verdicts}</h2>
        ${signatureVerdict(evidence, wording)} ${inclusionVerdict(evidence.inclusion, wording)}
      </section>
    </div>
    ${related(evidence, wording)} ${raw(evidence, wording)} ${verification(evidence, wording)}
  `;
}

function neighbours({ index, size }: EntryEvidence, { texts: { entry } }: Wording): Html {
  return html`<nav class="hit-neighbours" aria-label="${entry.neighbours}">
    ${link(entry.back, PATHS.search)} ${index === 0 ? NOTHING : link(entry.previous, entryPath(index - 1))}
    ${index + 1 >= size ? NOTHING : link(entry.next, entryPath(index + 1))}
  </nav>`;
}

function signatureVerdict({ signed, entry }: EntryEvidence, { texts, names }: Wording): Html {
  const words = texts.entry;
  if (signed === undefined || entry === undefined || !('agency' in entry))
    return verdict('info', words.signature, words.signatureNone, words.signatureNoneBody);
  if (signed.key === undefined)
    return verdict('warning', words.signature, words.signatureUnknown, words.signatureUnknownBody);
  if (signed.request === undefined)
    return verdict(
      'error',
      words.signature,
      words.signatureInvalid,
      words.signatureInvalidBody(signed.reason ?? ''),
    );
  return verdict(
    'ok',
    words.signature,
    words.signatureValid,
    html`${words.signatureValidBody(names.agency(entry.agency))} ${signed.onRoster ? NOTHING : words.oldKey}`,
  );
}

function inclusionVerdict(inclusion: Inclusion, { language, texts: { entry } }: Wording): Html {
  switch (inclusion.status) {
    case 'pending':
      return verdict('info', entry.inclusion, entry.pending, entry.pendingBody);
    case 'failed':
      return verdict('error', entry.inclusion, entry.failed, entry.failedBody(inclusion.reason));
    case 'proved': {
      const size = numberText(language, inclusion.head.size);
      const count = inclusion.cosigners.length;
      return count === 0
        ? verdict('warning', entry.inclusion, entry.proved, entry.provedAlone(size))
        : verdict('ok', entry.inclusion, entry.proved, entry.provedBody(size, entry.cosigners(count)));
    }
  }
}

function related({ related: entries, entry }: EntryEvidence, wording: Wording): Html {
  if (entry === undefined || !('lookupId' in entry)) return NOTHING;
  const { texts } = wording;
  return html`<section aria-labelledby="related">
    <h2 class="utrecht-heading-2" id="related">${texts.entry.related}</h2>
    ${
      entries.length === 0
        ? paragraph(texts.entry.relatedNone)
        : entryTable(texts.entry.related, entries, wording)
    }
  </section>`;
}

function raw({ leaf, signed }: EntryEvidence, wording: Wording): Html {
  const words = wording.texts.entry;
  return html`
    ${
      signed?.request === undefined
        ? NOTHING
        : html`<section aria-labelledby="request">
            <h2 class="utrecht-heading-2" id="request">${words.request}</h2>
            ${requestList(signed, signed.request, wording)}
          </section>`
    }
    <section aria-labelledby="raw">
      <h2 class="utrecht-heading-2" id="raw">${words.raw}</h2>
      ${codeBlock(words.raw, new TextDecoder().decode(leaf))}
    </section>
  `;
}

function requestList(
  signed: SignedRequest,
  request: NonNullable<SignedRequest['request']>,
  { language, texts: { entry } }: Wording,
): Html {
  return dataList([
    [entry.method, code(`${request.method} ${request.path}`)],
    [entry.signedAt, timeText(language, request.created * 1_000)],
    [entry.key, code(signed.key ?? '')],
    [entry.bodyDigest, code(encodeBase64(request.bodyDigest))],
  ]);
}

function verification({ index, leafHash, inclusion, verifierKey }: EntryEvidence, wording: Wording): Html {
  const { language, texts, names } = wording;
  const { entry } = texts;
  const proved =
    inclusion.status !== 'proved'
      ? []
      : ([
          [entry.checkpoint, entry.checkpointSize(numberText(language, inclusion.head.size))],
          [entry.root, code(bytesToHex(inclusion.head.root))],
          [
            entry.proof,
            html`${entry.proofHashes(inclusion.proof.length)}
              <ol class="hit-hashes">
                ${inclusion.proof.map((hash) => html`<li>${code(bytesToHex(hash))}</li>`)}
              </ol>`,
          ],
          [entry.witnesses, inclusion.cosigners.map(({ agency }) => names.agency(agency)).join(', ')],
        ] as const);
  const file = `entry-${index}.json`;
  return html`<section aria-labelledby="verify">
    <h2 class="utrecht-heading-2" id="verify">${entry.verify}</h2>
    ${paragraph(entry.verifyLead)} ${dataList([[entry.leafHash, code(bytesToHex(leafHash))], ...proved])}
    <div class="utrecht-button-group hit-buttons">
      ${buttonLink(entry.downloadLeaf, `${entryPath(index)}/leaf`)}
      ${
        inclusion.status === 'proved'
          ? buttonLink(entry.downloadReceipt, `${entryPath(index)}/receipt`)
          : NOTHING
      }
    </div>
    ${paragraph(entry.verifyHash)}
    ${codeBlock(entry.verifyCommand, `{ printf '\\000'; cat ${file}; } | sha256sum`)}
    ${paragraph(entry.verifyTools)} ${codeBlock(entry.verifierKey, verifierKey)}
  </section>`;
}
