import { hash } from 'node:crypto';
import type { Backend, EntryFacts, Tile } from '@hitmachine/protocol';
import {
  HASH_BYTES,
  HitError,
  checkEntry,
  concatBytes,
  constantTimeEqual,
  decodeEntry,
  keyChangeSchema,
  parseJson,
  utf8ToBytes,
} from '@hitmachine/protocol';
import type { ExportFolder } from './export-folder.ts';

/** All keys that each agency ever had, base64url. */
export type AllKeys = ReadonlyMap<string, readonly string[]>;

/** The enrolments and changes of keys in a bundle: whose key is what. */
export interface FoundKeys {
  readonly type: 'keys';
  readonly enrolments: readonly { readonly agency: string; readonly key: string }[];
}

export interface CheckedBundle {
  readonly type: 'check';
  /** Undefined where the entries cannot be had. */
  readonly facts: readonly EntryFacts[] | undefined;
  /** Hashes of the entries, or those of the tile where the entries cannot be had; undefined when neither can. */
  readonly hashes: Uint8Array | undefined;
  /** Positions in the bundle whose entry has another hash than the tile. */
  readonly differing: readonly number[];
  /** What is wrong with the files. */
  readonly missing: readonly string[];
}

export type BundleResult = FoundKeys | CheckedBundle;

const LEAF_PREFIX = Uint8Array.of(0);
/** RFC 9162 section 2.1.1, by the hash of the runtime: four times as fast as that of the protocol. */
const leafHash = (leaf: Uint8Array): Uint8Array => hash('sha256', concatBytes(LEAF_PREFIX, leaf), 'buffer');

/** An event stands so in an entry and nowhere else: in a text the quotes would be escaped. */
const NEW_KEYS = ['enrolment', 'key-change'].map((event) => Buffer.from(`"event":"${event}"`));

/** Looks for enrolments and changes of keys in a bundle; what cannot be read has none. */
export function findKeys(folder: ExportFolder, tile: Tile): FoundKeys {
  const bytes = attempt(() => folder.bundleBytes(tile)).value;
  const buffer = bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (buffer === undefined || !NEW_KEYS.some((event) => buffer.includes(event)))
    return { type: 'keys', enrolments: [] };
  const leaves = attempt(() => folder.entries(tile)).value ?? [];
  const enrolments = leaves.flatMap((leaf) => {
    const entry = attempt(() => decodeEntry(leaf)).value;
    if (entry?.event === 'enrolment') return [{ agency: entry.agency, key: entry.identityKey }];
    if (entry?.event !== 'key-change') return [];
    const change = attempt(() => parseJson(keyChangeSchema, utf8ToBytes(entry.body))).value;
    return change === undefined ? [] : [{ agency: entry.agency, key: change.identityKey }];
  });
  return { type: 'keys', enrolments };
}

/** Reads a bundle and checks its entries, each by itself, and their hashes against the tile. */
export function checkBundle(
  backend: Backend,
  folder: ExportFolder,
  tile: Tile,
  keys: AllKeys,
): CheckedBundle {
  const entries = attempt(() => folder.entries(tile));
  const stored = attempt(() => folder.hashes({ ...tile, level: 0 }));
  const missing = [entries, stored].flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
  const facts = entries.value?.map((leaf) => checkEntry(backend, leaf, (agency) => keys.get(agency) ?? []));
  const own = entries.value?.map(leafHash);
  const differing = own?.flatMap((one, i) => {
    const other = stored.value?.[i];
    return other === undefined || constantTimeEqual(one, other) ? [] : [i];
  });
  const hashes = own ?? stored.value;
  return {
    type: 'check',
    facts,
    hashes: hashes && joined(hashes),
    differing: differing ?? [],
    missing,
  };
}

function joined(hashes: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(hashes.length * HASH_BYTES);
  hashes.forEach((one, i) => bytes.set(one, i * HASH_BYTES));
  return bytes;
}

function attempt<T>(work: () => T): { value?: T; problem?: string } {
  try {
    return { value: work() };
  } catch (error) {
    if (!(error instanceof HitError)) throw error;
    return { problem: error.detail };
  }
}
