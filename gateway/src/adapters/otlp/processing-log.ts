import { setTimeout as delay } from 'node:timers/promises';
import { HitError, bytesToHex } from '@hitmachine/protocol';
import type { HrTime, SpanContext } from '@opentelemetry/api';
import { SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { Resource } from '@opentelemetry/resources';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { ProcessingLog, ProcessingRecord } from '../../ports/processing-log.ts';

export interface OtlpOptions {
  /** Where traces are taken over OTLP/HTTP: mostly ends in `/v1/traces`. */
  readonly endpoint: string;
  /** Further headers, such as one with a key. */
  readonly headers: Readonly<Record<string, string>>;
  /** Names the system that keeps the records. */
  readonly service: { readonly name: string; readonly version: string };
}

/** Milliseconds that the log has to acknowledge. */
const TIMEOUT_MS = 30_000;
const ATTEMPTS = 3;
/** Milliseconds before another attempt, where the log does not say how long to wait. */
const PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 20_000;
/** Answers after which OTLP/HTTP says to try again. */
const TRY_AGAIN = new Set([429, 502, 503, 504]);

/**
 * Sends records as OTLP/HTTP in JSON. The encoding is that of OpenTelemetry; sending is done here, because its
 * exporters only warn when a log takes a part of what it was sent.
 */
export class OtlpProcessingLog implements ProcessingLog {
  readonly #options: OtlpOptions;
  readonly #resource: Resource;

  constructor(options: OtlpOptions) {
    this.#options = options;
    this.#resource = resourceFromAttributes({
      'service.name': options.service.name,
      'service.version': options.service.version,
    });
  }

  async write(records: readonly ProcessingRecord[]): Promise<void> {
    if (records.length === 0) return;
    const spans = records.map((record) => spanOf(record, this.#resource, this.#options.service));
    const body = JsonTraceSerializer.serializeRequest(spans);
    if (body === undefined) throw new HitError('internal');
    for (let attempt = 1; ; attempt++) {
      const response = await this.#post(body).catch((cause: unknown) => {
        if (attempt >= ATTEMPTS) throw this.#failed('cannot be reached', cause);
        return undefined;
      });
      if (response?.ok === true) return this.#requireAll(new Uint8Array(await response.arrayBuffer()));
      const again = response === undefined || TRY_AGAIN.has(response.status);
      if (!again || attempt >= ATTEMPTS) throw this.#failed(`answers with status ${response?.status ?? '?'}`);
      await pause(response?.headers.get('retry-after'));
    }
  }

  #post(body: Uint8Array): Promise<Response> {
    return fetch(this.#options.endpoint, {
      method: 'POST',
      headers: { ...this.#options.headers, 'content-type': 'application/json' },
      body: new Uint8Array(body),
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  }

  /** A log may answer 200 and yet have taken only a part. */
  #requireAll(body: Uint8Array): void {
    const { partialSuccess } = JsonTraceSerializer.deserializeResponse(body);
    // Numbers of 64 bits are written as text.
    const rejected = Number(partialSuccess?.rejectedSpans ?? 0);
    if (rejected > 0) throw this.#failed(`did not take ${rejected} of the records`);
  }

  #failed(what: string, cause?: unknown): HitError {
    return new HitError('storage-failed', `the processing log at ${this.#options.endpoint} ${what}`, {
      cause,
    });
  }
}

function spanOf(record: ProcessingRecord, resource: Resource, service: OtlpOptions['service']): ReadableSpan {
  const context = (spanId: Uint8Array): SpanContext => ({
    traceId: bytesToHex(record.traceId),
    spanId: bytesToHex(spanId),
    traceFlags: TraceFlags.SAMPLED,
  });
  const [start, end] = [hrTime(record.start), hrTime(record.end)];
  return {
    name: record.name,
    kind: SpanKind.SERVER,
    spanContext: () => context(record.spanId),
    ...(record.parentSpanId !== undefined && { parentSpanContext: context(record.parentSpanId) }),
    startTime: start,
    endTime: end,
    duration: hrTime(record.end - record.start),
    ended: true,
    status: { code: record.failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: record.attributes,
    links: [],
    events: [],
    resource,
    instrumentationScope: service,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Seconds and nanoseconds. */
const hrTime = (milliseconds: number): HrTime => [
  Math.floor(milliseconds / 1_000),
  (milliseconds % 1_000) * 1_000_000,
];

async function pause(retryAfter: string | null | undefined): Promise<void> {
  const told = Number(retryAfter ?? Number.NaN) * 1_000;
  const milliseconds = Number.isFinite(told) && told > 0 ? Math.min(told, MAX_PAUSE_MS) : PAUSE_MS;
  await delay(milliseconds);
}
