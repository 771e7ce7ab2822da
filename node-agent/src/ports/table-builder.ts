import type { BucketTree, Table } from '@hitmachine/protocol';
import type { PseudonymPage } from './pseudonym-store.ts';

/** What makes a table out of pseudonyms: the keys and the scope of one register, token type and epoch. */
export interface TableSpec {
  /** t_e */
  readonly factor: Uint8Array;
  /** The scope that every tag is hashed with. */
  readonly prefix: Uint8Array;
  /** Takes the mask off stored bucket hashes. */
  readonly maskKey: Uint8Array;
  readonly maxBits: number;
}

/** A table, and the tree over its buckets. */
export interface BuiltTable {
  readonly table: Table;
  readonly tree: BucketTree;
}

/** Builds tables off the thread that answers: a large register takes minutes. */
export interface TableBuilder {
  /**
   * Rejects with `field-invalid` for a table that no answer could hold, and otherwise when a thread dies on the way;
   * a later call starts afresh.
   */
  build(spec: TableSpec, pages: AsyncIterable<PseudonymPage>): Promise<BuiltTable>;
  close(): Promise<void>;
}
