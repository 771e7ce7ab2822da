import type { DeliveryFailure, DeliveryOutcome, SealedQuestion } from '@hitmachine/protocol';

/** An agency whose connection request was checked, with the bytes that it signed. */
export interface AcceptedConnection {
  readonly agency: string;
  /** The identity key that signed it, base64url. */
  readonly identityKey: string;
  /** Signature base (RFC 9421 section 2.5) of the request. */
  readonly requestBase: Uint8Array;
  /** The version of the connection that both speak, and those that the agent offered. */
  readonly version: number;
  readonly offered: readonly number[];
}

/** A question on its way to one node. */
export interface Delivery {
  /** The agency that asks. */
  readonly asker: string;
  readonly ticket: Uint8Array;
  /** Signature base and signature of the request that opened the lookup. */
  readonly evidence: Uint8Array;
  readonly evidenceSignature: Uint8Array;
  readonly question: SealedQuestion;
}

export interface DeliveryResult {
  readonly outcome: DeliveryOutcome | DeliveryFailure;
  readonly ciphertext: Uint8Array | undefined;
}

/** What a witness said: status and body as C2SP tlog-witness has them. */
export interface WitnessReply {
  readonly status: number;
  readonly body: Uint8Array;
}

/**
 * The connections that agents opened, to this replica of the gateway or to any. An agency may have several.
 *
 * - Deadline: `deliver` resolves at most `timeoutMs` after the question was sent, with `timeout` when no reply came;
 *   at once with `not-connected` without a connection, with `connection-lost` when it breaks and there is no other, and
 *   with `overloaded` when too much waits on it already. It never rejects.
 * - A question that was under way on a connection that broke goes over another one, three times in all: whoever had it may
 *   have died, and a replica of the same agent be there. A node answers it once, whatever comes twice. What a node says no
 *   to when it is asked again is `connection-lost`: it may have been answered before.
 * - When `signal` aborts, the wait ends without a result (undefined) and a later reply is dropped.
 */
export interface Connections {
  deliver(
    delivery: Delivery,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<DeliveryResult | undefined>;
  /** The agencies that have a connection which works. */
  connected(): readonly string[];
  /** Puts an add-checkpoint request to an agency's agent; undefined when it is away or silent. Never rejects. */
  witness(agency: string, request: Uint8Array, timeoutMs: number): Promise<WitnessReply | undefined>;
  /** Shows all agents the latest checkpoint with its cosignatures. */
  announceCheckpoint(note: Uint8Array): void;
  /** Tells all agents that there is a newer roster. */
  announceRoster(version: number): void;
  /** Closes the connections of an agency whose identity key was replaced. */
  disconnect(agency: string): void;
  /** Closes all connections but those of the members of the federation that were signed with a key that counts. */
  keepOnly(members: ReadonlyMap<string, readonly string[]>): void;
}
