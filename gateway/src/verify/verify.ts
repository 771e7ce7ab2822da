import type { Backend, Checkpoint, LogKey, Tile } from '@hitmachine/protocol';
import {
  LIMITS,
  LogCheck,
  MAX_NOTE_SIGNATURES,
  TILE_WIDTH,
  constantTimeEqual,
  decodeEntry,
  encodeBase64,
  decodeBase64,
  loadSodium,
  logOrigin,
  parseCheckpoint,
  tilesOfLevel,
  verifyCheckpoint,
} from '@hitmachine/protocol';
import type { ExportDescription } from '../export-layout.ts';
import { keysOf } from './all-keys.ts';
import { BundleWorkers } from './bundle-workers.ts';
import type { Kept } from './earlier-check.ts';
import { compareKept, readEarlier, readReceipt } from './earlier-check.ts';
import { ExportFolder, bundleOf } from './export-folder.ts';
import { Findings } from './findings.ts';
import type { Report, VerifyOptions } from './report.ts';
import { TreeCheck } from './tree-check.ts';
import type { CheckedBundle } from './bundle-check.ts';
import type { Witness } from './witness-check.ts';
import { checkWitnesses } from './witness-check.ts';

/** What the steps of one verification share. */
interface Work {
  readonly backend: Backend;
  readonly options: VerifyOptions;
  readonly folder: ExportFolder;
  readonly description: ExportDescription;
  readonly checkpoint: Checkpoint | undefined;
  readonly size: number;
  readonly key: LogKey;
  readonly findings: Findings;
  readonly notices: string[];
}

/**
 * Checks an exported log: offline, from the files alone, without holding them in memory. Throws for a folder that is no
 * export, and for an earlier export or a receipt that is not there; whatever is wrong with the log is a finding.
 */
export async function verifyExport(options: VerifyOptions): Promise<Report> {
  const backend = await loadSodium();
  const folder = new ExportFolder(options.folder);
  const { description } = folder;
  const findings = new Findings();
  const notices: string[] = [];
  const checkpoint = readCheckpoint(folder, description, findings);
  const size = checkpoint?.head.size ?? description.size;
  const publicKey = options.gatewayKey ?? firstKey(folder, size);
  if (publicKey === undefined)
    findings.add({ check: 'signed', reason: 'the first entry names no key: give --gateway-key' });
  const key = { origin: logOrigin(description.federation), publicKey: publicKey ?? new Uint8Array(32) };
  const work = { backend, options, folder, description, checkpoint, size, key, findings, notices };
  if (checkpoint !== undefined) findings.attempt('signed', () => verifyCheckpoint(backend, checkpoint, key));
  const kept = readKept(work);
  const tree = new TreeCheck(
    folder,
    size,
    [...kept.values()].map(({ head }) => head.size),
    findings,
  );
  const log = await checkEntries(work, tree);
  const knownGood = compareAll(work, kept, tree);
  checkRoot(work, tree, knownGood);
  const witnesses = judgeWitnesses(work, log);
  noteUnknown(work, log);
  return {
    description,
    size,
    root: encodeBase64(tree.head().root),
    gatewayKey: publicKey && encodeBase64(publicKey),
    keyFrom: options.gatewayKey === undefined ? 'first entry' : 'pinned',
    lastAt: log.lastAt,
    witnesses,
    agencies: log.roster?.agencies.length ?? 0,
    compared: kept.size > 0,
    findings,
    notices: [...notices, ...log.notices.map(({ index, reason }) => `entry ${index}: ${reason}`)],
  };
}

function readCheckpoint(
  folder: ExportFolder,
  description: ExportDescription,
  findings: Findings,
): Checkpoint | undefined {
  const text = findings.attempt('complete', () => folder.checkpoint);
  const checkpoint = text === undefined ? undefined : findings.attempt('signed', () => parseCheckpoint(text));
  if (checkpoint !== undefined && checkpoint.head.size !== description.size)
    findings.add({
      check: 'complete',
      reason: `export.json speaks of ${description.size} entries, the checkpoint of ${checkpoint.head.size}`,
    });
  return checkpoint;
}

/** The key that the first entry names. */
function firstKey(folder: ExportFolder, size: number): Uint8Array | undefined {
  try {
    const [leaf] = folder.entries(bundleOf(0, size));
    const entry = leaf && decodeEntry(leaf);
    return entry?.event === 'log-opened' ? decodeBase64(entry.identityKey, 32) : undefined;
  } catch {
    // What is wrong with the file is told where all of them are read.
    return undefined;
  }
}

/** What was kept from before, by name. Of one that is not of this log there is a finding. */
function readKept({ backend, options, key, findings }: Work): Map<string, Kept> {
  const kept = new Map<string, Kept>();
  const read = (path: string, work: () => Kept): void => {
    const one = findings.attempt('consistent', work, path);
    if (one !== undefined) kept.set(path, one);
  };
  const { earlier, receipts = [] } = options;
  if (earlier !== undefined) read(earlier, () => readEarlier(backend, key, earlier));
  for (const path of receipts) read(path, () => readReceipt(backend, key, path));
  return kept;
}

