import { csvLine } from '@hitmachine/web';
import { agenciesOf, personsOf, purposeOf, statusOf } from '../src/domain/own-log/log-filter.ts';
import type { LogRecord } from '../src/domain/own-log/log-records.ts';

export type ExportFormat = 'csv' | 'ndjson';

const COLUMNS = [
  ...['sequence', 'time', 'kind', 'professional', 'purpose', 'case_reference', 'persons', 'agencies'],
  ...['registers', 'lookup_id', 'status', 'reason', 'outcomes', 'epoch', 'reader', 'what'],
];

/** Records as a file, in the order in which they are given. */
export function exported(records: readonly LogRecord[], format: ExportFormat): Uint8Array {
  const lines = format === 'csv' ? [csvLine(COLUMNS), ...records.map(csvRecord)] : records.map(ndjsonRecord);
  return new TextEncoder().encode(lines.join(''));
}

/** Of a removed entry's time the day is left. */
const timeOf = ({ kind, at }: LogRecord): string => {
  const time = new Date(at).toISOString();
  return kind === 'removed' ? time.slice(0, 10) : time;
};

const ndjsonRecord = (record: LogRecord): string => `${JSON.stringify({ ...record, at: timeOf(record) })}\n`;

function csvRecord(record: LogRecord): string {
  const asked = record.kind === 'asked' ? record : undefined;
  const answered = record.kind === 'answered' || record.kind === 'refused' ? record : undefined;
  const read = record.kind === 'log-read' || record.kind === 'access-refused' ? record : undefined;
  const outcomes = Object.entries(asked?.outcomes ?? {}).flatMap(([register, counts]) =>
    Object.entries(counts).map(([outcome, persons]) => `${register} ${outcome} ${persons}`),
  );
  return csvLine([
    record.sequence,
    timeOf(record),
    record.kind,
    asked?.detail.professional,
    purposeOf(record),
    asked?.detail.caseReference,
    personsOf(record),
    agenciesOf(record).join(' '),
    (asked ?? answered)?.detail.registers.join(' '),
    (asked ?? answered)?.lookupId,
    statusOf(record),
    asked?.failure ?? answered?.detail.reason,
    outcomes.join('; '),
    answered?.detail.epoch,
    read?.detail.reader,
    record.kind === 'log-read'
      ? `${record.detail.reading} ${record.detail.what}`.trim()
      : record.kind === 'access-refused'
        ? record.detail.path
        : undefined,
  ]);
}
