import { HitError } from '@hitmachine/protocol';

/** The mark of the node key that pseudonyms are made with now, where it is on record. */
export const NODE_KEY_IN_USE = "SELECT value FROM state WHERE name = 'node-key'";

/** The evaluation key that all pseudonyms were moved away from last, in JSON, where there is one. */
export const EVALUATION_MOVED = "SELECT value FROM state WHERE name = 'evaluation-moved'";

/** The same for the gateway's evaluation key: throws `key-changed` when it is the one that pseudonyms were moved from. */
export function refuseFormerEvaluationKey(madeWith: string, moved: unknown): void {
  if (typeof moved !== 'string' || (JSON.parse(moved) as { from: string }).from !== madeWith) return;
  throw new HitError(
    'key-changed',
    "the gateway's evaluation key has changed since this began, so nothing was changed: run it again",
  );
}

/**
 * Inside a transaction that stores pseudonyms: throws `key-changed` when they were made with another node key than the
 * one in use. A process that began before a change of keys, or has another key store, must not mix the two.
 */
export function refuseOtherNodeKey(madeWith: string, inUse: unknown): void {
  if (inUse === undefined || inUse === madeWith) return;
  throw new HitError(
    'key-changed',
    'another node key is in use than this was made with, so nothing was changed: run it again. If it says so again, the key store is not the one that belongs to this database; copy it from the machine where "hit-agent keys rotate" was run, or from your backup',
  );
}
