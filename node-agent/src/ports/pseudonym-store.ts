/** One token of one client as a node keeps it: nothing that leads back to the token. */
export interface StoredPseudonym {
  /** Bucket hash under the mask of the node's key. */
  readonly maskedHash: number;
  /** M = k_n·k_g·H(y), 32 bytes. */
  readonly element: Uint8Array;
  /**
   * The last day on which it matches, in days since 1970; undefined for one without an end. It goes with no person:
   * of several clients that share a token, such as an address, it is the latest, and undefined is later than all.
   */
  readonly until?: number | undefined;
}

/** Some pseudonyms, packed so that they can be handed to another thread. */
export interface PseudonymPage {
  /** 32 bytes each, one after another. */
  readonly elements: Uint8Array;
  readonly maskedHashes: Uint16Array;
}

/** The keys that pseudonyms were made with. */
export interface MadeWith {
  /** The gateway's evaluation key, in base64url. */
  readonly evaluationKey: string;
  /** The mark of the node key; empty where it was not on record yet. */
  readonly nodeKey: string;
}

/** What the last complete import of a register left. */
export interface ImportState extends MadeWith {
  readonly register: string;
  /** Rises with every import that changed something, be it an end. */
  readonly generation: number;
  /** Clients (rows) in the import. */
  readonly clients: number;
  /** Milliseconds since 1970. */
  readonly importedAt: number;
}

/** The content of a register that something was made for, told by the time of its import; undefined for none. */
export interface ExpectedContent {
  readonly importedAt: number | undefined;
}

/** An import under way: pseudonyms are collected aside and become the register's content in one step. */
export interface ImportStage {
  /** One that comes twice stands once, until the later of its ends. */
  add(tokenType: string, pseudonyms: readonly StoredPseudonym[]): Promise<void>;
  /** Collects what the register holds at the end, where only a difference to that is known: before anything else. */
  addHeld(): Promise<void>;
  /** Takes out of what was collected; what is not there is no fault. */
  remove(tokenType: string, elements: readonly Uint8Array[]): Promise<void>;
  /**
   * Replaces the register's content; with `over` only that one, and rejects with `not-ready` where another stands by now.
   * Atomic and durable: after a crash either all of it stands or nothing. Rejects with
   * `key-changed` when another node key is in use than the pseudonyms were made with: two keys are never mixed.
   */
  commit(clients: number, madeWith: MadeWith, now: number, over?: ExpectedContent): Promise<ImportChange>;
  /** What {@link commit} would change now. */
  preview(): Promise<ImportChange>;
  /** Forgets what was collected; the register stays as it was. */
  abandon(): Promise<void>;
}

export interface ImportChange {
  readonly added: number;
  readonly removed: number;
  /** Those that stay, also with another end. */
  readonly unchanged: number;
}

/**
 * The node's clients, as pseudonyms per register and token type. Durable: what `commit` returned survives a
 * power cut. A reader in another process sees a register before or after an import, never in between.
 */
export interface PseudonymStore {
  beginImport(register: string): Promise<ImportStage>;
  imports(): Promise<readonly ImportState[]>;
  /** How many pseudonyms {@link pages} will give, the canary's among them; without a day all, also those that ended. */
  count(register: string, tokenType: string, day?: number): Promise<number>;
  /**
   * All pseudonyms of a register and token type that have not ended before `day` (days since 1970), in an order that tells nothing about the import, page by page, with
   * room for other work in between. An import that is committed meanwhile may show in later pages: whoever
   * needs the state of one moment compares `imports()` before and after.
   */
  pages(register: string, tokenType: string, day: number): AsyncIterable<PseudonymPage>;
}
