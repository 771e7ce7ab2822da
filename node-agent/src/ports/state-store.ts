/** What enrolment made, and what must survive a restart. */
export interface Membership {
  readonly agency: string;
  /** Base URL of the gateway, without a slash at the end. */
  readonly gatewayUrl: string;
  /** The gateway's identity key, from the enrolment token; 32 bytes. */
  readonly gatewayKey: Uint8Array;
}

/** Something of the roster as it was first seen: an agency's keys, the evaluation key, budgets, that a register is there. */
export interface Pin {
  readonly name: string;
  readonly fingerprint: string;
}

/** That this agency answers nothing until somebody says so. */
export interface StoppedAnswering {
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly reason?: string | undefined;
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
  removePin(name: string): void;
  /** Whether somebody has stopped all answering. */
  stoppedAnswering(): StoppedAnswering | undefined;
  /** Stops all answering, or lets it go on. */
  setStoppedAnswering(stopped: StoppedAnswering | undefined): void;
  /** Writes a trifle durably. Throws `storage-failed` when that does not work, or would not for much longer. */
  probe(): void;
  /** A number that changes whenever another process has written to the store. */
  version(): number;
}
