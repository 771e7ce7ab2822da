import type { DeliveryReport, SealedQuestion } from '@hitmachine/protocol';
import { HitError, deliveryReportCodec, uintToBytes } from '@hitmachine/protocol';
import type { OperationalLog } from '../log.ts';
import type { AuditEvent, AuditLog } from '../ports/audit-log.ts';
import type { Connections, Delivery } from '../ports/connections.ts';
import type { Runtime } from '../ports/runtime.ts';
import type { OpenLookup, OpenLookups } from './open-lookups.ts';
import type { RosterKeeper } from './roster-keeper.ts';

interface FanOutDeps {
  readonly auditLog: AuditLog;
  readonly connections: Connections;
  readonly openLookups: OpenLookups;
  readonly roster: RosterKeeper;
  readonly runtime: Runtime;
  readonly log: OperationalLog;
}

type NodeOutcome = Extract<AuditEvent, { event: 'delivery' }>['nodes'][number];

/**
 * Puts the sealed questions of a lookup to the nodes, all at once, and returns a stream with a report for each as
 * soon as it is known: its length (32 bits, big-endian), then the encoded report. The stream ends after the last one.
 * When the reader goes away, nothing is waited for any longer. Throws `field-invalid` or `ticket-invalid`.
 */
export function fanOut(
  deps: FanOutDeps,
  lookup: OpenLookup,
  questions: readonly SealedQuestion[],
): ReadableStream<Uint8Array> {
  if (questions.length === 0)
    throw new HitError('field-invalid', 'questions: at least one', {
      fields: [{ field: 'questions', detail: 'at least one' }],
    });
  deps.openLookups.claim(
    lookup.lookupId,
    questions.map(({ node }) => node),
  );
  const gone = new AbortController();
  return new ReadableStream({
    async start(stream) {
      const outcomes = await Promise.all(
        questions.map(async (question) => {
          const { outcome, report } = await ask(deps, lookup, question, gone.signal);
          if (report !== undefined && !gone.signal.aborted) stream.enqueue(framed(report));
          return outcome;
        }),
      );
      await logOutcomes(deps, lookup, outcomes);
      if (!gone.signal.aborted) stream.close();
    },
    cancel() {
      gone.abort();
    },
  });
}

async function ask(
  deps: FanOutDeps,
  lookup: OpenLookup,
  question: SealedQuestion,
  signal: AbortSignal,
): Promise<{ outcome: NodeOutcome; report: DeliveryReport | undefined }> {
  const { node } = question;
  const delivery: Delivery = {
    ticket: lookup.tickets.get(node) as Uint8Array,
    evidence: lookup.evidence,
    evidenceSignature: lookup.evidenceSignature,
    question,
  };
  const timeoutMs = deps.roster.current.roster.settings.answerTimeoutMs;
  const since = deps.runtime.now();
  const result = await deps.connections.deliver(delivery, { timeoutMs, signal });
  return {
    outcome: { node, outcome: result?.outcome ?? 'abandoned', milliseconds: deps.runtime.now() - since },
    report: result && { node, ...result },
  };
}

function framed(report: DeliveryReport): Uint8Array {
  const encoded = deliveryReportCodec.encode(report);
  const frame = new Uint8Array(4 + encoded.length);
  frame.set(uintToBytes(encoded.length, 4));
  frame.set(encoded, 4);
  return frame;
}

/** The lookup itself was logged when it was opened; without its outcomes the log is poorer, not wrong. */
async function logOutcomes(
  deps: FanOutDeps,
  lookup: OpenLookup,
  nodes: readonly NodeOutcome[],
): Promise<void> {
  const { agency, lookupId } = lookup;
  await deps.auditLog
    .append(deps.runtime.now(), { event: 'delivery', agency, lookupId, nodes })
    .catch((err: unknown) => deps.log.error('delivery-not-logged', { agency, err }));
}