async function checkEntries(work: Work, tree: TreeCheck): Promise<LogCheck> {
  const { backend, folder, size, key, description, findings, options } = work;
  const log = new LogCheck({
    backend,
    federation: description.federation,
    publicKey: key.publicKey,
    roster: (version) => folder.roster(version),
    knownKeys: options.agencyKeys,
  });
  const bundles = Math.ceil(size / TILE_WIDTH);
  const workers = new BundleWorkers(backend, folder, bundles);
  try {
    const keys = await keysOf(folder, workers, size);
    const tiles = tilesOfLevel('entries', size);
    for await (const checked of workers.check(tilesOfLevel('entries', size), keys)) {
      const tile = tiles.next().value as Tile;
      const from = tile.index * TILE_WIDTH;
      addBundle(log, { from, to: from + tile.width }, checked, findings);
      if (checked.hashes !== undefined) tree.append(checked.hashes);
      options.progress?.(from + tile.width, size);
    }
  } finally {
    await workers.close();
  }
  return log;
}

function addBundle(
  log: LogCheck,
  range: { readonly from: number; readonly to: number },
  { facts, differing, missing }: CheckedBundle,
  findings: Findings,
): void {
  for (const reason of missing) findings.add({ check: 'complete', range, reason });
  if (facts === undefined) return log.skip(range.to - range.from);
  const altered = new Set(differing);
  facts.forEach((one, i) => {
    const index = range.from + i;
    const { said } = one;
    const entry = { index, ...(said && { at: said.at, event: said.event }) };
    if (altered.has(i))
      findings.add({
        check: 'unaltered',
        ...entry,
        reason: `it does not make the hash that was stored for it: it was altered after it was logged`,
      });
    for (const problem of log.add(one)) findings.add({ check: 'well-formed', ...entry, ...problem });
  });
}

/** Gives the size up to which the log is known to be as it was. */
function compareAll(
  { folder, size, findings }: Work,
  kept: ReadonlyMap<string, Kept>,
  tree: TreeCheck,
): number {
  let knownGood = 0;
  for (const [name, one] of kept) {
    compareKept(one, name, { folder, size, tree }, findings);
    const there = tree.headAt(one.head.size);
    if (there !== undefined && constantTimeEqual(there.root, one.head.root))
      knownGood = Math.max(knownGood, one.head.size);
  }
  return knownGood;
}

function checkRoot({ checkpoint, size, findings }: Work, tree: TreeCheck, from: number): void {
  const head = tree.head();
  // Where entries are missing there is no root; where one was altered it cannot be right.
  if (checkpoint === undefined || head.size !== size || findings.count('unaltered') > 0) return;
  if (constantTimeEqual(head.root, checkpoint.head.root)) return;
  findings.add({
    check: 'unaltered',
    range: { from, to: size },
    reason:
      'these entries do not make the root that the checkpoint is signed for: at least one of them was altered, moved, added or left out, and the hashes were made anew so that they do not show which; an earlier export or a receipt can narrow it down',
  });
}

function judgeWitnesses(work: Work, log: LogCheck): readonly Witness[] {
  const { backend, checkpoint, folder, findings, notices, options } = work;
  const { roster } = log;
  const agencies = roster?.agencies.length ?? 0;
  const { valid, forged, ignored } =
    roster === undefined || checkpoint === undefined
      ? { valid: [], forged: [], ignored: [] }
      : checkWitnesses(backend, folder.checkpoint, roster, log.membership.formerKeys);
  notices.push(...ignored);
  for (const reason of forged) findings.add({ check: 'witnessed', reason });
  const needed = options.minWitnesses ?? majorityOf(agencies);
  if (valid.length < needed)
    findings.add({
      check: 'witnessed',
      reason: [
        `cosigned by ${valid.length} of ${agencies} agencies, where ${needed} must have`,
        ...ignored,
      ].join('; '),
    });
  for (const { agency, at } of valid) checkFuture(work, log, agency, at);
  return valid;
}

/** Whoever gives keys should know of which agencies there were none. */
function noteUnknown({ options: { agencyKeys }, notices }: Work, { roster }: LogCheck): void {
  const unknown = (roster?.agencies ?? []).filter(({ id }) => agencyKeys?.has(id) === false);
  if (unknown.length > 0) notices.push(`no key was given of ${unknown.map(({ id }) => id).join(', ')}`);
}

/** More than half; a note has no room for those of very many. */
function majorityOf(agencies: number): number {
  return agencies === 0 ? 0 : Math.min(Math.floor(agencies / 2) + 1, MAX_NOTE_SIGNATURES - 1);
}

/** An entry that was there when a witness cosigned cannot be of a later time. */
function checkFuture(
  { folder, size, findings }: Work,
  log: LogCheck,
  agency: string,
  cosignedAt: number,
): void {
  const latest = cosignedAt + LIMITS.clockSkewMs;
  if (log.lastAt <= latest) return;
  for (const tile of tilesOfLevel('entries', size)) {
    const entries = findings.attempt('complete', () => folder.entries(tile).map(decodeEntry)) ?? [];
    const i = entries.findIndex(({ at }) => at > latest);
    const entry = entries[i];
    if (entry === undefined) continue;
    return findings.add({
      check: 'well-formed',
      index: tile.index * TILE_WIDTH + i,
      at: entry.at,
      event: entry.event,
      reason: `it is post-dated: its time is later than that at which ${agency} cosigned the log with this entry in it`,
    });
  }
}
