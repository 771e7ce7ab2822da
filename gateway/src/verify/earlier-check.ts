import { readFileSync } from 'node:fs';
import type { Backend, LogKey, TreeHead } from '@hitmachine/protocol';
import {
  TILE_WIDTH,
  constantTimeEqual,
  openCheckpoint,
  tilesOfLevel,
  utf8ToBytes,
  verifyReceipt,
} from '@hitmachine/protocol';
import { ExportFolder, bundleOf, isFolder } from './export-folder.ts';
import type { Findings } from './findings.ts';
import type { TreeCheck } from './tree-check.ts';

/** What was kept of the log from before: an export, a checkpoint, or the receipt of an entry. */
export type Kept =
  | { readonly type: 'earlier'; readonly head: TreeHead; readonly folder: ExportFolder | undefined }
  | { readonly type: 'receipt'; readonly head: TreeHead; readonly index: number; readonly leaf: Uint8Array };

/** Reads an earlier export or checkpoint. Throws for what cannot be read; `signature-invalid` for another log's. */
export function readEarlier(backend: Backend, log: LogKey, path: string): Kept {
  const folder = isFolder(path) ? new ExportFolder(path) : undefined;
  const text = folder?.checkpoint ?? readFileSync(path, 'utf8');
  return { type: 'earlier', head: openCheckpoint(backend, text, log).head, folder };
}

/**
 * Reads and checks a receipt as `hit-agent receipt` writes it: the entry in the first line, then the C2SP tlog-proof.
 * Throws `malformed`, `signature-invalid` or `log-proof-invalid`.
 */
export function readReceipt(backend: Backend, log: LogKey, path: string): Kept {
  const text = readFileSync(path, 'utf8');
  const end = text.indexOf('\n');
  const leaf = utf8ToBytes(text.slice(0, Math.max(end, 0)));
  const { index, head } = verifyReceipt(backend, log, leaf, text.slice(end + 1));
  return { type: 'receipt', head, index, leaf };
}

/** Holds what was kept against the log as it is exported now. */
export function compareKept(
  kept: Kept,
  name: string,
  now: { readonly folder: ExportFolder; readonly size: number; readonly tree: TreeCheck },
  findings: Findings,
): void {
  const { head } = kept;
  const add = (reason: string, where: { index: number } | { range: { from: number; to: number } }): void =>
    findings.add({ check: 'consistent', reason: `${name}: ${reason}`, ...where });
  if (kept.type === 'receipt') {
    if (kept.index >= now.size)
      return add(
        `this export ends before the entry that the receipt is for; if it was made later, the log was cut off`,
        {
          index: kept.index,
        },
      );
    const leaf = now.folder.entries(bundleOf(kept.index, now.size))[kept.index % TILE_WIDTH];
    if (leaf === undefined || !constantTimeEqual(leaf, kept.leaf))
      return add('the log has another entry in the place of the one that the receipt is for', {
        index: kept.index,
      });
  }
  const there = now.tree.headAt(head.size);
  if (there !== undefined && constantTimeEqual(there.root, head.root)) return;
  if (kept.type === 'receipt') {
    // The entry itself is there; a log that is longer than this export says nothing against it.
    if (there === undefined) return;
    return add('the receipt is of a log with other entries', { range: { from: 0, to: head.size } });
  }
  if (there === undefined)
    return add(`the log had ${head.size} entries and has ${now.size}: it was cut off or set back`, {
      range: { from: now.size, to: head.size },
    });
  const differing = kept.folder && firstDifference(kept.folder, now.folder, head.size, now.size);
  if (differing === undefined)
    return add('the log does not begin with what it was then', { range: { from: 0, to: head.size } });
  add('it is another entry than the one that stood there then', { index: differing });
}

function firstDifference(
  before: ExportFolder,
  now: ExportFolder,
  oldSize: number,
  size: number,
): number | undefined {
  const newTiles = tilesOfLevel('entries', size);
  for (const old of tilesOfLevel('entries', oldSize)) {
    const tile = newTiles.next().value;
    if (tile === undefined) return undefined;
    const [theirs, ours] = [before.entries(old), now.entries(tile)];
    const at = theirs.findIndex((leaf, i) => !constantTimeEqual(leaf, ours[i] ?? new Uint8Array(0)));
    if (at >= 0) return old.index * TILE_WIDTH + at;
  }
  return undefined;
}
