import { DatabaseSync } from 'node:sqlite';
import type { LogEntry } from '@hitmachine/protocol';
import {
  TreeBuilder,
  decodeEntry,
  encodeEntry,
  leafHash,
  logOrigin,
  signCheckpoint,
} from '@hitmachine/protocol';
import { packBundle, packLeaves, unpackLeaves } from '../../gateway/src/adapters/bundle.ts';
import { LogRows } from '../../gateway/src/adapters/sqlite/log-rows.ts';
import { backend } from '../gateway/support/fixtures.ts';
import { FEDERATION } from './real-log.ts';

const ENTRIES_A_ROW = 100;

/**
 * A gateway's operator who turned against the federation: he has the database and the gateway's keys, and knows how the
 * log works. He does not have the keys of any agency.
 */
export class Operator {
  readonly database: DatabaseSync;
  readonly #seed: Uint8Array;

  constructor(path: string, seed: Uint8Array) {
    this.database = new DatabaseSync(path);
    this.#seed = seed;
    const triggers = this.database.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all();
    for (const { name } of triggers) this.database.exec(`DROP TRIGGER ${String(name)}`);
  }

  get leaves(): Uint8Array[] {
    return new LogRows(this.database).leaves(0, Number.MAX_SAFE_INTEGER);
  }

  get entries(): LogEntry[] {
    return this.leaves.map(decodeEntry);
  }

  /** Puts other bytes in the place of an entry and touches nothing else. */
  overwrite(index: number, leaf: Uint8Array): void {
    const row = this.database
      .prepare('SELECT first, count, leaves FROM bundle WHERE first <= ? ORDER BY first DESC')
      .get(index);
    const [first, count] = [Number(row?.['first']), Number(row?.['count'])];
    const leaves = unpackLeaves({ first, count, leaves: row?.['leaves'] as Uint8Array });
    const packed = packLeaves(leaves.with(index - first, leaf));
    this.database.prepare('UPDATE bundle SET leaves = ? WHERE first = ?').run(packed, first);
  }

  /** Makes the log anew of these entries, with everything that can be computed from them. */
  rewrite(leaves: readonly Uint8Array[]): void {
    const tree = new TreeBuilder();
    const entries = leaves.map((leaf, index) => ({
      index,
      entry: decodeEntry(leaf),
      leaf,
      nodes: tree.append(leafHash(leaf)),
    }));
    const rows = new LogRows(this.database);
    this.database.exec('BEGIN; DELETE FROM bundle');
    for (let from = 0; from < entries.length; from += ENTRIES_A_ROW) {
      const bundle = packBundle(entries.slice(from, from + ENTRIES_A_ROW));
      if (bundle !== undefined) rows.insert(bundle);
    }
    this.database.exec('COMMIT');
  }

  /** Makes the log anew, changed. */
  change(work: (leaves: Uint8Array[]) => void): void {
    const { leaves } = this;
    work(leaves);
    this.rewrite(leaves);
  }

  /** Publishes a checkpoint of the log as it is now, and takes back all others. `seed`: that of another signer. */
  sign(seed: Uint8Array = this.#seed): string {
    const tree = new TreeBuilder();
    for (const leaf of this.leaves) tree.append(leafHash(leaf));
    const head = tree.head();
    const note = signCheckpoint(backend, seed, logOrigin(FEDERATION), head);
    this.publish(head.size, note);
    return note;
  }

  publish(size: number, note: string): void {
    this.database.exec('DELETE FROM checkpoint');
    this.database.prepare('INSERT INTO checkpoint (size, at, note) VALUES (?, 0, ?)').run(size, note);
  }

  get published(): { readonly size: number; readonly note: string } {
    const row = this.database.prepare('SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1').get();
    return { size: Number(row?.['size']), note: String(row?.['note']) };
  }

  close(): void {
    this.database.close();
  }
}

/** An entry with fields changed, encoded. */
export const changed = (leaf: Uint8Array, change: object): Uint8Array =>
  encodeEntry({ ...decodeEntry(leaf), ...change });
