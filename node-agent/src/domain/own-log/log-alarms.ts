import type { TreeHead } from '@hitmachine/protocol';
import { HitError, constantTimeEqual, encodeBase64, headFingerprint } from '@hitmachine/protocol';
import type { Alarm, AlarmKind, NewAlarm, SignedHead } from '../../ports/log-store.ts';

export function sameHead(a: TreeHead | undefined, b: TreeHead | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.size === b.size && constantTimeEqual(a.root, b.root);
}

const inWords = (head: TreeHead): string => `${head.size} entries (${headFingerprint(head)})`;

/** Two heads of one size and different roots, which the gateway signed. The two notes are the proof, for anybody. */
export function forkFound(held: SignedHead, seen: SignedHead, at: number): NewAlarm {
  return {
    kind: 'fork',
    at,
    detail: `the gateway signed two logs that contradict each other: ${inWords(held)} and ${inWords(seen)}`,
    evidence: [held.note, seen.note],
  };
}

/**
 * Two heads of different size that the gateway signed, and a proof that does not connect them. Nobody signed the proof:
 * what convinces others is the log itself, at the size of the older head.
 */
export function forkSuspected(
  older: SignedHead,
  newer: SignedHead,
  proof: readonly Uint8Array[],
  at: number,
): NewAlarm {
  return {
    kind: 'fork',
    at,
    detail: `the gateway signed two logs, ${inWords(older)} and ${inWords(newer)}, and for minutes its proofs have not shown that the one begins with the other`,
    evidence: [
      older.note,
      newer.note,
      [`GET /v1/log/consistency?old=${older.size}&new=${newer.size}`, ...proof.map(encodeBase64), ''].join(
        '\n',
      ),
    ],
  };
}

/** The gateway signed for more entries than it publishes, and denies them. */
export function rollbackSuspected(larger: SignedHead, published: SignedHead, at: number): NewAlarm {
  return {
    kind: 'rollback',
    at,
    detail: `the gateway signed a log of ${inWords(larger)}, and for minutes has published one of ${inWords(published)} and said that there are not more; was it put back from a backup?`,
    evidence: [larger.note, published.note],
  };
}

/** A lookup that the gateway's log does not have, or not as this agency has it. Names the lookup and nothing else. */
export function entryAlarm(
  kind: Extract<AlarmKind, 'entry-missing' | 'entry-differs'>,
  lookupId: string,
  what: string,
  evidence: readonly string[],
  at: number,
): NewAlarm {
  return { kind, at, detail: `lookup ${lookupId}: ${what}`, evidence };
}

/** What is told to whoever wants to ask or be answered while there is an alarm about the log. */
export function inconsistent({ kind, detail }: Pick<Alarm, 'kind' | 'detail'>): HitError {
  return new HitError(
    'log-inconsistent',
    `${detail} (${kind}). Nothing is asked or answered until an administrator of this agency has looked into it: see "hit-agent log alarms", and then "hit-agent trust log"`,
  );
}

/** The words for a proof that the gateway has owed for too long, since `since` (milliseconds since 1970). */
export const owingInWords = (since: number): string =>
  `since ${new Date(since).toISOString()} the gateway has not shown that what it signed is one log that only grows. Nothing is asked or answered until it does; then this agent goes on by itself. Ask the administrator of the gateway`;
