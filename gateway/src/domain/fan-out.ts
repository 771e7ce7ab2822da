import type { DeliveryReport, SealedQuestion } from '@hitmachine/protocol';
import { ENTRY_ID_BYTES, HitError, deliveryPartCodec } from '@hitmachine/protocol';
import { toBase64 } from '@hitmachine/service';
import type { OperationalLog } from '../log.ts';
import type { AuditLog } from '../ports/audit-log.ts';
import type { Connections, Delivery } from '../ports/connections.ts';
import type { OpenLookup, OpenLookups } from '../ports/open-lookups.ts';
import type { Runtime } from '../ports/runtime.ts';
import { claimQuestions } from './open-lookups.ts';
import type { RosterKeeper } from './roster-keeper.ts';
import { sha256 } from './sha256.ts';

interface FanOutDeps {
  readonly auditLog: AuditLog;
  readonly connections: Connections;
  readonly openLookups: OpenLookups;
  readonly roster: RosterKeeper;
  readonly runtime: Runtime;
  readonly log: OperationalLog;
}

/**
 * Puts the sealed questions of a lookup to the nodes, all at once, and returns a stream with a report for each as
 * soon as it is known and logged: its length (32 bits, big-endian), then the encoded report. The stream ends after the
 * last one. When the reader goes away, nothing is waited for any longer. Throws `field-invalid`, `ticket-invalid`,
 * `unknown-lookup` or `storage-failed`.
 */
export async function fanOut(
  deps: FanOutDeps,
  lookup: OpenLookup,
  questions: readonly SealedQuestion[],
): Promise<ReadableStream<Uint8Array>> {
  if (questions.length === 0)
    throw new HitError('field-invalid', 'questions: at least one', {
      fields: [{ field: 'questions', detail: 'at least one' }],
    });
  await claimQuestions(
    deps.openLookups,
    lookup,
    questions.map(({ node }) => node),
  );
  const request = toBase64(sha256(lookup.evidence));
  const gone = new AbortController();
  return new ReadableStream({
    async start(stream) {
      await Promise.all(
        questions.map(async (question) => {
          const report = await ask(deps, { lookup, request, question, signal: gone.signal });
          if (report !== undefined && !gone.signal.aborted) stream.enqueue(deliveryPartCodec.encode(report));
        }),
      );
      if (!gone.signal.aborted) stream.close();
    },
    cancel() {
      gone.abort();
    },
  });
}

/** One node's report, once its outcome stands in the log; undefined when the asker went away, or was taken off, before. */
async function ask(
  deps: FanOutDeps,
  asked: {
    readonly lookup: OpenLookup;
    /** SHA-256 of the evidence of the request that opened it. */
    readonly request: string;
    readonly question: SealedQuestion;
    readonly signal: AbortSignal;
  },
): Promise<DeliveryReport | undefined> {
  const { lookup, request, question, signal } = asked;
  const { node } = question;
  const delivery: Delivery = {
    ticket: lookup.tickets.get(node) as Uint8Array,
    evidence: lookup.evidence,
    evidenceSignature: lookup.evidenceSignature,
    asker: lookup.agency,
    question,
  };
  const timeoutMs = deps.roster.current.roster.policy.settings.answerTimeoutMs;
  const since = deps.runtime.now();
  const result = await deps.connections.deliver(delivery, { timeoutMs, signal });
  const now = deps.runtime.now();
  const { agency, lookupId } = lookup;
  // An asker that was taken off while the node thought about it gets nothing more.
  const { agencies } = deps.roster.current.roster;
  const passedOn = agencies.some(({ id }) => id === agency) ? result : undefined;
  try {
    await deps.auditLog.append(now, {
      event: 'answer',
      id: toBase64(deps.runtime.random(ENTRY_ID_BYTES)),
      agency,
      lookupId,
      node,
      request,
      outcome: passedOn?.outcome ?? 'abandoned',
      milliseconds: Math.max(0, now - since),
    });
  } catch (err) {
    // What cannot be logged is not answered.
    deps.log.error('answer-not-logged', { agency, err });
    return { node, outcome: 'not-logged', ciphertext: undefined };
  }
  return passedOn && { node, ...passedOn };
}
