/**
 * - `kept`: the gateway proved it when the lookup was opened.
 * - `settled`: proved again, under a checkpoint that this agent found consistent with all others.
 * - `given-up`: not proved again: the gateway could not (an alarm says so), or its log was replaced first.
 */
export type ReceiptState = 'kept' | 'settled' | 'given-up';

/** That a lookup of this agency stands in the gateway's log, for whoever has the gateway's key. */
export interface KeptReceipt {
  /** As the gateway named it, base64url. */
  readonly lookupId: string;
  /** Milliseconds since 1970 at which the lookup was opened. */
  readonly at: number;
  /** The bytes of the entry. */
  readonly leaf: Uint8Array;
  /** C2SP tlog-proof. */
  readonly receipt: string;
  readonly state: ReceiptState;
}

/**
 * The receipts of the lookups that this agency asked. Durable: `keep` resolves only once the receipt would survive a
 * power cut. All methods reject with `storage-failed`.
 */
export interface ReceiptStore {
  keep(receipt: Omit<KeptReceipt, 'state'>): Promise<void>;
  find(lookupId: string): Promise<KeptReceipt | undefined>;
  /** The oldest that are `kept`, at most `limit`; with `after` those that come after that one. */
  unsettled(
    limit: number,
    after?: { readonly at: number; readonly lookupId: string },
  ): Promise<readonly KeptReceipt[]>;
  /** How many are `kept`, and since when the oldest. */
  waiting(): Promise<{ readonly count: number; readonly since: number | undefined }>;
  /** Puts the proof under a checked head in the place of the first one. */
  settle(lookupId: string, receipt: string): Promise<void>;
  /** No proof is expected any more; the first one stays. */
  giveUp(lookupId: string): Promise<void>;
  /** Removes what was opened before this moment (milliseconds since 1970). */
  removeBefore(at: number): Promise<void>;
}
