import { promisify } from 'node:util';
import type { ZstdOptions } from 'node:zlib';
import { constants, zstdCompress, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { NodeId } from '@hitmachine/protocol';
import { HitError, MAX_ENTRY_BYTES, decodeEntries } from '@hitmachine/protocol';
import type { NewEntry } from './append-plan.ts';

/**
 * The entries of one transaction as a database stores them: one row, so that a commit costs about the same for many
 * entries as for one.
 */
export interface Bundle {
  /** Index of its first entry. */
  readonly first: number;
  readonly count: number;
  /** Time of its last entry. */
  readonly at: number;
  /** Hashes in the log before it; see {@link hashNumber}. */
  readonly hashStart: number;
  /** The hashes of the complete subtrees that its entries complete, in the order in which they do. */
  readonly hashes: Uint8Array;
  /** The entries, each with its two-byte length in front (C2SP tlog-tiles), compressed with Zstandard (RFC 8878). */
  readonly leaves: Uint8Array;
}

const LENGTH_BYTES = 2;

/** Entries one after another compress to a third or less, and so does what a commit has to wait for. */
const COMPRESSION = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** The row of entries that follow each other; undefined for none. */
export function packBundle(entries: readonly NewEntry[]): Bundle | undefined {
  const bundle = unpacked(entries);
  return bundle && { ...bundle, leaves: zstdCompressSync(bundle.leaves, COMPRESSION) };
}

/** As {@link packBundle}, while this thread does other work. */
export async function packBundleAside(entries: readonly NewEntry[]): Promise<Bundle | undefined> {
  const bundle = unpacked(entries);
  return bundle && { ...bundle, leaves: await compressAside(bundle.leaves, COMPRESSION) };
}

const compressAside = promisify<Uint8Array, ZstdOptions, Uint8Array>(zstdCompress);

/** The entries of a row as they are stored. */
export const packLeaves = (leaves: readonly Uint8Array[]): Uint8Array =>
  zstdCompressSync(withLengths(leaves), COMPRESSION);

/** A bundle with leaves that are not compressed yet. */
function unpacked(entries: readonly NewEntry[]): Bundle | undefined {
  const [head, tail] = [entries[0], entries.at(-1)];
  if (head === undefined || tail === undefined) return undefined;
  return {
    first: head.index,
    count: entries.length,
    at: tail.entry.at,
    hashStart: hashesBefore(head.index),
    hashes: Buffer.concat(entries.flatMap(({ nodes }) => nodes.map(({ hash }) => hash))),
    leaves: withLengths(entries.map(({ leaf }) => leaf)),
  };
}

/** As `encodeEntries` of the protocol, with half of its work. */
function withLengths(leaves: readonly Uint8Array[]): Uint8Array {
  const bytes = Buffer.allocUnsafe(leaves.reduce((sum, { length }) => sum + LENGTH_BYTES + length, 0));
  let end = 0;
  for (const leaf of leaves) {
    end = bytes.writeUInt16BE(leaf.length, end);
    bytes.set(leaf, end);
    end += leaf.length;
  }
  return bytes;
}

/** The entries of a row. Throws `storage-failed` for one that the gateway cannot have written. */
export function unpackLeaves({
  first,
  count,
  leaves,
}: Pick<Bundle, 'first' | 'count' | 'leaves'>): Uint8Array[] {
  try {
    const most = count * (LENGTH_BYTES + MAX_ENTRY_BYTES);
    const { buffer, byteOffset, length } = zstdDecompressSync(leaves, { maxOutputLength: most });
    // Not as a Buffer, of which each entry would keep, and take to another thread, all the memory.
    return decodeEntries(new Uint8Array(buffer, byteOffset, length), count);
  } catch (cause) {
    throw new HitError(
      'storage-failed',
      `entries ${first} to ${first + count - 1} of the log are damaged: they are not what a gateway writes; put the database back from a backup, and export and check the log`,
      { cause },
    );
  }
}

/** The entry that completes a subtree. */
export const lastLeafOf = (level: number, index: number): number => (index + 1) * 2 ** level - 1;

/** How many subtrees are complete with so many entries. */
function hashesBefore(size: number): number {
  let hashes = 0;
  for (let nodes = size; nodes >= 1; nodes = Math.floor(nodes / 2)) hashes += nodes;
  return hashes;
}

/**
 * The place of a subtree's hash among all hashes of the log, counted from 0 in the order in which subtrees become
 * complete (the stored hash index of golang.org/x/mod/sumdb/tlog). The bundle of {@link lastLeafOf} holds it.
 */
export function hashNumber({ level, index }: NodeId): number {
  return hashesBefore(lastLeafOf(level, index)) + level;
}

/** What a reader of hashes throws for a subtree that is not complete. */
export const noSubtree = ({ level, index }: NodeId): HitError =>
  new HitError('not-found', `the log has no subtree ${index} of level ${level}`);
