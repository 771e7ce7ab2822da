import type { DeliveryReport, LogEvent, SealedQuestion } from '@hitmachine/protocol';
import { ENTRY_ID_BYTES, HitError, deliveryPartCodec } from '@hitmachine/protocol';
import { toBase64 } from '@hitmachine/service';
import type { OperationalLog } from '../log.ts';
import type { AuditLog } from '../ports/audit-log.ts';
import type { Connections, Delivery, DeliveryResult } from '../ports/connections.ts';
import type { OpenLookup, OpenLookups } from '../ports/open-lookups.ts';
import type { Runtime } from '../ports/runtime.ts';
import type { AnswersOnHand } from './answers-on-hand.ts';
import { claimQuestions } from './open-lookups.ts';
import type { RosterKeeper } from './roster-keeper.ts';
import { sha256 } from './sha256.ts';

interface FanOutDeps {
  readonly auditLog: AuditLog;
  readonly connections: Connections;
  readonly openLookups: OpenLookups;
  readonly onHand: AnswersOnHand;
  readonly roster: RosterKeeper;
  readonly runtime: Runtime;
  readonly log: OperationalLog;
}

/**
 * Milliseconds that the entry of an answer waits for those of others: nodes answer one by one, and a transaction for each
 * of them costs more than all that is done with it. The last answer of a lookup waits for none.
 */
const PATIENCE_MS = 5;

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
  const ready: Ready[] = [];
  const asked = { left: questions.length, thinking: questions.length, wake: (): void => undefined };
  /** How long the entry of the node that has just come to an end may wait for those of others. */
  const patience = (): number => (--asked.thinking > 0 && !gone.signal.aborted ? PATIENCE_MS : 0);
  for (const question of questions)
    void ask(deps, { lookup, request, question, patience, signal: gone.signal }).then((report) => {
      asked.left--;
      const held = report?.ciphertext?.length ?? 0;
      if (gone.signal.aborted) deps.onHand.release(lookup.agency, held);
      else if (report !== undefined) ready.push({ frame: deliveryPartCodec.encode(report), held });
      asked.wake();
    });
  // Nothing is copied for a reader who does not read on; what waits for it is counted, and bounded for all together.
  return new ReadableStream(
    {
      async pull(stream) {
        while (ready.length === 0 && asked.left > 0 && !gone.signal.aborted)
          await new Promise<void>((resolve) => {
            asked.wake = resolve;
          });
        if (ready.length === 0) return gone.signal.aborted ? undefined : stream.close();
        const piece = ready.splice(0, fitting(ready));
        for (const { held } of piece) deps.onHand.release(lookup.agency, held);
        const frames = piece.map(({ frame }) => frame);
        stream.enqueue(frames.length === 1 ? (frames[0] as Uint8Array) : Buffer.concat(frames));
      },
      cancel() {
        gone.abort();
        for (const { held } of ready.splice(0)) deps.onHand.release(lookup.agency, held);
        asked.wake();
      },
    },
    { highWaterMark: 0 },
  );
}

/** A report that may go out, and how many bytes of its answer are on hand until then. */
interface Ready {
  readonly frame: Uint8Array;
  readonly held: number;
}

/** Bytes that go out as one piece: to copy small reports costs less than a piece for each of them. */
const PIECE_BYTES = 65_536;

/** How many reports go out together: one at least. */
function fitting(ready: readonly Ready[]): number {
  let bytes = 0;
  const tooMany = ready.findIndex(({ frame }, i) => (bytes += frame.length) > PIECE_BYTES && i > 0);
  return tooMany < 0 ? ready.length : tooMany;
}

/**
 * One node's report, once its outcome stands in the log; undefined when the asker went away, or was taken off, before.
 * Its answer is on hand until somebody releases it. Never rejects.
 */
async function ask(
  deps: FanOutDeps,
  asked: {
    readonly lookup: OpenLookup;
    /** SHA-256 of the evidence of the request that opened it. */
    readonly request: string;
    readonly question: SealedQuestion;
    /** Called once, when the node has come to an end. */
    readonly patience: () => number;
    readonly signal: AbortSignal;
  },
): Promise<DeliveryReport | undefined> {
  const { lookup, request, question, patience, signal } = asked;
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
  const result = await put(deps, delivery, { timeoutMs, signal });
  const now = deps.runtime.now();
  const { agency, lookupId } = lookup;
  // An asker that was taken off while the node thought about it gets nothing more.
  const { agencies } = deps.roster.current.roster;
  const passedOn = agencies.some(({ id }) => id === agency) ? result : undefined;
  if (passedOn === undefined) deps.onHand.release(lookup.agency, result?.ciphertext?.length ?? 0);
  try {
    const event: LogEvent = {
      event: 'answer',
      id: toBase64(deps.runtime.random(ENTRY_ID_BYTES)),
      agency,
      lookupId,
      node,
      request,
      outcome: passedOn?.outcome ?? 'abandoned',
      milliseconds: Math.max(0, now - since),
    };
    await deps.auditLog.append(now, event, [], patience());
  } catch (err) {
    // What cannot be logged is not answered.
    deps.log.error('answer-not-logged', { agency, err });
    deps.onHand.release(lookup.agency, passedOn?.ciphertext?.length ?? 0);
    return { node, outcome: 'not-logged', ciphertext: undefined };
  }
  return passedOn && { node, ...passedOn };
}

/** Puts a question to its node, where there is room for it and for its answer. */
async function put(
  { onHand, connections }: FanOutDeps,
  delivery: Delivery,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<DeliveryResult | undefined> {
  if (!onHand.begin(delivery.asker)) return OVERLOADED;
  try {
    const result = await connections.deliver(delivery, options);
    return onHand.hold(delivery.asker, result?.ciphertext?.length ?? 0) ? result : OVERLOADED;
  } finally {
    onHand.end(delivery.asker);
  }
}

const OVERLOADED: DeliveryResult = { outcome: 'overloaded', ciphertext: undefined };
