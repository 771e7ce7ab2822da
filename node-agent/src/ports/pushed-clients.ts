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

/** The clients that systems of the agency push, by register. Durable: what `put` and `remove` returned survives a power cut. */
export interface PushedClients {
  /** Puts on record, where nothing is, that what there is was made with this node key. */
  adopt(nodeKey: string): void;
  /** Replaces what was pushed under the same reference. */
  put(register: string, client: PushedClient): void;
  remove(register: string, fingerprint: Uint8Array): void;
  /** Some of those that were made with another node key. */
  ofOtherNodeKeys(register: string, nodeKey: string, limit: number): readonly PushedClient[];
  /** Puts what was made anew with other keys in the place of exactly this client; what was pushed since stands. */
  makeAnew(register: string, before: PushedClient, after: Pick<PushedClient, 'sealed'> & MadeWith): void;
  count(register: string): number;
  /** Rises with every change of a register. */
  version(register: string): number;
  replaceable(register: string): ReplaceableContents;
  /** Notes, before it happens, that the content of `before` is replaced by one of these clients, imported at `made`. */
  replacing(register: string, before: number | undefined, made: number): void;
  /** Notes that the content that was imported at `before` may be replaced, also by far fewer clients. */
  agree(register: string, before: number): void;
  /** All of them, in an order that tells nothing about when they came. */
  all(register: string): Iterable<PushedClient>;
  close(): void;
}
