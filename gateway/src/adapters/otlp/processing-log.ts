import { setTimeout as delay } from 'node:timers/promises';
import { HitError, bytesToHex } from '@hitmachine/protocol';
import type { TracedService, TracedSpan } from '@hitmachine/service';
import { encodeSpans, postSpans, rejectedSpans } from '@hitmachine/service';
import type { ProcessingLog, ProcessingRecord } from '../../ports/processing-log.ts';

export interface OtlpOptions {
  /** Where traces are taken over OTLP/HTTP: mostly ends in `/v1/traces`. */
  readonly endpoint: string;
  /** Further headers, such as one with a key. */
  readonly headers: Readonly<Record<string, string>>;
  /** Names the system that keeps the records. */
  readonly service: TracedService;
}

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

  constructor(options: OtlpOptions) {
    this.#options = options;
  }

  async write(records: readonly ProcessingRecord[]): Promise<void> {
    if (records.length === 0) return;
    const { endpoint, headers, service } = this.#options;
    const body = await encodeSpans(service, records.map(spanOf));
    for (let attempt = 1; ; attempt++) {
      const response = await postSpans(endpoint, headers, body).catch((cause: unknown) => {
        if (attempt >= ATTEMPTS) throw this.#failed('cannot be reached', cause);
        return undefined;
      });
      if (response?.ok === true) return this.#requireAll(new Uint8Array(await response.arrayBuffer()));
      const again = response === undefined || TRY_AGAIN.has(response.status);
      if (!again || attempt >= ATTEMPTS) throw this.#failed(`answers with status ${response?.status ?? '?'}`);
      await pause(response?.headers.get('retry-after'));
    }
  }

  /** A log may answer 200 and yet have taken only a part. */
  async #requireAll(body: Uint8Array): Promise<void> {
    const rejected = await rejectedSpans(body);
    if (rejected > 0) throw this.#failed(`did not take ${rejected} of the records`);
  }

  #failed(what: string, cause?: unknown): HitError {
    return new HitError('storage-failed', `the processing log at ${this.#options.endpoint} ${what}`, {
      cause,
    });
  }
}

function spanOf({ traceId, spanId, parentSpanId, ...record }: ProcessingRecord): TracedSpan {
  return {
    ...record,
    traceId: bytesToHex(traceId),
    spanId: bytesToHex(spanId),
    parentSpanId: parentSpanId === undefined ? undefined : bytesToHex(parentSpanId),
  };
}

async function pause(retryAfter: string | null | undefined): Promise<void> {
  const told = Number(retryAfter ?? Number.NaN) * 1_000;
  const milliseconds = Number.isFinite(told) && told > 0 ? Math.min(told, MAX_PAUSE_MS) : PAUSE_MS;
  await delay(milliseconds);
}
