import type { TreeHead } from '@hitmachine/protocol';
import { constantTimeEqual, headFingerprint } from '@hitmachine/protocol';
import type { AlarmKind, NewAlarm, SignedHead } from '../ports/log-store.ts';

export function sameHead(a: TreeHead | undefined, b: TreeHead | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.size === b.size && constantTimeEqual(a.root, b.root);
}

const inWords = (head: TreeHead): string => `${head.size} entries (${headFingerprint(head)})`;

/** Two heads that the gateway signed, of which neither log begins with the other. Both notes are the proof. */
export function forkFound(held: SignedHead, seen: SignedHead, at: number): NewAlarm {
  return {
    kind: 'fork',
    at,
    detail: `the gateway signed two logs that contradict each other: ${inWords(held)} and ${inWords(seen)}`,
    evidence: [held.note, seen.note],
  };
}

/** The gateway signed for more entries than it now says there are; `published` is what it says now, if it does. */
export function rollbackFound(
  larger: SignedHead,
  smaller: SignedHead,
  published: string | undefined,
  at: number,
): NewAlarm {
  return {
    kind: 'rollback',
    at,
    detail: `the gateway signed a log of ${inWords(larger)} and now says that there are not so many; was it put back from a backup?`,
    evidence: [larger.note, published ?? smaller.note],
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
