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

/** That this database was made from a backup; milliseconds since 1970. */
export interface Restored {
  readonly takenAt: number;
  readonly restoredAt: number;
}

/** That the gateway's log shows entries of this agency's own log which it does not have. */
export interface LostEntries {
  /** The last entry that is here, when that was found, and the last that the gateway's log knows of. */
  readonly held: number;
  readonly known: number;
  /** The chain up to the latter, in base64url. */
  readonly chain: string;
  /** Milliseconds since 1970. */
  readonly foundAt: number;
}

/** Durable small state: membership, the last roster, and pinned keys. */
export interface StateStore {
  membership(): Promise<Membership | undefined>;
  setMembership(membership: Membership): Promise<void>;
  /** The last roster that was accepted, as the signed document's JSON. */
  roster(): Promise<string | undefined>;
  setRoster(document: string): Promise<void>;
  pins(): Promise<readonly Pin[]>;
  setPin(pin: Pin): Promise<void>;
  removePin(name: string): Promise<void>;
  /** Whether somebody has stopped all answering. */
  stoppedAnswering(): Promise<StoppedAnswering | undefined>;
  /** Stops all answering, or lets it go on. */
  setStoppedAnswering(stopped: StoppedAnswering | undefined): Promise<void>;
  restored(): Promise<Restored | undefined>;
  setRestored(restored: Restored): Promise<void>;
  lostEntries(): Promise<LostEntries | undefined>;
  setLostEntries(lost: LostEntries): Promise<void>;
  /** When each register was handed over last by a machine with its source; milliseconds since 1970. */
  handedOver(): Promise<ReadonlyMap<string, number>>;
  setHandedOver(register: string, at: number): Promise<void>;
  /** Notes that somebody logged out of a session of the pages that would have ended at `expires`, and forgets those that have. */
  endSession(id: string, expires: number, now: number): Promise<void>;
  /** The sessions that were noted, with the times at which they would have ended. */
  endedSessions(): Promise<readonly (readonly [id: string, expires: number])[]>;
  /** Writes a trifle durably. Rejects with `storage-failed` when that does not work, or would not for much longer. */
  probe(): Promise<void>;
  /** Other whenever another process has written what a running agent must take up. */
  version(): Promise<string>;
}
