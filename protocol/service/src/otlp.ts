import type { HrTime, SpanContext } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { TraceLink } from './trace-context.ts';

/** Names the program that made the spans. */
export interface TracedService {
  readonly name: string;
  readonly version: string;
}

/** Something that took time. Identifiers in lower-case hex, times in milliseconds since 1970. */
export interface TracedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string | undefined;
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** The trace of whoever called for it. */
  readonly link?: TraceLink | undefined;
}

/** Loaded when the first span is sent: most commands never send one, and it takes its time. */
async function library() {
  const [{ SpanKind, SpanStatusCode }, { JsonTraceSerializer }, { resourceFromAttributes }] =
    await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/otlp-transformer'),
      import('@opentelemetry/resources'),
    ]);
  return { SpanKind, SpanStatusCode, JsonTraceSerializer, resourceFromAttributes };
}

/** Milliseconds that a collector has to acknowledge. */
const TIMEOUT_MS = 30_000;

/** Spans as OTLP/HTTP carries them in JSON; the encoding is that of OpenTelemetry. */
export async function encodeSpans(
  service: TracedService,
  spans: readonly TracedSpan[],
): Promise<Uint8Array<ArrayBuffer>> {
  const { JsonTraceSerializer, SpanKind, SpanStatusCode, resourceFromAttributes } = await library();
  const resource = resourceFromAttributes({
    'service.name': service.name,
    'service.version': service.version,
  });
  const body = JsonTraceSerializer.serializeRequest(
    spans.map((span): ReadableSpan => {
      const [start, end] = [hrTime(span.start), hrTime(span.end)];
      return {
        name: span.name,
        kind: SpanKind.SERVER,
        spanContext: () => contextOf(span.traceId, span.spanId),
        ...(span.parentSpanId !== undefined && {
          parentSpanContext: contextOf(span.traceId, span.parentSpanId),
        }),
        startTime: start,
        endTime: end,
        duration: hrTime(span.end - span.start),
        ended: true,
        status: { code: span.failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
        attributes: span.attributes,
        links: span.link === undefined ? [] : [{ context: contextOf(span.link.traceId, span.link.spanId) }],
        events: [],
        resource,
        instrumentationScope: service,
        droppedAttributesCount: 0,
        droppedEventsCount: 0,
        droppedLinksCount: 0,
      };
    }),
  );
  return new Uint8Array(body ?? []);
}

const contextOf = (traceId: string, spanId: string): SpanContext => ({
  traceId,
  spanId,
  // Sampled: each of them was written to be kept.
  traceFlags: 1,
});

/** Seconds and nanoseconds. */
const hrTime = (milliseconds: number): HrTime => [
  Math.floor(milliseconds / 1_000),
  (milliseconds % 1_000) * 1_000_000,
];

/** Sends what {@link encodeSpans} made to a collector, over `way` where it is given. Rejects when it cannot be reached. */
export function postSpans(
  endpoint: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array<ArrayBuffer>,
  way: (url: string, init?: RequestInit) => Promise<Response> = fetch,
): Promise<Response> {
  return way(endpoint, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body,
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
}

/** How many of the spans a collector that answered 200 did not take. */
export async function rejectedSpans(body: Uint8Array): Promise<number> {
  const { JsonTraceSerializer } = await library();
  const { partialSuccess } = JsonTraceSerializer.deserializeResponse(body);
  // Numbers of 64 bits are written as text.
  return Number(partialSuccess?.rejectedSpans ?? 0);
}
