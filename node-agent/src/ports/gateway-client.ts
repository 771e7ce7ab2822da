import type {
  DeliveryReport,
  EnrolmentRequest,
  LookupOpened,
  LookupRequest,
  Register,
  SealedQuestion,
  SignedDocument,
} from '@hitmachine/protocol';

/**
 * The gateway as an agency sees it. Every method throws `gateway-unreachable` when no answer came within its
 * deadline, and the gateway's own error code when it refused.
 */
export interface GatewayClient {
  roster(): Promise<SignedDocument>;
  /** May safely be retried with the same token and keys. */
  enrol(request: EnrolmentRequest): Promise<SignedDocument>;
  publishRegisters(registers: readonly Register[]): Promise<SignedDocument>;
  /** k_g times each element, with one proof for all. */
  evaluate(
    register: string,
    elements: Uint8Array,
  ): Promise<{ readonly evaluated: Uint8Array; readonly proof: Uint8Array }>;
  /** `requestDigest` is what every ticket of this lookup must carry. */
  openLookup(
    request: LookupRequest,
  ): Promise<{ readonly opened: LookupOpened; readonly requestDigest: Uint8Array }>;
  /** Sends the sealed questions; yields each node's reply as it comes. Ends early when the connection is lost. */
  ask(lookup: LookupOpened, questions: readonly SealedQuestion[]): AsyncIterable<DeliveryReport>;
}
