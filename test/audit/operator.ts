import { DatabaseSync } from 'node:sqlite';
import type { LogEntry } from '@hitmachine/protocol';
import {
  TreeBuilder,
  concatBytes,
  decodeEntry,
  encodeEntry,
  leafHash,
  logOrigin,
  signCheckpoint,
} from '@hitmachine/protocol';
import { searchTermsOf } from '../../gateway/src/ports/search-terms.ts';
import { backend } from '../gateway/support/fixtures.ts';
import { FEDERATION } from './real-log.ts';

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
    return this.database
      .prepare('SELECT leaf FROM entry ORDER BY idx')
      .all()
      .map(({ leaf }) => leaf as Uint8Array);
  }

  get entries(): LogEntry[] {
    return this.leaves.map(decodeEntry);
  }

  /** Puts other bytes in the place of an entry and touches nothing else. */
  overwrite(index: number, leaf: Uint8Array): void {
    this.database.prepare('UPDATE entry SET leaf = ? WHERE idx = ?').run(leaf, index);
  }

  /** Makes the log anew of these entries, with everything that can be computed from them. */
  rewrite(leaves: readonly Uint8Array[]): void {
    const insert = this.database.prepare(
      'INSERT INTO entry (idx, at, event, agency, lookup_id, hashes, leaf) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    const tree = new TreeBuilder();
    this.database.exec('BEGIN; DELETE FROM entry');
    leaves.forEach((leaf, index) => {
      const hashes = concatBytes(...tree.append(leafHash(leaf)).map(({ hash }) => hash));
      const entry = decodeEntry(leaf);
      const { agency, lookupId } = searchTermsOf(entry);
      insert.run(index, entry.at, entry.event, agency ?? null, lookupId ?? null, hashes, leaf);
    });
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
