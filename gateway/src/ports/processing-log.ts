/** A processing of personal data: the Logboek Dataverwerkingen has one record for it, and one for each person. */
export interface ProcessingRecord {
  /** 16 bytes: all records of one processing share it. */
  readonly traceId: Uint8Array;
  /** 8 bytes. */
  readonly spanId: Uint8Array;
  /** Span of the processing that this record is part of. */
  readonly parentSpanId: Uint8Array | undefined;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
  /** True when it failed for a reason of the system's own; a search without a result did not fail. */
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, string | number>>;
}

/**
 * A Logboek Dataverwerkingen that takes records over OTLP.
 *
 * `write` resolves only once the log has acknowledged every record; otherwise it rejects with `storage-failed`, and
 * some of the records may be there. Records have identifiers of their own, so that writing them again is harmless.
 */
export interface ProcessingLog {
  write(records: readonly ProcessingRecord[]): Promise<void>;
}
