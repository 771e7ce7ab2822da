import type {
  DeliveryReport,
  EnrolmentRequest,
  KeyChange,
  Logged,
  LookupOpened,
  LookupRequest,
  Receipt,
  Register,
  Review,
  SealedQuestion,
  SealedQuotient,
  SignalReport,
  SignedDocument,
  TableCommitment,
} from '@hitmachine/protocol';

/** A request as this agency signed it. */
export interface SentRequest {
  /** Signature base (RFC 9421 section 2.5). */
  readonly base: Uint8Array;
  /** The bytes of the body. */
  readonly body: Uint8Array;
}

/** An entry of the gateway's log as it shows it, with what should prove it; nothing of it is checked. */
export interface ShownEntry extends Receipt {
  /** The entry's bytes, base64url. */
  readonly entry: string;
}

/**
 * The gateway as an agency sees it. Every method throws `gateway-unreachable` when no answer came within its
 * deadline, and the gateway's own error code when it refused.
 */
export interface GatewayClient {
  roster(): Promise<SignedDocument>;
  /** May safely be retried with the same token and keys. */
  enrol(request: EnrolmentRequest): Promise<SignedDocument>;
  /** Announces new keys of this agency. May safely be retried with the same ones. */
  announceKeys(change: KeyChange): Promise<SignedDocument>;
  publishRegisters(registers: readonly Register[]): Promise<SignedDocument>;
  /**
   * Has the tables of an epoch entered in the gateway's log; gives the entry and its receipt. May safely be retried
   * with the same commitment; throws `already-exists` for another one of an epoch, or of an earlier epoch, and
   * `field-invalid` with the field `epoch` for one that is far ahead of the gateway's clock.
   */
  commitTables(commitment: TableCommitment): Promise<Logged>;
  /** The latest commitment of this agency that stands in the gateway's log. Throws `not-found` where there is none. */
  latestTables(): Promise<Logged>;
  /** k_g times each element, with one proof for all; of which k_g, unless it is the gateway's first. */
  evaluate(
    register: string,
    elements: Uint8Array,
    evaluationKey?: string,
  ): Promise<{ readonly evaluated: Uint8Array; readonly proof: Uint8Array }>;
  /** `requestDigest` is what every ticket of this lookup must carry; `sent` what the gateway must have logged. */
  openLookup(request: LookupRequest): Promise<{
    readonly opened: LookupOpened;
    readonly requestDigest: Uint8Array;
    readonly sent: SentRequest;
  }>;
  /** Sends the sealed questions; yields each node's reply as it comes. Ends early when the connection is lost. */
  ask(lookup: LookupOpened, questions: readonly SealedQuestion[]): AsyncIterable<DeliveryReport>;
  /** Tells what this agency alone can see of its own professionals. */
  reportSignal(report: SignalReport): Promise<void>;
  /** Tells that this agency has reviewed a lookup that was asked without the approval it needs. */
  reportReview(review: Review): Promise<void>;
  /** The latest published checkpoint of the log, with the cosignatures that it got. Throws `not-found` before the first. */
  checkpoint(): Promise<string>;
  /**
   * Proof that the log of `size` entries begins with that of `old`. Throws `field-invalid` with the field `new` when
   * the gateway says that its log is shorter than `size`.
   */
  consistency(old: number, size: number): Promise<readonly Uint8Array[]>;
  /**
   * The entries of lookups that this agency asked or was asked, under the latest published checkpoint, by lookup; left out is one of which the gateway says that there is none, or none that is published.
   */
  loggedLookups(lookupIds: readonly string[]): Promise<ReadonlyMap<string, ShownEntry>>;
  /** What takes pseudonyms from one evaluation key to the next. Throws `not-found` when none changes. */
  quotient(): Promise<SealedQuotient>;
}
