import type { LogRecord } from './log-records.ts';

/** What a privacy officer looks for. What is left out is not asked for. */
export interface LogFilter {
  /** Milliseconds since 1970: from inclusive, to exclusive. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly direction?: 'asked' | 'answered' | 'oversight' | undefined;
  readonly purpose?: string | undefined;
  /** The asker of what was answered, one of those asked of what was asked. */
  readonly agency?: string | undefined;
  /** As the agency's own log has it; upper and lower case are the same. */
  readonly professional?: string | undefined;
  readonly caseReference?: string | undefined;
  readonly lookupId?: string | undefined;
  readonly status?: string | undefined;
  /** Readings of the log too. */
  readonly readings?: boolean | undefined;
}

/** Whether a record fits a filter; its time is not looked at. */
export function fits(record: LogRecord, filter: LogFilter): boolean {
  const { direction, purpose, agency, professional, caseReference, lookupId, status } = filter;
  if (direction !== undefined && direction !== directionOf(record)) return false;
  if (record.kind === 'log-read' && filter.readings !== true && direction !== 'oversight') return false;
  if (lookupId !== undefined && (!('lookupId' in record) || record.lookupId !== lookupId)) return false;
  if (status !== undefined && statusOf(record) !== status) return false;
  if (purpose !== undefined && purposeOf(record) !== purpose) return false;
  if (agency !== undefined && !agenciesOf(record).includes(agency)) return false;
  if (professional === undefined && caseReference === undefined) return true;
  if (record.kind !== 'asked') return false;
  const { detail } = record;
  return (
    (professional === undefined || detail.professional.toLowerCase() === professional.toLowerCase()) &&
    (caseReference === undefined || detail.caseReference.toLowerCase() === caseReference.toLowerCase())
  );
}

/** What was asked, what it was asked, or what was done with the log itself. */
export function directionOf({ kind }: LogRecord): 'asked' | 'answered' | 'oversight' {
  if (kind === 'asked') return 'asked';
  return kind === 'answered' || kind === 'refused' ? 'answered' : 'oversight';
}

export function statusOf(record: LogRecord): string | undefined {
  if (record.kind === 'asked') return record.status;
  return record.kind === 'answered' || record.kind === 'refused' ? record.kind : undefined;
}

export const purposeOf = (record: LogRecord): string | undefined =>
  record.kind === 'asked' || record.kind === 'answered' || record.kind === 'refused'
    ? record.detail.purpose
    : undefined;

export function agenciesOf(record: LogRecord): readonly string[] {
  if (record.kind === 'asked') return record.nodes;
  return record.kind === 'answered' || record.kind === 'refused' ? [record.detail.asker] : [];
}

export function personsOf(record: LogRecord): number | undefined {
  if (record.kind === 'asked') return record.detail.subjects.length;
  return record.kind === 'answered' || record.kind === 'refused' ? record.detail.persons : undefined;
}
