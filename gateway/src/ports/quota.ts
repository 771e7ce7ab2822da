import type { QuotaRule } from '@hitmachine/protocol';

/**
 * A claim on a counter that starts anew with every window. Two charges with the same counter and window end add up;
 * when `used + amount` would exceed `limit` the claim is refused as a whole.
 */
export interface Charge {
  /** What is counted for whom: `persons:politie`. Never a person asked about. */
  readonly counter: string;
  /** For the refusal: "persons of an agency a day". */
  readonly describes: string;
  /** The rule of the policy that this limit is, where it is one. */
  readonly rule?: QuotaRule | undefined;
  /** When the window ends and the counter starts anew, milliseconds since 1970. */
  readonly windowEnd: number;
  readonly amount: number;
  readonly limit: number;
}

/** What became of a claim: all charges were counted, or none; `charge` is the first one that did not fit. */
export type Claim =
  | {
      readonly type: 'claimed';
      /** Takes the charges off again, for what they paid for did not happen. Rejects with `storage-failed`. */
      giveBack(): Promise<void>;
    }
  | { readonly type: 'exceeded'; readonly charge: Charge };

/**
 * Quota counters apart from the log, shared by the replicas of a gateway.
 *
 * Trusted for: of all claims of all replicas together never more is granted in a window than the limit, as long as the
 * store keeps its data. Not trusted for keeping them: a store that was emptied counts the running windows anew, and
 * then each node's own quota is what holds.
 *
 * - Whole: a claim counts all of its charges or none, in one step that no other claim comes in between.
 * - Closed: when it cannot be told what is used, `claim` and `exceeded` reject with `storage-failed` within two seconds;
 *   a claim that was counted without our hearing so stays counted. They work again once the store does.
 * - A window that ends later than that of a charge was opened before a clock was set back, or by a replica whose clock
 *   is ahead; it goes on counting.
 */
export interface SharedQuotas {
  /** `now`: milliseconds since 1970, by the gateway's clock. */
  claim(charges: readonly Charge[], now: number): Promise<Claim>;
  /** The first charge that would not fit now, without charging anything. */
  exceeded(charges: readonly Charge[]): Promise<Charge | undefined>;
}
