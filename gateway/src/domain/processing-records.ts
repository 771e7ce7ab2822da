import type { LogEntry, LookupRequest } from '@hitmachine/protocol';
import {
  concatBytes,
  decodeBase64,
  lookupRequestSchema,
  parseJson,
  uintToBytes,
  utf8ToBytes,
} from '@hitmachine/protocol';
import type { LogFilter, LogSearch } from '../ports/log-search.ts';
import type { ProcessingLog, ProcessingRecord } from '../ports/processing-log.ts';
import { sha256 } from './sha256.ts';

type Lookup = Extract<LogEntry, { event: 'lookup' }>;

/** Lookups that are read and sent at once. */
const BATCH = 200;
const SPAN_BYTES = 8;

/**
 * A lookup in the form of the Logboek Dataverwerkingen: a record for the lookup, and below it one for each person
 * that was asked about. `dpl.core.data_subject_id` is left out: the gateway does not know whom a lookup is about, nor
 * anything that it could be derived from. A person is a number within the lookup; the asking agency, whose own log
 * knows the person, can lay the two side by side by the lookup's identifier, which is the trace id.
 */
export function processingRecords(federation: string, entry: Lookup, end: number): ProcessingRecord[] {
  const request = parseJson(lookupRequestSchema, utf8ToBytes(entry.body));
  const traceId = decodeBase64(entry.lookupId);
  const start = entry.at;
  const shared = { traceId, start, end, failed: false, name: 'hitmachine.lookup' };
  const attributes = attributesOf(federation, entry, request);
  const root = spanId(traceId, 0);
  return [
    { ...shared, spanId: root, parentSpanId: undefined, attributes },
    ...Array.from({ length: request.persons }, (_, index) => ({
      ...shared,
      name: 'hitmachine.lookup.person',
      spanId: spanId(traceId, index + 1),
      parentSpanId: root,
      attributes: { ...attributes, 'hitmachine.person': index + 1 },
    })),
  ];
}

function attributesOf(
  federation: string,
  entry: Lookup,
  request: LookupRequest,
): Record<string, string | number> {
  return {
    'dpl.core.processing_activity_id': `urn:hitmachine:${federation}:purpose:${request.purpose}`,
    'hitmachine.lookup_id': entry.lookupId,
    'hitmachine.agency': entry.agency,
    'hitmachine.professional': request.professional,
    'hitmachine.case_commitment': request.caseCommitment,
    'hitmachine.registers': request.registers.join(' '),
    'hitmachine.persons': request.persons,
  };
}

/** Follows from the lookup, so that a record that is written twice has the same identifier both times. */
const spanId = (lookupId: Uint8Array, person: number): Uint8Array =>
  sha256(concatBytes(utf8ToBytes('hitmachine-v1 span'), lookupId, uintToBytes(person, 4))).slice(
    0,
    SPAN_BYTES,
  );

/**
 * Writes all lookups that fit a filter to a processing log, newest first; resolves with how many once each of their
 * records was acknowledged. Throws `storage-failed`; what was written before may then be written again.
 */
export async function sendProcessingRecords(
  deps: { readonly search: LogSearch; readonly processingLog: ProcessingLog },
  federation: string,
  filter: LogFilter,
): Promise<number> {
  let sent = 0;
  let before: number | undefined;
  if (filter.events?.includes('lookup') === false) return 0;
  const lookups: LogFilter = { ...filter, events: ['lookup'] };
  for (;;) {
    const found = await deps.search.find(lookups, before, BATCH);
    const last = found.at(-1);
    if (last === undefined) return sent;
    const records: ProcessingRecord[] = [];
    for (const { entry } of found)
      if (entry.event === 'lookup')
        records.push(...processingRecords(federation, entry, await endOf(deps.search, entry)));
    await deps.processingLog.write(records);
    sent += found.length;
    before = last.index;
  }
}

/** When the last of its answers came. */
async function endOf(search: LogSearch, { lookupId, at }: Lookup): Promise<number> {
  const [last] = await search.find({ lookupId, events: ['answer'] }, undefined, 1);
  return Math.max(at, last?.entry.at ?? at);
}
