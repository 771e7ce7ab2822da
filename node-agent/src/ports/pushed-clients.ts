/** What was pushed of one client: sealed, so that nobody reads here which pseudonyms are those of one person. */
export interface PushedClient {
  /** Stands for the reference, keyed. */
  readonly fingerprint: Uint8Array;
  readonly sealed: Uint8Array;
  /** The gateway's evaluation key that went into it, in base64url. */
  readonly evaluationKey: string;
}

/** The clients that systems of the agency push, by register. Durable: what `put` and `remove` returned survives a power cut. */
export interface PushedClients {
  /** Replaces what was pushed under the same reference. */
  put(register: string, client: PushedClient): void;
  remove(register: string, fingerprint: Uint8Array): void;
  count(register: string): number;
  /** Rises with every change of a register. */
  version(register: string): number;
  /** All of them, in an order that tells nothing about when they came. */
  all(register: string): Iterable<PushedClient>;
  close(): void;
}
