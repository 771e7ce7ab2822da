/** What enrolment made, and what must survive a restart. */
export interface Membership {
  readonly agency: string;
  /** Base URL of the gateway, without a slash at the end. */
  readonly gatewayUrl: string;
  /** The gateway's identity key, from the enrolment token; 32 bytes. */
  readonly gatewayKey: Uint8Array;
}

/** The keys of an agency (or of the gateway's evaluation) as they were first seen. */
export interface Pin {
  readonly name: string;
  readonly fingerprint: string;
}

/** Durable small state: membership, the last roster, and pinned keys. */
export interface StateStore {
  membership(): Membership | undefined;
  setMembership(membership: Membership): void;
  /** The last roster that was accepted, as the signed document's JSON. */
  roster(): string | undefined;
  setRoster(document: string): void;
  pins(): readonly Pin[];
  setPin(pin: Pin): void;
  /** A number that changes whenever another process has written to the store. */
  version(): number;
}
