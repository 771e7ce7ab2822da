import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { SignedDocument, Tile } from '@hitmachine/protocol';
import {
  HitError,
  TILE_WIDTH,
  decodeEntries,
  decodeTile,
  parseJson,
  signedDocumentSchema,
  tilePath,
} from '@hitmachine/protocol';
import type { ExportDescription } from '../export-layout.ts';
import { CHECKPOINT_FILE, EXPORT_FILE, exportSchema, rosterPath } from '../export-layout.ts';

export type HashTile = Tile & { readonly level: number };

/**
 * An exported log on disk. Files are read when asked for and not kept. All methods throw `not-found` for a file that is
 * missing and `malformed` for one that is cut off or damaged, and name it.
 */
export class ExportFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get description(): ExportDescription {
    return this.#as(EXPORT_FILE, (bytes) => parseJson(exportSchema, bytes));
  }

  get checkpoint(): string {
    return this.#as(CHECKPOINT_FILE, (bytes) => new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  }

  roster(version: number): SignedDocument {
    return this.#as(rosterPath(version), (bytes) => parseJson(signedDocumentSchema, bytes));
  }

  /** The versions of the roster that are there. */
  get rosterVersions(): number[] {
    let names: string[];
    try {
      names = readdirSync(join(this.path, 'rosters'));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
      return [];
    }
    return names.flatMap((name) => /^([1-9]\d{0,9})\.json$/.exec(name)?.[1] ?? []).map(Number);
  }

  /** The bytes of a bundle, undecoded. */
  bundleBytes(tile: Tile): Uint8Array {
    return this.#as(tilePath(tile), (bytes) => bytes);
  }

  entries(tile: Tile): Uint8Array[] {
    return this.#as(tilePath(tile), (bytes) => decodeEntries(bytes, tile.width));
  }

  hashes(tile: HashTile): Uint8Array[] {
    return this.#as(tilePath(tile), (bytes) => decodeTile(bytes, tile.width));
  }

  #as<T>(name: string, read: (bytes: Uint8Array) => T): T {
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(join(this.path, name));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
      throw new HitError('not-found', `${name} is missing`, { cause });
    }
    try {
      return read(bytes);
    } catch (cause) {
      const detail = cause instanceof HitError ? cause.detail : 'it is not text in UTF-8';
      throw new HitError('malformed', `${name} is damaged: ${detail}`, { cause });
    }
  }
}

/** The bundle that holds an entry, in a log of `size` entries. */
export function bundleOf(entry: number, size: number): Tile {
  const index = Math.floor(entry / TILE_WIDTH);
  return { level: 'entries', index, width: Math.min(TILE_WIDTH, size - index * TILE_WIDTH) };
}

export const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
