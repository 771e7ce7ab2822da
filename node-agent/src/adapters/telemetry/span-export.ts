import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { bytesToHex, decodeBase64, ticketCodec } from '@hitmachine/protocol';
import type { TracedService, TracedSpan } from '@hitmachine/service';
import { encodeSpans, postSpans } from '@hitmachine/service';
import type { OperationalLog } from '../../ports/operational-log.ts';
import type { Telemetry } from '../../ports/telemetry.ts';

interface ExportOptions {
  /** Where traces are taken over OTLP/HTTP: mostly ends in `/v1/traces`. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly service: TracedService;
  readonly log: OperationalLog;
  /** How the collector is reached; the runtime's own way unless told. */
  readonly fetch?: ((url: string, init?: RequestInit) => Promise<Response>) | undefined;
  /** Milliseconds between two sendings. */
  readonly everyMs?: number;
}

export interface SpanExport extends Telemetry {
  /** Sends what is left, for as long as one sending may take at most `deadlineMs`. */
  close(deadlineMs: number): Promise<void>;
}

const EVERY_MS = 5_000;
/** Spans that wait. More are left out: a collector that is away costs neither memory nor lookups. */
const MAX_WAITING = 2_000;

/**
 * Sends a span for each lookup that was put and each question that was answered to this agency's own collector. The
 * trace has the identifier of the lookup, which gateway and nodes know anyway, so nothing has to travel with a message;
 * the trace of the caller is linked to here, and goes nowhere else.
 */
export function exportSpans({
  endpoint,
  headers,
  service,
  log,
  fetch,
  everyMs = EVERY_MS,
}: ExportOptions): SpanExport {
  let waiting: TracedSpan[] = [];
  let lost = 0;
  let failing = false;
  let sending: Promise<void> = Promise.resolve();

  const keep = (span: TracedSpan): void => {
    if (waiting.length < MAX_WAITING) waiting.push(span);
    else lost++;
  };
  async function send(): Promise<void> {
    const spans = waiting;
    if (spans.length === 0) return;
    waiting = [];
    try {
      const response = await postSpans(endpoint, headers, await encodeSpans(service, spans), fetch);
      if (!response.ok) throw new Error(`it answers with status ${response.status}`);
      if (failing) log.info({ event: 'traces-sent-again', lost });
      failing = false;
      lost = 0;
    } catch (error) {
      const room = MAX_WAITING - waiting.length;
      lost += Math.max(0, spans.length - room);
      waiting = [...spans.slice(-room), ...waiting];
      if (!failing) log.warn({ event: 'traces-not-sent', reason: (error as Error).message });
      failing = true;
    }
  }
  const timer = setInterval(() => {
    sending = sending.then(send);
  }, everyMs);
  timer.unref();
  return {
    asked({ lookupIds, purpose, start, end, outcome, caller }) {
      for (const lookupId of lookupIds)
        keep({
          traceId: bytesToHex(decodeBase64(lookupId)),
          spanId: randomBytes(8).toString('hex'),
          name: 'hitmachine.ask',
          start,
          end,
          failed: outcome === 'failed',
          attributes: { 'hitmachine.purpose': purpose, 'hitmachine.complete': outcome === 'complete' },
          link: caller,
        });
    },
    answered({ ticket, start, end, outcome }) {
      const lookupId = lookupIdOf(ticket);
      if (lookupId === undefined) return;
      keep({
        traceId: bytesToHex(lookupId),
        spanId: randomBytes(8).toString('hex'),
        name: 'hitmachine.answer',
        start,
        end,
        failed: outcome === 'rejected',
        attributes: { 'hitmachine.outcome': outcome },
      });
    },
    async close(deadlineMs) {
      clearInterval(timer);
      sending = sending.then(send);
      await Promise.race([sending, delay(deadlineMs, undefined, { ref: false })]);
    },
  };
}

function lookupIdOf(ticket: Uint8Array): Uint8Array | undefined {
  try {
    return ticketCodec.decode(ticket).lookupId;
  } catch {
    // What is no ticket was rejected, and belongs to no lookup.
    return undefined;
  }
}
