/** Where a caller's own trace stands, after W3C Trace Context; both in lower-case hex. */
export interface TraceLink {
  readonly traceId: string;
  readonly spanId: string;
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?$/;
const ZEROS = /^0+$/;

/**
 * Reads a header `traceparent` (W3C Trace Context, section 3.2). Anything that is none counts as none: a caller's trace
 * is a convenience, and never a reason to refuse. Flags, and `tracestate` beside it, are not looked at.
 */
export function readTraceparent(header: string | undefined): TraceLink | undefined {
  const [, traceId, spanId] = TRACEPARENT.exec(header?.trim() ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || ZEROS.test(traceId) || ZEROS.test(spanId))
    return undefined;
  return { traceId, spanId };
}
