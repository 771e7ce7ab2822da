import type { Agency, KeyChange, Register, SessionKey, SignedDocument } from '@hitmachine/protocol';

/** What an administrator says of an agency when inviting it. */
export interface Invitation {
  readonly id: string;
  readonly name: string;
  readonly kind: Agency['kind'];
  /** Clients that the agency expects to have in its registers: the measure of its import quota. */
  readonly clients: number;
  /** SHA-256 of the enrolment secret; the secret itself is stored nowhere. */
  readonly tokenHash: Uint8Array;
  /** Milliseconds since 1970. */
  readonly tokenExpires: number;
}

/** What an agency brings at its enrolment. */
export interface Enrolment {
  readonly identityKey: Uint8Array;
  readonly sessionKey: SessionKey;
  readonly registers: readonly Register[];
  /** The change of keys that the agency announced last; its keys are those above until that takes effect. */
  readonly keyChange?: KeyChange | undefined;
}

/** The part of an enrolment that an announced change of keys is about. */
export type KeyChangeOf = Pick<Enrolment, 'identityKey' | 'sessionKey' | 'keyChange'>;

/** An agency as the gateway knows it; without an enrolment it was only invited. */
export interface AgencyRecord extends Invitation {
  /** The identity key that used the latest token; undefined while that token is unused. */
  readonly tokenUsedBy: Uint8Array | undefined;
  readonly enrolment: Enrolment | undefined;
}

export interface StoredDocument {
  readonly version: number;
  readonly document: SignedDocument;
}
export type StoredRoster = StoredDocument;

/** Which evaluation keys a process of the gateway holds, as it told last. */
export interface HeldKeys {
  /** The process, by the name that it has towards agents: new with every start. */
  readonly replica: string;
  /** The machine that it runs on. */
  readonly host: string;
  /** Public halves, base64url. */
  readonly keys: readonly string[];
  /** Milliseconds since it told, by the clock of the store. */
  readonly agoMs: number;
}

/** When an agency was given what takes its pseudonyms to an evaluation key: milliseconds since 1970. */
export interface QuotientGiven {
  readonly agency: string;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly times: number;
}

/**
 * Agencies, their enrolment tokens and registers, and every version of the roster, the policy and the list of members.
 *
 * Trusted for: a token that was used is never unused again, and a roster version that was served never gets another
 * content; both also after a crash. Every write is durable before it resolves and rejects with `storage-failed`
 * otherwise. Other processes may invite and remove agencies at the same time; what they wrote is seen by the next
 * call.
 */
export interface Directory {
  /** Adds an agency, or renames it and replaces its token; an existing enrolment stays in force. */
  invite(invitation: Invitation): Promise<void>;
  /** All agencies, ordered by identifier. */
  agencies(): Promise<readonly AgencyRecord[]>;
  agency(id: string): Promise<AgencyRecord | undefined>;
  /** Forgets an agency with its token and registers; nothing happens when it is not there. */
  remove(id: string): Promise<void>;
  /**
   * Redeems a token: stores the enrolment and marks the token as used by its identity key. Does so, and returns
   * true, only if `tokenHash` is still the agency's latest token and unused: of two at once one gets false.
   */
  enrol(id: string, tokenHash: Uint8Array, enrolment: Enrolment): Promise<boolean>;
  /** Replaces the registers of an enrolled agency. */
  setRegisters(id: string, registers: readonly Register[]): Promise<void>;
  /**
   * Stores an announced change of keys, with the keys that an agency has until it takes effect. Does so, and returns true,
   * only if the agency still has the identity key and the announcement of `before`: of two at once one gets false.
   */
  announceKeys(id: string, before: Enrolment, after: Required<KeyChangeOf>): Promise<boolean>;
  /** The roster with the highest version. */
  latestRoster(): Promise<StoredRoster | undefined>;
  /** The roster of a version. */
  roster(version: number): Promise<StoredRoster | undefined>;
  /** Stores the next version. Rejects with `already-exists` when that is not one above the latest. */
  saveRoster(roster: StoredRoster): Promise<void>;
  /** The policy with the highest version. */
  latestPolicy(): Promise<StoredDocument | undefined>;
  /** Stores a policy. Rejects with `already-exists` when its version is not above the latest. */
  savePolicy(policy: StoredDocument): Promise<void>;
  /** The list of members with the highest version; there is none without an offline key. */
  latestMembers(): Promise<StoredDocument | undefined>;
  /** Stores a list of members. Rejects with `already-exists` when its version is not above the latest. */
  saveMembers(members: StoredDocument): Promise<void>;
  /** The federation's second key, base64url, without which nothing that people decide counts. */
  offlineKey(): Promise<string | undefined>;
  /** Begins to use an offline key. Rejects with `already-exists` when there is another one. */
  useOfflineKey(publicKey: string): Promise<void>;
  /** The evaluation key (base64url) that was called for last; undefined as long as the gateway has its first. */
  evaluationKey(): Promise<string | undefined>;
  /** Calls for an evaluation key: the roster follows, where a gateway has it. */
  useEvaluationKey(publicKey: string): Promise<void>;
  /** Stores what a process holds, in the place of what it told before; what is older than an hour is forgotten. */
  tellHeldKeys(held: Omit<HeldKeys, 'agoMs'>): Promise<void>;
  /** Forgets what a process told. */
  forgetHeldKeys(replica: string): Promise<void>;
  /** What every process told last that did not take leave, by its name. */
  heldKeys(): Promise<readonly HeldKeys[]>;
  /**
   * Notes that an agency is given what takes its pseudonyms to an evaluation key, and returns how often that was. What was
   * noted for other keys is forgotten.
   */
  noteQuotient(given: {
    readonly agency: string;
    readonly evaluationKey: string;
    readonly at: number;
  }): Promise<number>;
  /** What was noted for an evaluation key, ordered by agency. */
  quotientsGiven(evaluationKey: string): Promise<readonly QuotientGiven[]>;
  /**
   * Runs what only one of the gateways on this directory may do at a time, such as making the next roster. When this
   * process dies the next one goes on; one that takes longer than ten seconds may lose its turn.
   */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
}
