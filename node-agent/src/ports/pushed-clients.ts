import type { MadeWith } from './pseudonym-store.ts';

/** What was pushed of one client: sealed, so that nobody reads here which pseudonyms are those of one person. */
export interface PushedClient extends MadeWith {
  /** Stands for the reference, keyed. */
  readonly fingerprint: Uint8Array;
  readonly sealed: Uint8Array;
}

/**
 * Which contents of the register, told by the time of their import, this store may replace: the one that was there
 * before it last made it, and the one that it then made (which of the two stands after a crash, only the register shows);
 * and one of which the operator said so, however many would be gone.
 */
export interface ReplaceableContents {
  readonly before?: number | undefined;
  readonly made?: number | undefined;
  readonly agreed?: number | undefined;
}

/**
 * The clients that systems of the agency push, by register. Durable: what `put` and `remove` resolved survives a power cut.
 * Everything rejects with `storage-failed`.
 */
export interface PushedClients {
  /** Puts on record, where nothing is, that what there is was made with this node key. */
  adopt(nodeKey: string): Promise<void>;
  /**
   * A number for a change that begins now, above those of all that began before, in whichever process. A store that one
   * process alone changes may leave the order to it, and give any.
   */
  begin(): Promise<number>;
  /** Replaces what was pushed under the same reference, unless a change of a later `turn` is stored. */
  put(register: string, client: PushedClient, turn: number): Promise<void>;
  /** Likewise. */
  remove(register: string, fingerprint: Uint8Array, turn: number): Promise<void>;
  /** Some of those that were made with other keys; without an evaluation key with another node key. */
  ofOtherKeys(
    register: string,
    madeWith: { readonly nodeKey: string; readonly evaluationKey?: string | undefined },
    limit: number,
  ): Promise<readonly PushedClient[]>;
  /** Puts what was made anew with other keys in the place of exactly this client; what was pushed since stands. */
  makeAnew(
    register: string,
    before: PushedClient,
    after: Pick<PushedClient, 'sealed'> & MadeWith,
  ): Promise<void>;
  count(register: string): Promise<number>;
  /** Rises with every change of a register. */
  version(register: string): Promise<number>;
  replaceable(register: string): Promise<ReplaceableContents>;
  /**
   * Notes, before it happens, that the content of `before` is replaced by one of these clients, imported at `made`.
   * Rejects with `not-ready` when another replica has replaced it meanwhile.
   */
  replacing(register: string, before: number | undefined, made: number): Promise<void>;
  /** Notes that the content that was imported at `before` may be replaced, also by far fewer clients. */
  agree(register: string, before: number): Promise<void>;
  /** All of them, in an order that tells nothing about when they came. */
  all(register: string): AsyncIterable<PushedClient>;
  close(): void;
}
