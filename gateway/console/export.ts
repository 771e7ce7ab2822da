import { bytesToHex, encodeEntry, leafHash } from '@hitmachine/protocol';
import { csvLine } from '@hitmachine/web';
import type { FoundEntry, LogFilter, LogSearch } from '../src/ports/log-search.ts';
import { searchTermsOf } from '../src/ports/search-terms.ts';
import { lookupRequestOf } from './entry-text.ts';

export type ExportFormat = 'csv' | 'ndjson';

/** Entries that are read at once. */
const PAGE = 500;

const COLUMNS = [
  ...['index', 'time', 'event', 'agency', 'purpose', 'professional', 'case_commitment', 'lookup_id'],
  ...['registers', 'persons', 'node', 'status', 'milliseconds', 'leaf_sha256'],
];

/**
 * The entries that fit a filter, newest first, as a file that is made while it is read. What is appended meanwhile is
 * not in it. A failure breaks the stream off, so that a file that is not whole is not taken for one that is.
 */
export function exportStream(
  search: LogSearch,
  filter: LogFilter,
  format: ExportFormat,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const lineOf = format === 'csv' ? csvEntry : ndjsonEntry;
  let before: number | undefined;
  return new ReadableStream({
    start(stream) {
      if (format === 'csv') stream.enqueue(encoder.encode(csvLine(COLUMNS)));
    },
    async pull(stream) {
      const found = await search.find(filter, before, PAGE);
      before = found.at(-1)?.index;
      if (found.length > 0) stream.enqueue(encoder.encode(found.map(lineOf).join('')));
      if (found.length < PAGE) stream.close();
    },
  });
}

/** The leaf stands in it as a text, character for character, so that its hash can be computed from it. */
const ndjsonEntry = ({ index, entry }: FoundEntry): string =>
  `${JSON.stringify({ index, leaf: new TextDecoder().decode(encodeEntry(entry)) })}\n`;

function csvEntry({ index, entry }: FoundEntry): string {
  const terms = searchTermsOf(entry);
  const registers = 'body' in entry ? lookupRequestOf(entry.body)?.registers.join(' ') : undefined;
  return csvLine([
    index,
    new Date(entry.at).toISOString(),
    entry.event,
    terms.agency,
    terms.purpose,
    terms.professional,
    terms.caseCommitment,
    terms.lookupId,
    registers,
    terms.persons,
    terms.node,
    terms.status,
    terms.milliseconds,
    bytesToHex(leafHash(encodeEntry(entry))),
  ]);
}
