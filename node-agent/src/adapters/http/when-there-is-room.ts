import { setTimeout as delay } from 'node:timers/promises';
import { HitError } from '@hitmachine/protocol';

const ATTEMPTS = 3;
/** Somebody waits for the answer: what takes longer than this is told, and not waited for. */
const LONGEST_WAIT_S = 5;

/** Whether the gateway turned a request away for lack of room, before it did anything with it. */
export const isTurnedAway = (error: unknown): error is HitError =>
  error instanceof HitError && (error.code === 'overloaded' || error.code === 'agency-busy');

/**
 * Does `work`, and again when the gateway turned it away and said when to come back (`Retry-After`). Agents that were turned
 * away together come back apart. Throws what `work` throws the last time.
 */
export async function whenThereIsRoom<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++)
    try {
      return await work();
    } catch (error) {
      if (attempt === ATTEMPTS || !isTurnedAway(error) || error.retryAfter === undefined) throw error;
      if (error.retryAfter > LONGEST_WAIT_S) throw error;
      await delay(error.retryAfter * 1_000 * (1 + Math.random() / 2));
    }
}
