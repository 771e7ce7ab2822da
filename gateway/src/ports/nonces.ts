/** Milliseconds for which an expired nonce may still count as used: forgetting is done in rounds. */
export const FORGET_EVERY_MS = 1_000;
/** How many nonces of one agency may be alive at once. */
export const MAX_LIVE_NONCES = 50_000;

/**
 * The nonces of signed requests, kept as long as the request could still be used.
 *
 * Trusted for: of two calls with the same agency and nonce at most one gets `fresh`, also when the process was
 * restarted in between. After a loss of power the last ones may be forgotten, but never one whose request has left
 * an entry in the audit log or the directory.
 */
export interface Nonces {
  /**
   * Marks a nonce as used until `expires` (milliseconds since 1970). `now` decides which old ones may be forgotten,
   * at most {@link FORGET_EVERY_MS} late.
   * `too-many` when the agency has {@link MAX_LIVE_NONCES} alive; the nonce is not marked then.
   */
  use(
    agency: string,
    nonce: string,
    expires: number,
    now: number,
  ): Promise<'fresh' | 'replayed' | 'too-many'>;
}
