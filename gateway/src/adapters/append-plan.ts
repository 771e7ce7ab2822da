import { hash } from 'node:crypto';
import type { LogEntry, Sha256, TreeNode } from '@hitmachine/protocol';
import {
  HASH_BYTES,
  HitError,
  MAX_ENTRY_BYTES,
  TreeBuilder,
  encodeEntry,
  leafHash,
} from '@hitmachine/protocol';
import type { Charge } from '../ports/quota.ts';
import type { Append, AppendOutcome } from './group-commit.ts';

/** A quota counter as it is stored. */
export interface Counter {
  /** Milliseconds since 1970. */
  readonly windowEnd: number;
  readonly used: number;
}
export type Counters = ReadonlyMap<string, Counter>;

/** An entry to store. */
export interface NewEntry {
  readonly index: number;
  readonly entry: LogEntry;
  readonly leaf: Uint8Array;
  /** The complete subtrees that end with this leaf, level 0 first. */
  readonly nodes: readonly TreeNode[];
}

/** Where the log stands: its right edge and the time of its last entry. */
export interface LogTip {
  readonly tree: TreeBuilder;
  at: number;
}

/** What a transaction has to write, and what its appends are told when that is durable. */
export interface AppendPlan {
  readonly outcomes: readonly AppendOutcome[];
  readonly entries: readonly NewEntry[];
  /** The counters that changed. */
  readonly counters: Counters;
}

/** What a charge finds used. A window that ends later was opened before a clock was set back; it goes on counting. */
export function usedOf(counter: Counter | undefined, { windowEnd }: Charge): number {
  return counter !== undefined && counter.windowEnd >= windowEnd ? counter.used : 0;
}

/** The first charge that does not fit. */
export function firstExceeded(counters: Counters, charges: readonly Charge[]): Charge | undefined {
  return charges.find(
    (charge) => usedOf(counters.get(charge.counter), charge) + charge.amount > charge.limit,
  );
}

/**
 * Plans one transaction: charges and places each append in its turn. `tip` is moved on; when the transaction fails it
 * has to be thrown away. `counters` are the stored ones of all charges in the group.
 */
export function planAppends(tip: LogTip, counters: Counters, group: readonly Append[]): AppendPlan {
  const now = new Map(counters);
  const changed = new Map<string, Counter>();
  const entries: NewEntry[] = [];
  const outcomes = group.map(({ at, event, charges }): AppendOutcome => {
    const entry = { at: Math.max(at, tip.at), ...event };
    let leaf: Uint8Array;
    try {
      leaf = encodeEntry(entry, toBytes);
    } catch (error) {
      if (error instanceof HitError) return error;
      throw error;
    }
    const charge = firstExceeded(now, charges);
    if (charge !== undefined) return { type: 'exceeded', charge };
    for (const one of charges) {
      const counter = now.get(one.counter);
      const windowEnd = Math.max(one.windowEnd, counter?.windowEnd ?? 0);
      const next = { windowEnd, used: usedOf(counter, one) + one.amount };
      now.set(one.counter, next);
      changed.set(one.counter, next);
    }
    const index = tip.tree.size;
    entries.push({ index, entry, leaf, nodes: tip.tree.append(leafHash(leaf, sha256)) });
    tip.at = entry.at;
    return { type: 'appended', index, leaf };
  });
  return { outcomes, entries, counters: changed };
}

/** Where a log of a size stands; `frontier` as {@link TreeBuilder} has it, `at` the time of the last entry. */
export const tipOf = (size: number, frontier: readonly Uint8Array[], at: number): LogTip => ({
  tree: new TreeBuilder(size, frontier, sha256),
  at,
});

/** Twice as fast as a `TextEncoder`. */
function toBytes(text: string): Uint8Array {
  const { buffer, byteOffset, length } = Buffer.from(text, 'utf8');
  return new Uint8Array(buffer, byteOffset, length);
}

/** The runtime hashes one piece in one call faster than several in several. */
const pieces = Buffer.allocUnsafe(1 + HASH_BYTES + MAX_ENTRY_BYTES);

/** By the runtime, which gives a text sooner than bytes: ten times as fast on an entry as the protocol's own. */
const sha256: Sha256 = (first, second) => {
  pieces.set(first, 0);
  pieces.set(second, first.length);
  const text = hash('sha256', pieces.subarray(0, first.length + second.length), 'binary');
  const bytes = new Uint8Array(HASH_BYTES);
  for (let i = 0; i < HASH_BYTES; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
};
