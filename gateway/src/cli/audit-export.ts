import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { TreeHead } from '@hitmachine/protocol';
import {
  HitError,
  TILE_WIDTH,
  encodeEntries,
  encodeTile,
  logOrigin,
  nodesOfTile,
  tilePath,
  tilesOf,
  tilesOfLevel,
} from '@hitmachine/protocol';
import type { ExportDescription } from '../export-layout.ts';
import { CHECKPOINT_FILE, EXPORT_FILE, rosterPath } from '../export-layout.ts';
import type { AuditLog } from '../ports/audit-log.ts';
import type { Directory } from '../ports/directory.ts';

export interface ExportSource {
  readonly auditLog: AuditLog;
  readonly directory: Directory;
  readonly federation: string;
  /** The signed note that the export is for, and its head. */
  readonly checkpoint: { readonly head: TreeHead; readonly note: string };
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Hears how many entries were written. */
  readonly progress?: (entries: number, size: number) => void;
}

/**
 * Writes the log up to a checkpoint into a folder that is not there yet or empty: all of it or nothing. The entries and
 * the hashes go out as they are stored, also where they do not fit: finding that out is for whoever reads the export.
 * Throws `already-exists` or `storage-failed`.
 */
export async function exportLog(source: ExportSource, out: string): Promise<ExportDescription> {
  const target = resolve(out);
  await requireFree(target);
  const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}`);
  try {
    const writer = new FolderWriter(temporary);
    const description = await writeLog(source, writer);
    // An empty folder gives way; one that somebody has filled meanwhile does not.
    await rename(temporary, target);
    return description;
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    if (['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw notEmpty(target);
    throw error;
  }
}

const notEmpty = (path: string): HitError =>
  new HitError('already-exists', `${path} is not empty: give a folder that is not there yet`);

async function requireFree(path: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (names.length > 0) throw notEmpty(path);
}

async function writeLog(source: ExportSource, writer: FolderWriter): Promise<ExportDescription> {
  const { auditLog, federation, checkpoint, now, progress } = source;
  const { size } = checkpoint.head;
  const rosters = new Set<number>();
  for (const tile of tilesOfLevel('entries', size)) {
    const from = tile.index * TILE_WIDTH;
    const leaves = await auditLog.leaves(from, tile.width);
    if (leaves.length !== tile.width)
      throw new HitError(
        'storage-failed',
        `the entries from ${from + leaves.length} on are not in the database`,
      );
    for (const leaf of leaves) {
      const version = rosterIn(leaf);
      if (version !== undefined) rosters.add(version);
    }
    await writer.write(tilePath(tile), encodeEntries(leaves));
    progress?.(from + tile.width, size);
  }
  for (const tile of tilesOf(size))
    await writer.write(tilePath(tile), encodeTile(await auditLog.hashes(nodesOfTile(tile))));
  for (const version of rosters) {
    const stored = await source.directory.roster(version);
    // One that is missing is told by whoever checks the export.
    if (stored !== undefined) await writer.write(rosterPath(version), json(stored.document));
  }
  const description: ExportDescription = {
    format: 'hitmachine-log-export-1',
    federation,
    origin: logOrigin(federation),
    size,
    exportedAt: now,
  };
  await writer.write(CHECKPOINT_FILE, checkpoint.note);
  await writer.write(EXPORT_FILE, json(description));
  return description;
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** Entries begin with their time and event, so that most of them need not be read for this. */
const ROSTER = /^\{"at":\d+,"event":"roster","version":(\d+),/;

function rosterIn(leaf: Uint8Array): number | undefined {
  const [, version] = ROSTER.exec(new TextDecoder().decode(leaf.subarray(0, 100))) ?? [];
  return version === undefined ? undefined : Number(version);
}

/** Writes files below a folder, making the folders in between. */
class FolderWriter {
  readonly #root: string;
  readonly #made = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  async write(name: string, content: Uint8Array | string): Promise<void> {
    const path = join(this.#root, name);
    const folder = dirname(path);
    if (!this.#made.has(folder)) {
      await mkdir(folder, { recursive: true });
      this.#made.add(folder);
    }
    await writeFile(path, content, { flag: 'wx' });
  }
}
